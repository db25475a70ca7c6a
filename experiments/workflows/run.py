"""The suite: networks tuned, trained, evaluated and compared, looked into, used in a new domain, under one run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from experiments.errors import unknown
from experiments.tracking import Store
from experiments.workflows.analyze import AnalyzeOptions, AnalyzeResult, analyze
from experiments.workflows.evaluate import EvaluateResult, evaluate
from experiments.workflows.listener import Listener
from experiments.workflows.steps import Plan, Step, StepResult, StepsResult, run_steps
from experiments.workflows.train import TrainOptions, TrainResult, train
from experiments.workflows.train_many import train_step
from experiments.workflows.transfer import TransferOptions, TransferResult, transfer_networks
from experiments.workflows.tune import TuneOptions, TuneResult, tune


@dataclass(frozen=True)
class Profile:
    """What a suite does: the data, the networks it trains and compares, and what it changes in their recipes.

    `tuned` is a further network that is trained with what a search of so many `trials` finds. Of the trained ones
    those `analyzed` have their feature space looked into, and those `transferred` are used in the domain `target`.
    """

    name: str
    dataset: str
    models: tuple[str, ...]
    settings: Mapping[str, Any]
    tuned: str
    trials: int
    analyzed: tuple[str, ...]
    transferred: tuple[str, ...]
    target: str


# The recipes are made for 54,000 images; on 1,294 their batches of 128 leave too few steps.
QUICK = Profile(
    "quick",
    "uci",
    ("mlp_small", "lenet", "cnn"),
    {"batch_size": 32},
    tuned="mlp",
    trials=8,
    analyzed=("lenet",),
    transferred=("mlp_small", "cnn"),
    target="uci-c",
)
PROFILES = {profile.name: profile for profile in (QUICK,)}


def profile(name: str) -> Profile:
    """Return the profile called `name`.

    Raises
    ------
    UsageError
        When there is none, suggesting the nearest name.
    """
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    return PROFILES[name]


def run(
    store: Store, chosen: Profile = QUICK, data_dir: Path | None = None, listener: Listener | None = None
) -> StepsResult:
    """Do all steps of a profile; after an interruption, those that are left.

    Raises
    ------
    StepsFailedError
        At the end, when a step failed.
    """
    plan = Plan(
        kind="suite",
        name=f"suite {chosen.name}",
        steps=_steps(store, chosen, data_dir),
        identity={"profile": chosen.name},
        description=f"Profile **{chosen.name}**: {chosen.tuned} tuned, then it and {', '.join(chosen.models)} "
        f"trained on **{chosen.dataset}**, evaluated and compared; the feature space of {', '.join(chosen.analyzed)} "
        f"looked into; {', '.join(chosen.transferred)} used on **{chosen.target}**. The steps are child runs.",
        tags={"digits.dataset": chosen.dataset},
    )
    return run_steps(store, plan, listener)


def _steps(store: Store, chosen: Profile, data_dir: Path | None) -> list[Step]:
    search = TuneOptions(
        chosen.tuned,
        chosen.dataset,
        data_dir,
        chosen.settings,
        trials=chosen.trials,
        study=f"{chosen.name}-{chosen.dataset}-{chosen.tuned}",
    )
    names = (*chosen.models, chosen.tuned)
    plans = {name: TrainOptions(name, chosen.dataset, data_dir, chosen.settings) for name in names}
    tuning, training = f"tune {chosen.tuned}", {name: f"train {name}" for name in plans}
    return [
        Step(tuning, partial(_tune, store, search)),
        *(train_step(store, training[name], plans[name]) for name in chosen.models),
        Step(training[chosen.tuned], partial(_train_tuned, store, plans[chosen.tuned], tuning), needs=(tuning,)),
        Step("evaluate", partial(_compare, store, chosen.dataset, data_dir), needs=tuple(training.values())),
        *(
            Step(f"analyze {name}", partial(_analyze, store, training[name], data_dir), needs=(training[name],))
            for name in chosen.analyzed
        ),
        Step(
            "transfer",
            partial(_transfer, store, TransferOptions((chosen.target,), data_dir=data_dir)),
            needs=tuple(training[name] for name in chosen.transferred),
        ),
    ]


def _tune(
    store: Store, options: TuneOptions, parent: str, _: Mapping[str, StepResult], listener: Listener
) -> TuneResult:
    return tune(store, options, listener, parent)


def _train_tuned(
    store: Store, plan: TrainOptions, tuning: str, parent: str, ended: Mapping[str, StepResult], listener: Listener
) -> TrainResult:
    """Train with the best hyperparameters that the step `tuning` found."""
    found = TuneResult(**(ended[tuning].result or {}))
    tuned = replace(plan, settings={**plan.settings, **found.best_params}, study_run=found.run_id)
    return train(store, tuned, listener, parent)


def _compare(
    store: Store,
    dataset: str,
    data_dir: Path | None,
    parent: str,
    ended: Mapping[str, StepResult],
    listener: Listener,
) -> EvaluateResult:
    models = {step.result["model"]: _reference(step) for step in ended.values() if step.result}
    return evaluate(store, models, dataset, data_dir, listener, parent)


def _analyze(
    store: Store,
    training: str,
    data_dir: Path | None,
    parent: str,
    ended: Mapping[str, StepResult],
    listener: Listener,
) -> AnalyzeResult:
    """Look into the feature space of the network that the step `training` trained."""
    return analyze(store, _reference(ended[training]), AnalyzeOptions(data_dir=data_dir), listener, parent)


def _transfer(
    store: Store, options: TransferOptions, parent: str, ended: Mapping[str, StepResult], listener: Listener
) -> TransferResult:
    """Use the networks that the needed steps trained in another domain."""
    return transfer_networks(store, [_reference(step) for step in ended.values()], options, listener, parent)


def _reference(trained: StepResult) -> str:
    """Return what names the version that a training step has registered."""
    result = trained.result or {}
    return f"models:/{result['registered_model']}/{result['version']}"
