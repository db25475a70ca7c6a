"""Training from options to the registered model: what MLflow records, and how interrupted trainings continue."""

import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from conftest import Trained
from fake_fit import FakeFit
from picture_writer import put_digits
from run_files import files

from experiments import datasets, tracking
from experiments.datasets import Split
from experiments.errors import DigitsError, UsageError
from experiments.execution.progress import Progress
from experiments.models import MODELS, Architecture, Recipe
from experiments.models.prediction import predict
from experiments.results import by_metric
from experiments.tracking import Store, load_network, registered_versions, resolve_reference
from experiments.workflows.evaluate import evaluate
from experiments.workflows.train.run import TrainOptions, train

OPTIONS = TrainOptions("mlp_small", "uci", settings={"epochs": 3, "batch_size": 64, "precision": "float32"})
FIT = "experiments.workflows.train.run.fit"

pytestmark = pytest.mark.usefixtures("no_figures")  # those of `trained` are looked at


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeFit:
    """Train nothing."""
    fit = FakeFit()
    monkeypatch.setattr(FIT, fit)
    return fit


def runs(store: Store) -> list[Any]:
    """Return all runs, the newest first."""
    return list(store.client.search_runs([store.experiment_id]))


def logged_models(store: Store) -> list[Any]:
    models = store.client.search_logged_models([store.experiment_id])
    return [model for model in models if model.name != "pictures"]


def recorded_epochs(store: Store, run_id: str, metric: str = "val_loss") -> list[int]:
    return [point.step for point in store.client.get_metric_history(run_id, metric)]


def test_a_training_leaves_a_complete_run(trained: Trained) -> None:
    store, result = trained.store, trained.results["lenet"]
    run, data = store.client.get_run(result.run_id), datasets.load("uci")
    recipe = MODELS["lenet"].recipe.override({"epochs": 3, "batch_size": 32, "precision": "float32"})
    about = {"model": "lenet", "dataset": "uci", "data": "uci", "limit": "none", "transform": data.transform}
    assert run.info.status == "FINISHED"
    assert run.data.params == {name: str(value) for name, value in recipe.params().items()} | about
    tags = {"kind": "train", "model": "lenet", "dataset": "uci", "precision": "float32", "data_digest": data.digest}
    assert {f"digits.{name}": value for name, value in tags.items()}.items() <= run.data.tags.items()
    for metric in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"):
        assert recorded_epochs(store, result.run_id, metric) == [1, 2, 3]
    names = ("figures/training_curves.png", "figures/sample_predictions.png", "model_summary.txt")
    assert files(store, result.run_id) >= {*names}
    assert [used.dataset.name for used in run.inputs.dataset_inputs] == ["uci"]


def test_the_registered_network_scores_what_was_recorded(trained: Trained) -> None:
    result = trained.results["mlp_small"]
    reference = resolve_reference(trained.store, f"models:/{result.registered_model}/{result.version}")
    _, validation = datasets.split_validation(datasets.load("uci").train, MODELS["mlp_small"].recipe.validation)
    predicted = predict(load_network(trained.store, reference), validation).argmax(axis=1)
    assert np.mean(predicted == validation.labels) == pytest.approx(result.val_accuracy, abs=1e-6)


def test_results_are_read_back_and_the_size_is_that_of_the_weights_alone(trained: Trained) -> None:
    result, parameters = trained.results["lenet"], MODELS["lenet"].parameters
    table = tracking.results_table(trained.store, result.run_id)
    reference = resolve_reference(trained.store, "uci-lenet")
    size = tracking.model_file(trained.store, reference).stat().st_size
    on_model = trained.store.client.get_logged_model(str(reference.model_id)).metrics
    assert size < 4 * parameters * 1.5  # Adam's state would triple it
    assert ({*table["model"]}, {*table["version"]}) == ({"lenet"}, {"uci-lenet v1"})
    numbers = by_metric(table)
    assert numbers == {
        "best_val_accuracy": result.val_accuracy,
        "best_val_loss": result.val_loss,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "train_seconds": result.seconds,
        "parameters": parameters,
        "size_bytes": size,
    }
    assert numbers.items() <= trained.store.client.get_run(result.run_id).data.metrics.items()
    assert numbers.items() <= {metric.key: metric.value for metric in on_model}.items()


def test_a_training_with_the_settings_of_a_search_is_labeled_as_tuned() -> None:
    assert TrainOptions("mlp", "uci", study_run="abc").label == "mlp (tuned)"
    assert TrainOptions("mlp", "uci", settings={"units_1": 64}).label == "mlp"


def test_an_interrupted_training_continues_in_its_run_and_records_each_epoch_once(
    store: Store, fake: FakeFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[int] = []
    log_metrics = tracking.Run.log_metrics

    def count(run: tracking.Run, metrics: dict[str, float], step: int = 0, model_id: str | None = None) -> None:
        recorded.append(step)
        log_metrics(run, metrics, step, model_id)

    monkeypatch.setattr(tracking.Run, "log_metrics", count)
    for error, status in ((KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED"), (RuntimeError(), "FAILED")):
        fake.raised[len(fake.recipes)] = error
        with pytest.raises(type(error)):
            train(store, OPTIONS)
        (interrupted,) = runs(store)
        assert interrupted.info.status == status
        assert not registered_versions(store)
        assert not logged_models(store)
        (checkpoint,) = (store.root / ".digits/unfinished").glob("*/checkpoint")
    result = train(store, OPTIONS)
    assert [(run.info.run_id, run.info.status) for run in runs(store)] == [(result.run_id, "FINISHED")]
    assert [version.version for version in registered_versions(store)] == [1]
    assert recorded_epochs(store, result.run_id) == [1, 2, 3]
    assert recorded == [1, 2, 3, 0]  # tracking is called once per epoch, and once at the end
    assert not checkpoint.exists()


@pytest.mark.parametrize(("name", "value"), [("code_version", "changed"), ("backend", "jax")])
def test_other_code_or_another_backend_starts_over(
    store: Store, fake: FakeFit, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    fake.raised = {0: KeyboardInterrupt(), 1: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        train(store, OPTIONS)
    monkeypatch.setattr(f"experiments.workflows.train.run.{name}", lambda *_: value)
    with pytest.raises(KeyboardInterrupt):
        train(store, OPTIONS)
    assert len(runs(store)) == 2


@pytest.mark.usefixtures("fake")
def test_a_training_is_not_run_twice_at_once(store: Store) -> None:
    class Again(Progress):
        """Runs the same training in its first epoch."""

        def log(self, text: str) -> None:
            del text
            train(store, OPTIONS)

    with pytest.raises(DigitsError, match="train mlp_small"):
        train(store, OPTIONS, Again())
    assert len(runs(store)) == 1


@pytest.mark.usefixtures("fake")
def test_a_model_that_was_saved_in_part_is_not_registered_and_replaced(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("experiments.tracking.registry._save", full)
        with pytest.raises(OSError, match="No space left"):
            train(store, OPTIONS)
    (failed,) = runs(store)
    assert failed.info.status == "FAILED"
    assert [model.status for model in logged_models(store)] == ["FAILED"]
    assert not registered_versions(store)
    # A process that is killed leaves a model that is neither failed nor ready.
    store.client.create_logged_model(store.experiment_id, "uci-mlp_small", source_run_id=failed.info.run_id)
    assert train(store, OPTIONS).run_id == failed.info.run_id
    assert [model.status for model in logged_models(store)] == ["READY"]
    assert [version.version for version in registered_versions(store)] == [1]


@pytest.mark.usefixtures("fake")
def test_few_digits_of_ones_own_are_enough(store: Store, tmp_path: Path) -> None:
    data = datasets.load("uci").train
    folder = put_digits(tmp_path / "My digits", data.images[:120], data.labels)
    options = TrainOptions("mlp_small", str(folder), settings={"epochs": 1, "batch_size": 16})
    trained = train(store, options)
    assert (trained.dataset, trained.registered_model) == ("my-digits", "my-digits-mlp_small")
    assert evaluate(store, {"mine": "my-digits-mlp_small"}).dataset == "my-digits"


def test_the_limit_applies_to_the_training_images_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Split] = []

    def fit(_: Architecture, __: Recipe, *splits: Split, **___: object) -> NoReturn:
        given.extend(splits)
        raise KeyboardInterrupt

    monkeypatch.setattr(FIT, fit)
    with pytest.raises(KeyboardInterrupt):
        train(store, TrainOptions("mlp_small", "uci", settings={"batch_size": 32, "seed": 3}, limit=100))
    rest, validation = datasets.split_validation(datasets.load("uci").train, MODELS["mlp_small"].recipe.validation)
    np.testing.assert_array_equal(given[0].images, datasets.sample(rest, 100, seed=3).images)
    np.testing.assert_array_equal(given[1].images, validation.images)
    note = runs(store)[0].data.tags["mlflow.note.content"]
    assert {"100", str(len(validation))} <= {*re.findall(r"\d+", note)}


@pytest.mark.parametrize(
    ("model", "settings", "named"),
    [
        ("mlp_small", {"batch_size": 200}, "batch_size 200 .* 100"),
        ("mlp_small", {"units_1": 0}, "hidden layer"),
        ("cnn", {"kernel": 0}, "cnn .*kernel=0.*: .*kernel_size"),
        ("cnn", {"dense": 0}, "cnn .*dense=0"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_before_a_run_opens(
    store: Store, model: str, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        train(store, TrainOptions(model, "uci", settings={"batch_size": 32, **settings}, limit=100))
    assert not runs(store)
    assert not (store.root / ".digits").exists()
