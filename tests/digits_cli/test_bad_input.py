"""Wrong input: one clear line, the right exit code, nothing left behind."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from digits_cli.main import main
from experiments.tracking import Store, open_store

Refused = Callable[..., str]


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Refused:
    """Return a function that runs a command which must fail, and returns the one line it says."""

    def run(*words: str, code: int = 2) -> str:
        with pytest.raises(SystemExit) as end:
            main(words)
        said = capfd.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        assert end.value.code == code, said.err
        assert len(errors) == 1, said.err
        assert "Traceback" not in said.err
        assert said.out == ""
        return errors[0]

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("train lennet", "'lennet' (did you mean lenet?)"),
        ("train xyzzy", "mlp_small, mlp, lenet"),
        ("train lenet --epochs 0", "epochs must be at least 1, received 0"),
        ("train mlp_small --dataset uci --limit 50 --batch-size 60", "batch_size 60 "),
        ("train lenet --learning-rate nan", "learning_rate"),
        ("train lenet --limit 0", "limit must be at least 1, received 0"),
        ("train lenet --seed -1", "seed must be in"),
        ("train lenet --epochs three", "'--epochs'"),
        ("train lenet --precision half", "'auto', 'float32', 'bfloat16'"),
        ("train lenet --set dropout", "key=value, received 'dropout'"),
        ("train lenet --set dropout=1", "dropout must be in [0, 1), received 1.0"),
        ("train lenet --set epochs=2.5", "epochs must be"),
        ("train lenet --set colour=red", "'colour'"),
        ("train lenet --seeds 0-", "--seeds needs numbers such as 0-4"),
        ("train lenet --seeds 0-3 --seed 1", "--seeds needs one network and excludes --seed"),
        ("train all --seeds 0-3", "--seeds needs one network"),
        ("train lenet --workers 2", "--workers and --cluster need all or --seeds"),
        ("train all --workers 0", "workers must be at least 1, received 0"),
        ("train", "'model' (see digits train --help)"),
        ("evaluate", "'--model'"),
        ("evaluate --model lennet", "'lennet' (did you mean lenet?)"),
        ("evaluate --model models:/lenet", "models:/NAME/VERSION or models:/NAME@ALIAS"),
        ("evaluate --ensemble --model a --model b --model a", "name each model once"),
        ("train all --set units_1=5", "lenet: there is no setting 'units_1'"),
        ("run --also lenet", "profile quick trains lenet already"),
        ("run --workers 0", "workers must be at least 1, received 0"),
        ("run --profile enormous", "quick, full, record"),
        ("ui --port 70000", "'--port'"),
        ("tran lenet", "'tran'"),
        ("train lenet --colour red", "--colour"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_leaves_no_run(
    refused: Refused, store: Store, words: str, named: str
) -> None:
    assert named in refused(*words.split())
    assert store.client.search_runs([store.experiment_id]) == []


@pytest.mark.parametrize("words", ["train lenet --dataset uci", "tune mlp --dataset uci --trials 1", "run"])
def test_a_backend_that_there_is_not_is_told_before_anything_begins(
    refused: Refused, store: Store, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jacks")
    assert "'jacks' (did you mean jax?)" in refused(*words.split())
    assert store.client.search_runs([store.experiment_id]) == []


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("cnn", "run: digits train cnn"),
        ("uci-lenet-5", "did you mean uci-lenet?"),
        ("models:/uci-lenet/9", "uci-lenet has no version 9; registered: uci-lenet, uci-mlp_small"),
        ("models:/uci-lenet@best", "uci-lenet has no version with alias best"),
        ("nowhere.keras", "nowhere.keras"),
    ],
)
def test_a_model_that_does_not_exist_is_named(refused: Refused, reference: str, named: str) -> None:
    assert named in refused("evaluate", "--model", reference, code=2 if "did you mean" in named else 1)


def test_an_unknown_profile_is_refused_before_anything_is_opened(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr("digits_cli.console.load_backend", lambda: pytest.fail("Keras was loaded"))
    assert "'quik' (did you mean quick?)" in refused("run", "--profile", "quik")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", ["data list", "data fetch uci", "data show uci", "train lenet", "evaluate --model lenet", "run"]
)
def test_a_data_folder_that_does_not_exist_is_named(refused: Refused, tmp_path: Path, words: str) -> None:
    assert f"{tmp_path}/nowhere; --data-dir" in refused(*words.split(), "--data-dir", f"{tmp_path}/nowhere")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("damage", ["no zip", "cut short", "changed"])
def test_a_file_that_holds_no_network_is_named(refused: Refused, tmp_path: Path, damage: str) -> None:
    import keras

    file = tmp_path / "broken.keras"
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]).save(file)
    whole = file.read_bytes()
    written = {"no zip": b"PK not really", "cut short": whole[:-50], "changed": whole.replace(b"Flatten", b"Fallen!")}
    file.write_bytes(written[damage])
    said = refused("evaluate", "--model", str(file), "--dataset", "uci", code=1)
    assert str(file) in said
    assert "not found" not in said


def test_missing_data_offline_says_where_it_may_lie(
    refused: Refused, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(store_folder / "cache"))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    said = refused("train", "lenet", code=1)
    assert "mnist" in said
    assert "--data-dir" in said
    assert list(open_store().client.search_runs([open_store().experiment_id])) == []


def test_a_damaged_data_file_is_named(refused: Refused, store_folder: Path) -> None:
    folder = store_folder / "mine"
    folder.mkdir()
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"):
        (folder / name).write_bytes(b"no gzip")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    said = refused("train", "mlp_small", "--dataset", str(folder), code=1)
    assert re.search(rf"{folder}/\S+-ubyte\.gz", said)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_named(refused: Refused, store_folder: Path) -> None:
    (store_folder / "mlflow.db").chmod(0o400)
    assert f"{store_folder}/mlflow.db" in refused("train", "mlp_small", "--dataset", "uci", code=1)


@pytest.mark.parametrize("uri", ["sqlite:///{}", "sqlite:///{}/nowhere/mlflow.db", "http://127.0.0.1:9"])
def test_a_store_that_cannot_be_used_is_named(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    address = uri.format(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert address.removeprefix("sqlite:///") in refused("models", code=1)


@pytest.mark.usefixtures("store")
def test_debug_shows_the_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--model", "cnn", "--debug"])
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "digits train cnn" in said
