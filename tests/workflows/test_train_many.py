"""Several trainings under one run."""

import statistics
from typing import Any

import pytest
from fake_fit import FakeFit

from experiments.datasets import Split
from experiments.errors import UsageError
from experiments.models import Architecture, Recipe, trained_by
from experiments.results import select, value
from experiments.tracking import Store, open_run, results_table
from experiments.training import Fit
from experiments.workflows.train import many as train_many
from experiments.workflows.train.many import AllOptions, train_all, train_seeds
from experiments.workflows.train.run import TrainOptions, TrainResult

OPTIONS = TrainOptions("mlp_small", "uci", settings={"epochs": 1, "batch_size": 64, "precision": "float32"})


class FakeTrain:
    """Stands in for `train`: it opens a run, and raises in the calls that it is told to."""

    def __init__(self, interrupted: int | None = None) -> None:
        self.interrupted = interrupted
        self.done: list[TrainOptions] = []

    def __call__(self, store: Store, options: TrainOptions, *, progress: object, parent: str) -> TrainResult:
        del progress
        self.done.append(options)
        if len(self.done) - 1 == self.interrupted:
            raise KeyboardInterrupt
        with open_run(store, "train", options.model, parent=parent) as run:
            named = (run.id, options.model, options.dataset, f"{options.dataset}-{options.model}", 0)
            return TrainResult(*named, 1, 0.9, 1.0, 0.1, 1, False, "float32", options.recipe.seed)


@pytest.mark.usefixtures("no_figures")
def test_seeds_give_mean_and_sample_deviation_on_the_parent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(architecture: Architecture, recipe: Recipe, train: Split, validation: Split, **more: Any) -> Fit:
        return FakeFit()(architecture, recipe.override({"dropout": 0.1 * recipe.seed}), train, validation, **more)

    monkeypatch.setattr("experiments.workflows.train.run.fit", fit)
    result = train_seeds(store, OPTIONS, [5, 1])
    accuracies = [one.val_accuracy for one in result.seeds]
    assert [one.seed for one in result.seeds] == [5, 1]
    assert result.best.val_accuracy == max(accuracies) > min(accuracies)
    spread = {"val_accuracy": statistics.fmean(accuracies), "val_accuracy_std": statistics.stdev(accuracies)}
    parent = store.client.get_run(result.run_id)
    for name in (*spread, "val_loss", "val_loss_std"):
        assert parent.data.metrics[name] == pytest.approx(spread.get(name, getattr(result, name)))
        assert getattr(result, name) == parent.data.metrics[name]
    table = results_table(store, result.run_id)
    seeds = select(table, metric="val_accuracy")
    assert (seeds["seed"].tolist(), seeds["value"].tolist()) == ([5, 1], accuracies)
    assert value(table, "val_accuracy_std") == result.val_accuracy_std
    children = store.client.search_runs([store.experiment_id], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    assert {run.info.run_id for run in children} == {one.run_id for one in result.seeds}


@pytest.mark.parametrize("changed", [False, True])
def test_interrupted_seeds_continue_unless_the_code_has_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    train = FakeTrain(interrupted=1)
    monkeypatch.setattr(train_many, "train", train)
    with pytest.raises(KeyboardInterrupt):
        train_seeds(store, OPTIONS, [0, 1])
    if changed:
        monkeypatch.setattr(train_many, "made_by", lambda _: {"code": "other", "backend": "jax"})
    train_seeds(store, OPTIONS, [0, 1])
    assert [options.recipe.seed for options in train.done] == [0, 1, *([0, 1] if changed else [1])]


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_each_seed_is_named_once(store: Store, seeds: list[int]) -> None:
    with pytest.raises(UsageError, match=r"\[.*\]"):
        train_seeds(store, OPTIONS, seeds)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"dense": 5}, "^mlp_small: .*'dense'"),
        ({"units_1": 5}, "^lenet: .*'units_1'"),
        ({"epochs": 0}, "^mlp_small: epochs .* 0"),
    ],
)
def test_a_setting_that_some_network_does_not_have_is_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        AllOptions("uci", settings=settings)


def test_all_trains_every_network_of_profile_full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    train = FakeTrain()
    monkeypatch.setattr(train_many, "train", train)
    result = train_all(store, AllOptions("uci", settings={"epochs": 1}, limit=64))
    assert {step.status for step in result.steps} == {"done"}
    assert [step.name for step in result.steps] == [options.model for options in train.done] == [*trained_by("full")]
    assert {(options.dataset, options.limit, options.recipe.epochs) for options in train.done} == {("uci", 64, 1)}
