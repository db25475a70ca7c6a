"""The best accuracy: networks of different kinds, each from several seeds, then all of them as one ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from experiments import datasets
from experiments.errors import UsageError
from experiments.tracking import Store
from experiments.workflows.evaluate import EvaluateResult, evaluate
from experiments.workflows.listener import Listener
from experiments.workflows.steps import Plan, Step, StepResult, StepsResult, run_steps
from experiments.workflows.train import TrainOptions
from experiments.workflows.train_many import train_step
from experiments.workflows.workers import Place


@dataclass(frozen=True)
class Members:
    """One network of an ensemble, trained once a seed; `settings` replace values of its recipe."""

    model: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


# What makes an ensemble better than its members is that they err differently: by their kind as well as by their seed.
RECORD = (
    Members("resnet", (0, 1, 2)),
    Members("simple3", (0, 1)),
    Members("simple5", (0, 1)),
    Members("simple7", (0, 1)),
)


@dataclass(frozen=True)
class RecordOptions:
    """What to train and measure; `dataset` and `data_dir` as for `TrainOptions`.

    All members are in the ensemble, whatever their accuracy: those who choose among them by the test images measure
    their choice.

    Raises
    ------
    UsageError
        For fewer than two trainings, the same one twice, or as `TrainOptions`.
    """

    members: Sequence[Members] = RECORD
    dataset: str = "mnist"
    data_dir: Path | None = None

    def __post_init__(self) -> None:
        trainings = [(one.model, seed) for one in self.members for seed in one.seeds]
        if len(trainings) < 2 or len(set(trainings)) < len(trainings):
            raise UsageError(f"an ensemble needs two trainings or more, each once, received {trainings}")
        _ = self.plans

    @property
    def plans(self) -> dict[str, TrainOptions]:
        """What to train, by the name of the step."""
        return {
            f"train {one.model} seed {seed}": TrainOptions(
                one.model, self.dataset, self.data_dir, {**one.settings, "seed": seed}
            )
            for one in self.members
            for seed in one.seeds
        }


def record(
    store: Store, options: RecordOptions | None = None, listener: Listener | None = None, place: Place | None = None
) -> StepsResult:
    """Train the members and measure them, alone and together, under one parent run.

    An interrupted call is continued by the same one: trainings that are done are not repeated, and the one that was
    cut off goes on after its last whole epoch. The test images are looked at once, after all trainings.

    Parameters
    ----------
    place
        Where workers do the trainings; None does them in this process, one after the other.

    Raises
    ------
    StepsFailedError
        At the end, when a step failed.
    """
    options = options or RecordOptions()
    data = datasets.load(options.dataset, options.data_dir, (listener or Listener()).download)
    names = ", ".join(f"{one.model} (seeds {', '.join(map(str, one.seeds))})" for one in options.members)
    plan = Plan(
        kind="suite",
        name="record",
        steps=record_steps(store, options),
        identity={name: plan.recipe.params() for name, plan in options.plans.items()} | {"digest": data.digest},
        description=f"For the best accuracy on **{data.name}**: {names}, measured alone and as one ensemble. The steps "
        "are child runs.",
        tags={"digits.dataset": data.name, "digits.data_digest": data.digest},
    )
    return run_steps(store, plan, listener, place=place)


def record_steps(store: Store, options: RecordOptions) -> list[Step]:
    """Return the steps that train the members, and the step ``evaluate`` that measures them alone and together."""
    plans = options.plans
    trainings = [train_step(store, name, plan) for name, plan in plans.items()]
    return [*trainings, Step("evaluate", partial(_evaluate, store, options), needs=tuple(plans))]


def _evaluate(
    store: Store, options: RecordOptions, parent: str, ended: Mapping[str, StepResult], listener: Listener
) -> EvaluateResult:
    trained = [step.result or {} for step in ended.values()]
    references = [f"models:/{result['registered_model']}/{result['version']}" for result in trained]
    named = {reference: reference for reference in references}
    return evaluate(store, named, options.dataset, options.data_dir, listener, parent, ensemble=True)
