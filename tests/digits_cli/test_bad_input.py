"""Wrong input: one clear line, the right exit code, nothing left behind."""

import os
import re
from pathlib import Path

import pytest
from conftest import Digits

from experiments.tracking import Store, open_store

URL = "postgresql+psycopg://USER:PASSWORD@HOST/NAME"


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
        ("tune mlp_small --engine hyperopt", "'hyperopt'; choose one of optuna, keras-tuner"),
        ("tune mlp_small --sampler gp", "'gp'; choose one of tpe, random, grid, cmaes, qmc"),
        (
            "tune mlp_small --dataset uci --engine keras-tuner --sampler tpe",
            "'tpe'; choose one of bayesian, random, hyperband",
        ),
        ("tune mlp_small --pruner asha", "'asha'; choose one of hyperband, median, none"),
        ("tune mlp_small --engine keras-tuner --pruner median", "--pruner goes with --engine optuna"),
        (
            "tune mlp_small --dataset uci --engine keras-tuner --storage sqlite:///x.db",
            "--storage goes with --engine optuna",
        ),
        ("tune mlp_small --engine keras-tuner --cluster auto", "--cluster goes with --engine optuna"),
        ("tune mlp_small --trials 0", "trials must be at least 1, received 0"),
        ("tune mlp_small --trials many", "'--trials'"),
        ("tune mlp_small --workers 0", "workers must be at least 1, received 0"),
        ("tune mlp_small --worker-cpus -1", "worker-cpus must be at least 0, received -1.0"),
        ("tune mlp_small --epochs 0", "epochs must be at least 1, received 0"),
        ("tune mlp_small --limit 0", "limit must be at least 1, received 0"),
        ("tune mlp_small --seed -1", "seed must be in"),
        ("tune mlp_small --set units_2=5", "'units_2'"),
        ("tune mlp_small --set learning_rate=0", "learning_rate must be above 0"),
        ("tune mlp_small --set dropout", "--set needs key=value, received 'dropout'"),
        ("tune mlp_small --study=", "study must not be empty"),
        (
            "tune mlp_small --dataset uci --set units_1=64 --set dropout=0.1 --set learning_rate=0.01",
            "leave one of units_1, dropout, learning_rate",
        ),
        ("tune mlp_small --dataset uci --storage oracle://u@h/x", "pip install -e '.[postgresql]'"),
        (
            "tune mlp_small --dataset uci --storage nonsense",
            f"--storage needs a database URL such as {URL}, received 'nonsense'",
        ),
        ("tune mlp_small --storage=", f"--storage needs a database URL such as {URL}"),
        (
            "tune mlp_small --dataset uci --storage postgresql+psycopg://me:geheim@host:port/x",
            "'postgresql+psycopg://me:***@host:port/x'",
        ),
        ("ui --port 70000", "'--port'"),
        ("tran lenet", "'tran'"),
        ("train lenet --colour red", "--colour"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_leaves_nothing(
    digits: Digits, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.workflows.tune.run.run_search", lambda *_: pytest.fail("the search has started"))
    assert named in digits(words).error()
    assert store.client.search_runs([store.experiment_id]) == []
    assert {file.name for file in tmp_path.iterdir()} == {"project"}


@pytest.mark.parametrize("words", ["train lenet --dataset uci", "tune mlp --dataset uci --trials 1", "run"])
def test_a_backend_that_there_is_not_is_told_before_anything_begins(
    digits: Digits, store: Store, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jacks")
    assert "'jacks' (did you mean jax?)" in digits(words).error()
    assert store.client.search_runs([store.experiment_id]) == []


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("words", "named", "code"),
    [
        ("evaluate --model cnn", "run: digits train cnn", 1),
        ("evaluate --model uci-lenet-5", "did you mean uci-lenet?", 2),
        ("evaluate --model models:/uci-lenet/9", "uci-lenet has no version 9; registered: uci-lenet, uci-mlp_small", 1),
        ("evaluate --model models:/uci-lenet@best", "uci-lenet has no version with alias best", 1),
        ("evaluate --model nowhere.keras", "nowhere.keras", 1),
        ("transfer --model lenet --target uci", "digits evaluate", 2),
        ("transfer --model lenet --target nowhere", "'nowhere'", 2),
        ("transfer --model lenet --target {empty}", "{empty}", 1),
        ("transfer --model lenet --target uci-c --adapt shoot", "did you mean shot", 2),
        ("transfer --model lenet --target uci-c --few-shot none", "--few-shot", 2),
        ("transfer --model lenet --target uci-c --register", "choose a method", 2),
        ("transfer --model lenet --target uci-c --seed -1", "received -1", 2),
        (f"transfer --model lenet --target uci-c --seed {2**31}", "received 2147483648", 2),
        ("transfer --model lennet --target uci-c", "did you mean lenet", 2),
        ("transfer --target uci-c", "--model", 2),
        ("transfer --model lenet", "--target", 2),
        ("tune mlpp", "did you mean mlp?", 2),
        ("tune", "'model' (see digits tune --help)", 2),
        ("train mlp --dataset uci --from-study", "run: digits tune mlp --dataset uci", 1),
        ("train mlp --dataset uci --from-study mine", "'mine' of mlp on uci", 1),
        ("train mlp --dataset uci --from-study mine --set colour=red", "'colour'", 2),
        ("train all --from-study mine", "--from-study needs one network", 2),
    ],
)
def test_a_model_or_what_it_cannot_do_is_named(
    digits: Digits, tmp_path: Path, words: str, named: str, code: int
) -> None:
    assert named.format(empty=tmp_path) in digits(words.format(empty=tmp_path)).error(code)


def test_an_unknown_profile_is_refused_before_anything_is_opened(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr("digits_cli.console.load_backend", lambda: pytest.fail("Keras was loaded"))
    assert "'quik' (did you mean quick?)" in digits("run --profile quik").error()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", ["data list", "data fetch uci", "data show uci", "train lenet", "evaluate --model lenet", "run"]
)
def test_a_data_folder_that_does_not_exist_is_named(digits: Digits, tmp_path: Path, words: str) -> None:
    assert f"{tmp_path}/nowhere; --data-dir" in digits(words, f"--data-dir {tmp_path}/nowhere").error()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("damage", ["no zip", "cut short", "changed"])
def test_a_file_that_holds_no_network_is_named(digits: Digits, tmp_path: Path, damage: str) -> None:
    import keras

    file = tmp_path / "broken.keras"
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]).save(file)
    whole = file.read_bytes()
    written = {"no zip": b"PK not really", "cut short": whole[:-50], "changed": whole.replace(b"Flatten", b"Fallen!")}
    file.write_bytes(written[damage])
    said = digits("evaluate", "--model", str(file), "--dataset", "uci").error(1)
    assert str(file) in said
    assert "not found" not in said


def test_missing_data_offline_says_where_it_may_lie(
    digits: Digits, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(store_folder / "cache"))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    said = digits("train", "lenet").error(1)
    assert "mnist" in said
    assert "--data-dir" in said
    assert list(open_store().client.search_runs([open_store().experiment_id])) == []


def test_a_damaged_data_file_is_named(digits: Digits, store_folder: Path) -> None:
    folder = store_folder / "mine"
    folder.mkdir()
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"):
        (folder / name).write_bytes(b"no gzip")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    said = digits("train", "mlp_small", "--dataset", str(folder)).error(1)
    assert re.search(rf"{folder}/\S+-ubyte\.gz", said)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_named(digits: Digits, store_folder: Path) -> None:
    (store_folder / "mlflow.db").chmod(0o400)
    assert f"{store_folder}/mlflow.db" in digits("train", "mlp_small", "--dataset", "uci").error(1)


@pytest.mark.parametrize("uri", ["sqlite:///{}", "sqlite:///{}/nowhere/mlflow.db", "http://127.0.0.1:9"])
def test_a_store_that_cannot_be_used_is_named(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    address = uri.format(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert address.removeprefix("sqlite:///") in digits("models").error(1)


@pytest.mark.usefixtures("store")
def test_debug_shows_the_traceback(digits: Digits) -> None:
    said = digits("evaluate --model cnn --debug").err
    assert "Traceback" in said
    assert "digits train cnn" in said
