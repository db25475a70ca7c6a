"""From what a user writes after --model to a network, and back from the registry."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import keras
import numpy as np
import pytest

from experiments.errors import DigitsError, UsageError
from experiments.models import MODELS
from experiments.results import Result, to_table
from experiments.tracking import (
    Reference,
    Store,
    load_network,
    log_model,
    model_file,
    names_in_table,
    open_run,
    open_store,
    register,
    registered_versions,
    resolve_reference,
    with_distinct_models,
)
from experiments.tracking.registry import model_bytes

PROJECT = Path(__file__).resolve().parents[2]
IMAGE = np.zeros((1, 28, 28, 1), np.float32)


def trained(store: Store, dataset: str, score: float, architecture: str = "lenet") -> tuple[str, keras.Model]:
    """Register an untrained network as if it had been trained; return its run and the network."""
    keras.utils.set_random_seed(int(score * 1000))
    network = MODELS[architecture].build(MODELS[architecture].recipe)
    with open_run(store, "train", architecture) as run:
        params = {"model": architecture, "dataset": dataset}
        model_id = log_model(run, network, f"{dataset}-{architecture}", params, IMAGE)
        register(run, model_id, dataset=dataset, architecture=architecture, score=score)
    return run.id, network


def test_champion_is_the_best_by_validation_accuracy(store: Store) -> None:
    for score in (0.90, 0.95, 0.92, 0.95):
        trained(store, "mnist", score)
    listed = registered_versions(store)
    assert [(v.registered_model, v.version, v.dataset) for v in listed] == [
        ("mnist-lenet", number, "mnist") for number in (1, 2, 3, 4)
    ]
    assert [v.aliases for v in listed] == [(), ("champion",), (), ()]


def test_the_champion_is_the_best_of_those_that_are_left(store: Store) -> None:
    for score in (0.90, 0.95):
        trained(store, "mnist", score)
    store.client.delete_model_version("mnist-lenet", "2")
    trained(store, "mnist", 0.80)
    assert [(v.version, v.aliases) for v in registered_versions(store)] == [(1, ("champion",)), (3, ())]


def test_the_store_of_the_project_is_used_wherever_one_stands(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("DIGITS_HOME", str(store_folder))
    monkeypatch.chdir(elsewhere)
    store = open_store()
    trained(store, "mnist", 0.9)
    assert [v.registered_model for v in registered_versions(store)] == ["mnist-lenet"]
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert list(elsewhere.iterdir()) == []


def test_networks_registered_at_the_same_time_are_all_kept_and_the_best_is_champion(store: Store) -> None:
    network = MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)
    together, scores, datasets = Barrier(4), (0.91, 0.94, 0.97, 0.90), [f"set-{number}" for number in range(5)]

    def train_and_register(score: float) -> None:
        with open_run(store, "train", f"mlp_small {score}") as run:
            model_id = log_model(run, network, "mlp_small", {"model": "mlp_small", "dataset": "uci"}, IMAGE)
            for dataset in datasets:
                together.wait(10)
                register(run, model_id, dataset=dataset, architecture="mlp_small", score=score)

    with ThreadPoolExecutor(len(scores)) as pool:
        list(pool.map(train_and_register, scores))
    listed = registered_versions(store)
    assert [(v.dataset, v.version) for v in listed] == [(name, number) for name in datasets for number in (1, 2, 3, 4)]
    for dataset in datasets:
        champion = store.client.get_model_version_by_alias(f"{dataset}-mlp_small", "champion")
        assert champion.tags["val_accuracy"] == "0.97"


def test_a_run_that_is_registered_again_keeps_its_version(store: Store) -> None:
    network = MODELS["lenet"].build(MODELS["lenet"].recipe)
    with open_run(store, "train", "lenet") as run:
        ids = [log_model(run, network, "mnist-lenet", {"model": "lenet", "dataset": "mnist"}, IMAGE) for _ in range(2)]
        assert ids[0] == ids[1]
        for model_id in ids:
            register(run, model_id, dataset="mnist", architecture="lenet", score=0.9)
    assert [v.version for v in registered_versions(store)] == [1]


def test_the_size_of_a_network_is_that_of_its_file(store: Store) -> None:
    trained(store, "mnist", 0.9)
    reference = resolve_reference(store, "lenet")
    assert model_bytes(store, str(reference.model_id)) == model_file(store, reference).stat().st_size


def test_a_network_of_a_search_is_known_as_tuned(store: Store) -> None:
    network = MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)
    for tags in ({"digits.study_run": "abc"}, {}):
        with open_run(store, "train", "mlp_small", tags=tags) as run:
            model_id = log_model(run, network, "mlp_small", {"model": "mlp_small", "dataset": "mnist"}, IMAGE)
            register(run, model_id, dataset="mnist", architecture="mlp_small", score=0.9)
    assert [version.tuned for version in registered_versions(store)] == [True, False]
    champion, plain = (resolve_reference(store, text) for text in ("mlp_small", "models:/mnist-mlp_small/2"))
    assert (champion.tuned, champion.label) == (True, "mlp_small (tuned)")
    assert (plain.tuned, plain.label, plain.full_version) == (False, "mlp_small", "mnist-mlp_small v2")


def test_tables_have_the_short_name_unless_the_caller_gave_one_or_two_networks_share_it() -> None:
    tuned = Reference("mlp", "models:/m-1", "mlp", version="mnist-mlp v2", tuned=True)
    first = Reference("models:/mnist-lenet/1", "models:/m-2", "lenet", version="mnist-lenet v1")
    second = Reference("models:/mnist-lenet/2", "models:/m-3", "lenet", version="mnist-lenet v2")
    file = Reference("models/cnn.keras", "models/cnn.keras")
    assert file.full_version == file.text
    assert [*names_in_table({one.text: one for one in (tuned, first, file)}).values()] == [
        "mlp (tuned)",
        "lenet",
        "cnn",
    ]
    given = {"lenet seed 1": first, "lenet": second}
    assert [*names_in_table(given).values()] == [*given]
    both = {one.text: one for one in (first, second, file)}
    assert [*names_in_table(both).values()] == [first.text, second.text, "cnn"]
    rows = to_table(Result("accuracy", 1, one.label, one.full_version) for one in (tuned, first, second, file))
    assert [*with_distinct_models(rows)["model"]] == ["mlp (tuned)", "mnist-lenet v1", "mnist-lenet v2", "cnn"]


def test_every_form_finds_the_same_network(store: Store, tmp_path: Path) -> None:
    run_id, network = trained(store, "mnist", 0.9)
    file = tmp_path / "mine.keras"
    network.save(file)
    expected = network.predict_on_batch(IMAGE)
    forms = ("lenet", "mnist-lenet", "models:/mnist-lenet/1", "models:/mnist-lenet@champion", f"runs:/{run_id}")
    for text in forms:
        reference = resolve_reference(store, text)
        assert (reference.architecture, reference.dataset, reference.run_id) == ("lenet", "mnist", run_id)
        np.testing.assert_array_equal(load_network(store, reference).predict_on_batch(IMAGE), expected)
    reference = resolve_reference(store, str(file))
    assert reference.architecture is None
    np.testing.assert_array_equal(load_network(store, reference).predict_on_batch(IMAGE), expected)


def test_an_architecture_means_mnist_first(store: Store) -> None:
    trained(store, "uci", 0.99)
    trained(store, "mnist", 0.5)
    assert resolve_reference(store, "lenet").dataset == "mnist"


def test_the_only_other_dataset_is_used_and_said_aloud(store: Store) -> None:
    trained(store, "uci", 0.99)
    reference = resolve_reference(store, "lenet")
    assert reference.dataset == "uci"
    assert reference.note == "mnist-lenet does not exist; using uci-lenet"


def test_several_other_datasets_need_a_choice(store: Store) -> None:
    trained(store, "uci", 0.99)
    trained(store, "usps", 0.9)
    with pytest.raises(DigitsError, match="choose one of uci-lenet, usps-lenet"):
        resolve_reference(store, "lenet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lenet", "no lenet has been trained yet; run: digits train lenet"),
        ("models:/mnist-lenet/3", "no registered model mnist-lenet"),
        ("models:/mnist-lenet@champion", "no registered model"),
        ("runs:/0123", "no run '0123'"),
        ("missing.keras", "no file missing.keras"),
    ],
)
def test_what_does_not_exist_is_named(store: Store, text: str, message: str) -> None:
    with pytest.raises(DigitsError, match=message) as error:
        resolve_reference(store, text)
    assert not isinstance(error.value, UsageError)


@pytest.mark.parametrize(
    ("text", "message"), [("lennet", "did you mean lenet"), ("models:/mnist-lenet", "models:/NAME")]
)
def test_what_can_mean_nothing_is_a_usage_error(store: Store, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_reference(store, text)


def test_a_run_without_a_model_is_named(store: Store) -> None:
    with open_run(store, "evaluate", "nothing") as run:
        pass
    with pytest.raises(DigitsError, match="has no model"):
        resolve_reference(store, f"runs:/{run.id}")


def test_a_file_that_is_no_model_is_named(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "broken.keras"
    file.write_bytes(b"not a zip file")
    with pytest.raises(DigitsError, match="cannot load"):
        load_network(store, resolve_reference(store, str(file)))


def test_the_logged_model_has_signature_example_and_pinned_requirements(store: Store, tmp_path: Path) -> None:
    import yaml

    trained(store, "mnist", 0.9)
    reference = resolve_reference(store, "lenet")
    from mlflow.artifacts import download_artifacts

    folder = Path(download_artifacts(artifact_uri=reference.location, dst_path=str(tmp_path), tracking_uri=store.uri))
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "float32" in described["signature"]["inputs"]
    assert described["saved_input_example_info"]["artifact_path"] == "input_example.json"
    pinned = (folder / "requirements.txt").read_text().split()
    assert {line.split("==")[0] for line in pinned} >= {"keras", "tensorflow", "numpy"}
    assert all("==" in line for line in pinned)


@pytest.mark.slow
def test_a_network_with_layers_of_ours_loads_where_this_project_is_not_installed(store: Store, tmp_path: Path) -> None:
    trained(store, "mnist", 0.9, "alexnet")
    code = f"""
import sys
sys.path = [place for place in sys.path if {str(PROJECT)!r} not in (place, place + "/")]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
import mlflow
import numpy as np
mlflow.set_tracking_uri({store.uri!r})
model = mlflow.pyfunc.load_model("models:/mnist-alexnet@champion")
import experiments
assert {str(PROJECT)!r} not in experiments.__file__, experiments.__file__
print(model.predict(np.zeros((1, 28, 28, 1), np.float32)).shape)
"""
    command = [sys.executable, "-I", "-c", code]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.endswith("(1, 10)\n")
