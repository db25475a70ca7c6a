"""The suite: train networks, then evaluate and compare them, under one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.errors import unknown
from experiments.tracking import Store
from experiments.workflows.evaluate import evaluate
from experiments.workflows.listener import Listener
from experiments.workflows.steps import Plan, Result, Step, StepResult, StepsResult, run_steps
from experiments.workflows.train import TrainOptions
from experiments.workflows.train_many import train_step


@dataclass(frozen=True)
class Profile:
    """What a suite does: the data, the networks it trains and compares, and what it changes in their recipes."""

    name: str
    dataset: str
    models: tuple[str, ...]
    settings: Mapping[str, Any]


# The recipes are made for 54,000 images; on 1,294 their batches of 128 leave too few steps.
QUICK = Profile("quick", "uci", ("mlp_small", "lenet", "cnn"), {"batch_size": 32})
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
        steps=_steps(store, chosen, data_dir, listener),
        identity={"profile": chosen.name},
        description=f"Profile **{chosen.name}**: {', '.join(chosen.models)} trained on **{chosen.dataset}**, then "
        "evaluated and compared. The steps are child runs.",
        tags={"digits.dataset": chosen.dataset},
    )
    return run_steps(store, plan, listener)


def _steps(store: Store, profile: Profile, data_dir: Path | None, listener: Listener | None) -> list[Step]:
    settings = profile.settings
    plans = {f"train {model}": TrainOptions(model, profile.dataset, data_dir, settings) for model in profile.models}

    def compare(parent: str, ended: Mapping[str, StepResult]) -> Result:
        trained = [ended[name].result or {} for name in plans]
        models = {result["model"]: f"models:/{result['registered_model']}/{result['version']}" for result in trained}
        return evaluate(store, models, profile.dataset, data_dir, listener, parent)

    training = [train_step(store, name, plan, listener) for name, plan in plans.items()]
    return [*training, Step("evaluate", compare, needs=tuple(plans))]
