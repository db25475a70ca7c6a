"""Several trainings under one run."""

import statistics
from typing import Any

import pytest

from experiments.errors import UsageError
from experiments.execution.progress import Progress
from experiments.models import trained_by
from experiments.results import select, value
from experiments.tracking import Store, results_table
from experiments.workflows.train import many as train_many
from experiments.workflows.train.many import AllOptions, train_all, train_seeds
from experiments.workflows.train.run import TrainOptions, TrainResult, train

pytestmark = pytest.mark.usefixtures("no_figures")

QUICK = {"epochs": 1, "batch_size": 64, "precision": "float32"}


def test_seeds_give_mean_and_sample_deviation_on_the_parent(store: Store) -> None:
    result = train_seeds(store, TrainOptions("mlp_small", "uci", settings=QUICK), [0, 1, 5])
    assert [one.seed for one in result.seeds] == [0, 1, 5]
    accuracies = [one.val_accuracy for one in result.seeds]
    assert result.val_accuracy == pytest.approx(statistics.fmean(accuracies))
    assert result.val_accuracy_std == pytest.approx(statistics.stdev(accuracies))
    assert len({one.val_loss for one in result.seeds}) == 3
    parent = store.client.get_run(result.run_id)
    for name in ("val_accuracy", "val_accuracy_std", "val_loss", "val_loss_std"):
        assert parent.data.metrics[name] == pytest.approx(getattr(result, name))
    table = results_table(store, result.run_id)
    seeds = select(table, metric="val_accuracy")
    assert (seeds["seed"].tolist(), seeds["value"].tolist()) == ([0, 1, 5], accuracies)
    assert value(table, "val_accuracy_std") == result.val_accuracy_std
    children = store.client.search_runs([store.experiment_id], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    assert {run.info.run_id for run in children} == {one.run_id for one in result.seeds}
    assert result.best.val_accuracy == max(accuracies)


@pytest.mark.parametrize("changed", [False, True])
def test_what_other_code_trained_is_not_taken_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    trained: list[object] = []

    def interrupted(store: Store, plan: TrainOptions, *, progress: Progress, parent: str) -> TrainResult:
        if len(trained) == 1:
            trained.append("interrupted")
            raise KeyboardInterrupt
        trained.append(plan.settings["seed"])
        return train(store, plan, progress, parent)

    monkeypatch.setattr(train_many, "train", interrupted)
    options = TrainOptions("mlp_small", "uci", settings=QUICK)
    with pytest.raises(KeyboardInterrupt):
        train_seeds(store, options, [0, 1])
    if changed:
        monkeypatch.setattr(train_many, "made_by", lambda _: {"code": "other", "backend": "jax"})
    train_seeds(store, options, [0, 1])
    assert trained == [0, "interrupted", *([0, 1] if changed else [1])]


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_each_seed_is_named_once(store: Store, seeds: list[int]) -> None:
    with pytest.raises(UsageError, match="each seed once"):
        train_seeds(store, TrainOptions("mlp_small", "uci", settings=QUICK), seeds)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dense": 5}, "mlp_small: there is no setting 'dense'"),
        ({"units_1": 5}, "lenet: there is no setting 'units_1'"),
        ({"epochs": 0}, "mlp_small: epochs must be at least 1, received 0"),
    ],
)
def test_a_setting_that_some_network_does_not_have_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AllOptions("uci", settings=settings)


@pytest.mark.slow
def test_all_trains_every_network_of_profile_full(store: Store) -> None:
    result = train_all(store, AllOptions("uci", settings=QUICK, limit=64))
    assert [step.name for step in result.steps] == list(trained_by("full"))
    assert {step.status for step in result.steps} == {"done"}
    assert {(step.result or {})["registered_model"] for step in result.steps} == {
        f"uci-{step.name}" for step in result.steps
    }
