"""Training from options to the registered model: what MLflow records, and how interrupted trainings continue."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from conftest import Trained, point_to
from PIL import Image

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.execution.progress import Progress
from experiments.models import MODELS
from experiments.models.prediction import predict
from experiments.results import by_metric, value
from experiments.tracking import Store, load_network, registered_versions, resolve_reference
from experiments.workflows.evaluate.run import evaluate
from experiments.workflows.train.run import TrainOptions, TrainResult, train

SETTINGS = {"epochs": 3, "batch_size": 64, "precision": "float32", "dropout": 0.3, "rotation": 5}
OPTIONS = TrainOptions("mlp", "uci", settings=SETTINGS)

pytestmark = pytest.mark.usefixtures("no_figures")  # those of `trained` are looked at


class Interrupter(Progress):
    """Raises in the middle of an epoch."""

    def __init__(self, at: float, error: BaseException) -> None:
        self.at, self.error = at, error

    def advance(self, done: int, total: int) -> None:
        if done / total > self.at:
            raise self.error


def runs(store: Store) -> list[Any]:
    """Return all runs, the newest first."""
    return list(store.client.search_runs([store.experiment_id]))


def logged_models(store: Store) -> list[Any]:
    return list(store.client.search_logged_models([store.experiment_id]))


def curves(store: Store, run_id: str) -> dict[str, list[tuple[int, float]]]:
    return {
        metric: [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]
        for metric in ("loss", "val_loss", "val_accuracy")
    }


@dataclass(frozen=True)
class Undisturbed:
    """A training that nothing interrupts, and how often it has recorded metrics, by epoch."""

    result: TrainResult
    curves: dict[str, list[tuple[int, float]]]
    recorded: list[int]


@pytest.fixture(scope="module")
def undisturbed(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(empty_database, folder / "mlflow.db")
    recorded: list[int] = []
    logged = tracking.Run.log_metrics

    def count(run: tracking.Run, metrics: dict[str, float], step: int = 0, model_id: str | None = None) -> None:
        recorded.append(step)
        logged(run, metrics, step, model_id)

    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        patch.setattr(tracking.Run, "log_metrics", count)
        store = tracking.open_store()
        result = train(store, OPTIONS)
        return Undisturbed(result, curves(store, result.run_id), recorded)


def test_a_training_leaves_a_complete_run(trained: Trained) -> None:
    store, result = trained.store, trained.results["lenet"]
    run = store.client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    recipe = MODELS["lenet"].recipe.override({"epochs": 3, "batch_size": 32, "precision": "float32"})
    expected = {name: str(value) for name, value in recipe.params().items()}
    assert run.data.params == expected | {
        "model": "lenet",
        "dataset": "uci",
        "data": "uci",
        "limit": "none",
        "transform": datasets.load("uci").transform,
    }
    assert {
        "digits.kind": "train",
        "digits.model": "lenet",
        "digits.dataset": "uci",
        "digits.precision": "float32",
    }.items() <= run.data.tags.items()
    assert run.data.tags["digits.data_digest"] == datasets.load("uci").digest
    for metric in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"):
        assert [m.step for m in store.client.get_metric_history(run.info.run_id, metric)] == [1, 2, 3]
    figures = {file.path for file in store.client.list_artifacts(run.info.run_id, "figures")}
    assert figures == {"figures/training_curves.png", "figures/sample_predictions.png"}
    assert "model_summary.txt" in {file.path for file in store.client.list_artifacts(run.info.run_id)}
    assert [data.dataset.name for data in run.inputs.dataset_inputs] == ["uci"]


def test_the_registered_network_scores_what_was_recorded(trained: Trained) -> None:
    result = trained.results["mlp_small"]
    reference = resolve_reference(trained.store, f"models:/{result.registered_model}/{result.version}")
    _, validation = datasets.split_validation(datasets.load("uci").train, MODELS["mlp_small"].recipe.validation)
    predicted = predict(load_network(trained.store, reference), validation).argmax(axis=1)
    assert np.mean(predicted == validation.labels) == pytest.approx(result.val_accuracy, abs=1e-6)


def test_the_results_of_a_training_are_read_back(trained: Trained) -> None:
    result = trained.results["lenet"]
    table = tracking.results_table(trained.store, result.run_id)
    assert {*table["model"]} == {"lenet"}
    assert {*table["version"]} == {"uci-lenet v1"}
    assert by_metric(table) == {
        "best_val_accuracy": result.val_accuracy,
        "best_val_loss": result.val_loss,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "train_seconds": result.seconds,
        "parameters": MODELS["lenet"].parameters,
        "size_bytes": value(table, "size_bytes"),
    }
    assert by_metric(table).items() <= trained.store.client.get_run(result.run_id).data.metrics.items()


def test_a_training_with_the_settings_of_a_search_is_labeled_as_tuned() -> None:
    assert TrainOptions("mlp", "uci", study_run="abc").label == "mlp (tuned)"
    assert TrainOptions("mlp", "uci", settings={"units_1": 64}).label == "mlp"


def test_another_seed_gives_another_training(store: Store, undisturbed: Undisturbed) -> None:
    other = train(store, TrainOptions("mlp", "uci", settings=SETTINGS | {"seed": 1}))
    assert other.val_loss != undisturbed.result.val_loss


def test_a_training_that_is_interrupted_again_and_again_ends_as_an_undisturbed_one(
    store: Store, undisturbed: Undisturbed
) -> None:
    stops = [(0.2, KeyboardInterrupt(), "KILLED"), (0.5, SystemExit(143), "KILLED"), (0.8, RuntimeError(), "FAILED")]
    for at, error, status in stops:
        with pytest.raises(type(error)):
            train(store, OPTIONS, Interrupter(at, error))
        (interrupted,) = runs(store)
        assert interrupted.info.status == status
        assert not registered_versions(store)
        assert not logged_models(store)
    resumed = train(store, OPTIONS)
    assert [run.info.run_id for run in runs(store)] == [resumed.run_id]
    assert store.client.get_run(resumed.run_id).info.status == "FINISHED"
    assert [v.version for v in registered_versions(store)] == [1]
    assert (resumed.epochs, resumed.val_loss) == (undisturbed.result.epochs, undisturbed.result.val_loss)
    assert curves(store, resumed.run_id) == undisturbed.curves
    again = train(store, OPTIONS)  # which is a training of its own
    assert again.run_id != resumed.run_id
    assert (again.val_loss, again.val_accuracy) == (resumed.val_loss, resumed.val_accuracy)
    assert [v.version for v in registered_versions(store)] == [1, 2]


def test_other_code_begins_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(store, OPTIONS, Interrupter(0.5, KeyboardInterrupt()))
    monkeypatch.setattr("experiments.workflows.train.run.code_version", lambda *_: "changed")
    train(store, OPTIONS)
    assert [run.info.status for run in runs(store)] == ["FINISHED", "KILLED"]


def test_a_failure_while_the_model_is_kept_registers_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("experiments.tracking.registry._save", full)
        with pytest.raises(OSError, match="No space left"):
            train(store, OPTIONS)
    assert runs(store)[0].info.status == "FAILED"
    assert not registered_versions(store)
    assert [model.status for model in logged_models(store)] == ["FAILED"]
    result = train(store, OPTIONS)
    assert result.epochs == SETTINGS["epochs"]
    assert [v.version for v in registered_versions(store)] == [1]


def test_few_digits_of_ones_own_are_enough(store: Store, tmp_path: Path) -> None:
    data = datasets.load("uci").train
    for i in range(120):
        folder = tmp_path / "My digits" / str(data.labels[i])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[i]).save(folder / f"{i}.png")
    options = TrainOptions("mlp_small", str(tmp_path / "My digits"), settings={"epochs": 1, "batch_size": 16})
    trained = train(store, options)
    assert (trained.dataset, trained.registered_model) == ("my-digits", "my-digits-mlp_small")
    measured = evaluate(store, {"mine": "my-digits-mlp_small"})
    assert measured.dataset == "my-digits"


def test_a_diverging_training_fails_with_advice(store: Store) -> None:
    settings = {"optimizer": "sgd", "learning_rate": 1e30, "epochs": 2, "precision": "float32"}
    with pytest.raises(DigitsError, match="lower --learning-rate"):
        train(store, TrainOptions("mlp_small", "uci", settings=settings))
    assert runs(store)[0].info.status == "FAILED"
    assert not registered_versions(store)


def test_the_limit_leaves_the_validation_images_as_they_are(store: Store) -> None:
    result = train(store, TrainOptions("mlp_small", "uci", settings={"epochs": 1, "batch_size": 32}, limit=100))
    note = store.client.get_run(result.run_id).data.tags["mlflow.note.content"]
    assert "100 training images and 144 validation images held out" in note


@pytest.mark.parametrize(
    ("model", "settings", "limit", "message"),
    [
        ("lennet", {}, None, "did you mean lenet"),
        ("lenet", {"epochs": 0}, None, "epochs must be at least 1, received 0"),
        ("lenet", {"learning_rate": -1.0}, None, "learning_rate must be above 0"),
        ("lenet", {"width": 3}, None, "there is no setting 'width'"),
        ("lenet", {}, 0, "limit must be at least 1, received 0"),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(
    model: str, settings: dict[str, Any], limit: int | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        TrainOptions(model, "uci", settings=settings, limit=limit)


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("mlp_small", {"batch_size": 200}, "batch_size 200 is larger than the 100 training images"),
        ("mlp_small", {"units_1": 0}, "there is no hidden layer left"),
        ("cnn", {"kernel": 0}, "cnn cannot be built with .*kernel=0.*: .*kernel_size"),
        ("cnn", {"dense": 0}, "cnn cannot be built with .*dense=0"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_before_a_run_opens(
    store: Store, model: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train(store, TrainOptions(model, "uci", settings={"batch_size": 32, **settings}, limit=100))
    assert not runs(store)
    assert not (store.root / ".digits").exists()


def test_a_model_that_was_being_kept_when_the_process_was_killed_does_not_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    half: list[Any] = []

    def cut_off(run: tracking.Run, *_: object) -> str:
        half.append(store.client.create_logged_model(store.experiment_id, name="uci-mlp_small", source_run_id=run.id))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("experiments.tracking.log_model", cut_off)
        with pytest.raises(KeyboardInterrupt):
            train(store, OPTIONS)
    result = train(store, OPTIONS)
    assert result.run_id == half[0].source_run_id
    assert [model.status for model in logged_models(store)] == ["READY"]


def test_the_state_of_the_optimizer_is_not_kept_with_the_model_whose_size_is_recorded(trained: Trained) -> None:
    reference = tracking.resolve_reference(trained.store, "uci-mlp_small")
    network = tracking.load_network(trained.store, reference)
    stored = trained.store.client.get_logged_model(str(reference.model_id))
    file = next(Path(unquote(urlparse(stored.artifact_location).path)).rglob("*.keras"))
    assert file.stat().st_size < 4 * network.count_params() * 1.5
    run = trained.store.client.get_run(trained.results["mlp_small"].run_id)
    expected = {"parameters": MODELS["mlp_small"].parameters, "size_bytes": file.stat().st_size}
    assert expected.items() <= run.data.metrics.items()
    assert expected.items() <= {metric.key: metric.value for metric in stored.metrics}.items()


def test_tracking_is_called_once_an_epoch(undisturbed: Undisturbed) -> None:
    assert undisturbed.recorded == [1, 2, 3, 0]
