"""The suite: train networks, then evaluate and compare them, under one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import UsageError
from experiments.tracking import Store
from experiments.workflows.evaluate import evaluate
from experiments.workflows.listener import Listener
from experiments.workflows.steps import Result, Step, StepResult, StepsResult, run_steps
from experiments.workflows.train import TrainOptions
from experiments.workflows.train_many import train_step


@dataclass(frozen=True)
class Profile:
    """What a suite does: the data, and the networks it trains and compares."""

    name: str
    dataset: str
    models: tuple[str, ...]


PROFILES = {profile.name: profile for profile in (Profile("quick", "uci", ("mlp_small", "lenet", "cnn")),)}


def run(
    store: Store, profile: str = "quick", data_dir: Path | None = None, listener: Listener | None = None
) -> StepsResult:
    """Do all steps of a profile; after an interruption, those that are left.

    Raises
    ------
    UsageError
        For an unknown profile.
    StepsFailed
        At the end, when a step failed.
    """
    if profile not in PROFILES:
        raise UsageError(f"there is no profile {profile!r}; known: {', '.join(PROFILES)}")
    chosen = PROFILES[profile]
    names = ", ".join(chosen.models)
    return run_steps(
        store,
        "suite",
        f"suite {profile}",
        _steps(store, chosen, data_dir, listener),
        identity={"profile": profile},
        describe=f"Profile **{profile}**: {names} trained on **{chosen.dataset}**, then evaluated and compared. The steps are child runs.",
        tags={"digits.dataset": chosen.dataset},
        listener=listener,
    )


def _steps(store: Store, profile: Profile, data_dir: Path | None, listener: Listener | None) -> list[Step]:
    plans = {f"train {model}": TrainOptions(model, profile.dataset, data_dir) for model in profile.models}

    def compare(parent: str, ended: Mapping[str, StepResult]) -> Result:
        trained = [ended[name].result or {} for name in plans]
        models = {
            result["model"]: f"models:/{result['registered_model']}/{result['version']}" for result in trained
        }
        return evaluate(store, models, profile.dataset, data_dir, listener, parent)

    training = [train_step(store, name, plan, listener) for name, plan in plans.items()]
    return [*training, Step("evaluate", compare, needs=tuple(plans))]
