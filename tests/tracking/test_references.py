"""From what a user writes after --model to a network, and back from the registry."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Barrier

import keras
import numpy as np
import pytest

from experiments.errors import DigitsError, UsageError
from experiments.models import IMAGE_SHAPE, MODELS
from experiments.models.layers import LocalResponseNormalization, classifier
from experiments.results import Result, to_table
from experiments.tracking import Reference, Run, Store, log_model, open_run, open_store, references, register
from experiments.tracking.references import load_network, model_file, resolve_reference
from experiments.tracking.registry import model_bytes, registered_versions

PROJECT = Path(__file__).resolve().parents[2]
IMAGE = np.zeros((1, 28, 28, 1), np.float32)


@cache
def network(architecture: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    return MODELS[architecture].build(MODELS[architecture].recipe)


def log(run: Run, dataset: str = "mnist", architecture: str = "mlp_small") -> str:
    params = {"model": architecture, "dataset": dataset}
    return log_model(run, network(architecture), f"{dataset}-{architecture}", params, IMAGE)


def train(store: Store, score: float, dataset: str = "mnist", architecture: str = "mlp_small", **tags: str) -> str:
    """Register an untrained network as if it had been trained; return its run."""
    with open_run(store, "train", architecture, tags=tags) as run:
        model_id = log(run, dataset, architecture)
        register(run, model_id, dataset=dataset, architecture=architecture, score=score)
    return run.id


def test_champion_is_the_best_by_validation_accuracy_of_those_that_are_left(store: Store) -> None:
    def train_all(*scores: float) -> list[tuple[int, tuple[str, ...]]]:
        for score in scores:
            train(store, score)
        listed = registered_versions(store)
        assert {(one.registered_model, one.dataset) for one in listed} == {("mnist-mlp_small", "mnist")}
        return [(one.version, one.aliases) for one in listed]

    assert train_all(0.90, 0.95, 0.92, 0.95) == [(1, ()), (2, ("champion",)), (3, ()), (4, ())]
    store.client.delete_model_version("mnist-mlp_small", "2")
    assert train_all(0.80) == [(1, ()), (3, ()), (4, ("champion",)), (5, ())]


def test_the_store_of_the_project_is_used_wherever_one_stands(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("DIGITS_HOME", str(store_folder))
    monkeypatch.chdir(elsewhere)
    store = open_store()
    train(store, 0.9)
    assert [v.registered_model for v in registered_versions(store)] == ["mnist-mlp_small"]
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert list(elsewhere.iterdir()) == []


def test_networks_registered_at_the_same_time_are_all_kept_and_the_best_is_champion(store: Store) -> None:
    scores, datasets = (0.91, 0.94, 0.97, 0.90), [f"set-{number}" for number in range(5)]
    together = Barrier(len(scores))
    with open_run(store, "train", "mlp_small") as run:
        model_id = log(run)

    def register_everywhere(score: float) -> None:
        with open_run(store, "train", f"mlp_small {score}") as run:
            for dataset in datasets:
                together.wait(60)
                register(run, model_id, dataset=dataset, architecture="mlp_small", score=score)

    with ThreadPoolExecutor(len(scores)) as pool:
        list(pool.map(register_everywhere, scores))
    listed = registered_versions(store)
    assert [(v.dataset, v.version) for v in listed] == [(name, number) for name in datasets for number in (1, 2, 3, 4)]
    for dataset in datasets:
        champion = store.client.get_model_version_by_alias(f"{dataset}-mlp_small", "champion")
        assert champion.tags["val_accuracy"] == "0.97"


def test_a_run_that_is_registered_again_keeps_its_version(store: Store) -> None:
    with open_run(store, "train", "mlp_small") as run:
        ids = [log(run), log(run)]
        assert ids[0] == ids[1]
        for model_id in ids:
            register(run, model_id, dataset="mnist", architecture="mlp_small", score=0.9)
    assert [v.version for v in registered_versions(store)] == [1]


def test_a_network_of_a_search_is_known_as_tuned(store: Store) -> None:
    train(store, 0.9, **{"digits.study_run": "abc"})
    train(store, 0.9)
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

    def names(**given: Reference) -> list[str]:
        return [*references.names_in_table(given).values()]

    assert names(**{one.text: one for one in (tuned, first, file)}) == ["mlp (tuned)", "lenet", "cnn"]
    assert names(**{"lenet seed 1": first, "lenet": second}) == ["lenet seed 1", "lenet"]
    assert names(**{one.text: one for one in (first, second, file)}) == [first.text, second.text, "cnn"]
    rows = to_table(Result("accuracy", 1, one.label, one.full_version) for one in (tuned, first, second, file))
    assert [*references.with_distinct_models(rows)["model"]] == [
        "mlp (tuned)",
        "mnist-lenet v1",
        "mnist-lenet v2",
        "cnn",
    ]


def test_every_form_finds_the_same_network(store: Store, tmp_path: Path) -> None:
    run_id = train(store, 0.9)
    file = tmp_path / "mine.keras"
    network("mlp_small").save(file)
    expected = network("mlp_small").predict_on_batch(IMAGE)
    forms = ("mlp_small", "mnist-mlp_small", "models:/mnist-mlp_small/1", "models:/mnist-mlp_small@champion")
    for text in (*forms, f"runs:/{run_id}", str(file)):
        reference = resolve_reference(store, text)
        known = (None, None, None) if text == str(file) else ("mlp_small", "mnist", run_id)
        assert (reference.architecture, reference.dataset, reference.run_id) == known
        np.testing.assert_array_equal(load_network(store, reference).predict_on_batch(IMAGE), expected)


def test_an_architecture_means_mnist_or_the_only_other_dataset(store: Store) -> None:
    train(store, 0.99, "uci")
    reference = resolve_reference(store, "mlp_small")
    assert reference.dataset == "uci"
    assert reference.note is not None
    assert re.search(r"\bmnist-mlp_small\b.*\buci-mlp_small\b", reference.note)
    train(store, 0.9, "usps")
    with pytest.raises(DigitsError, match="uci-mlp_small, usps-mlp_small"):
        resolve_reference(store, "mlp_small")
    train(store, 0.5, "mnist")
    assert resolve_reference(store, "mlp_small").dataset == "mnist"


@pytest.mark.parametrize(
    ("text", "kind", "named"),
    [
        ("lenet", DigitsError, "digits train lenet"),
        ("models:/mnist-lenet/3", DigitsError, "mnist-lenet"),
        ("models:/mnist-lenet@champion", DigitsError, "mnist-lenet"),
        ("runs:/0123", DigitsError, "'0123'"),
        ("missing.keras", DigitsError, "missing.keras"),
        ("lennet", UsageError, r"lenet\?"),
        ("models:/mnist-lenet", UsageError, "models:/NAME/VERSION"),
    ],
)
def test_what_does_not_exist_and_what_can_mean_nothing_is_named(
    store: Store, text: str, kind: type[Exception], named: str
) -> None:
    with pytest.raises(DigitsError, match=named) as error:
        resolve_reference(store, text)
    assert type(error.value) is kind


def test_what_holds_no_model_is_named(store: Store, tmp_path: Path) -> None:
    with open_run(store, "evaluate", "nothing") as run:
        pass
    with pytest.raises(DigitsError, match=run.id):
        resolve_reference(store, f"runs:/{run.id}")
    file = tmp_path / "broken.keras"
    file.write_bytes(b"not a zip file")
    with pytest.raises(DigitsError, match=str(file)):
        load_network(store, resolve_reference(store, str(file)))


def test_the_logged_model_has_signature_example_pinned_requirements_and_the_size_of_its_file(
    store: Store, tmp_path: Path
) -> None:
    import yaml
    from mlflow.artifacts import download_artifacts

    train(store, 0.9)
    reference = resolve_reference(store, "mlp_small")
    assert model_bytes(store, str(reference.model_id)) == model_file(store, reference).stat().st_size
    folder = Path(download_artifacts(artifact_uri=reference.location, dst_path=str(tmp_path), tracking_uri=store.uri))
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "float32" in described["signature"]["inputs"]
    assert described["saved_input_example_info"]["artifact_path"] == "input_example.json"
    pinned = (folder / "requirements.txt").read_text().split()
    assert {line.split("==")[0] for line in pinned} >= {"keras", "tensorflow", "numpy"}
    assert all("==" in line for line in pinned)


@pytest.mark.slow
def test_a_network_with_layers_of_ours_loads_where_this_project_is_not_installed(store: Store, tmp_path: Path) -> None:
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = keras.layers.Flatten()(LocalResponseNormalization()(inputs))
    model = keras.Model(inputs, classifier(keras.layers.Dense(4, name="penultimate")(x)))
    with open_run(store, "train", "alexnet") as run:
        model_id = log_model(run, model, "mnist-alexnet", {"model": "alexnet", "dataset": "mnist"}, IMAGE)
        register(run, model_id, dataset="mnist", architecture="alexnet", score=0.9)
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
