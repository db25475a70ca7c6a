"""Find what a search has found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments import datasets, tracking
from experiments.errors import DigitsError
from experiments.tracking import Store
from experiments.workflows.train.run import TrainOptions


@dataclass(frozen=True)
class Found:
    """The best hyperparameters of a study, and the values that all its trials shared, by name."""

    study: str
    run_id: str
    params: Mapping[str, Any]
    shared: Mapping[str, Any]


# What a search does for its own sake: a training has the epochs, the seed and the precision that it is given.
BUDGET = ("epochs", "seed", "precision")


def with_study(store: Store, options: TrainOptions, study: str | None = None) -> tuple[TrainOptions, Found]:
    """Return the options with the best hyperparameters of a study, which the options' own settings override.

    Parameters
    ----------
    study
        Its name; None takes the latest study of the same model and dataset.

    Raises
    ------
    DigitsError
        When there is no such study, or it has no complete trial.
    UsageError
        When it searched another model.
    """
    dataset = datasets.load(options.dataset, options.data_dir).name  # a folder's data is known by its name
    found = find_study(store, options.model, dataset, study)
    shared = {name: value for name, value in found.shared.items() if name not in BUDGET}
    settings = {**shared, **found.params, **options.settings}
    return replace(options, settings=settings, study_run=found.run_id), found


def find_study(store: Store, model: str, dataset: str, study: str | None = None) -> Found:
    """Return what a study of `model` on `dataset` has found, by default the latest one.

    Raises
    ------
    DigitsError
        When there is none, or it has no complete trial yet.
    """
    tags = {"digits.model": model}
    tags |= {"digits.study": study} if study else {"digits.dataset": dataset}
    runs = tracking.past_runs(store, "tune", tags, finished=False)
    asked = f"study {study!r}" if study else "study"
    if not runs:
        raise DigitsError(f"there is no {asked} of {model} on {dataset}; run: digits tune {model} --dataset {dataset}")
    done = [run for run in runs if run.tags.get("digits.best_params")]
    if not done:
        raise DigitsError(f"the {asked} of {model} has no complete trial yet; go on with it: digits tune {model}")
    latest = done[0]
    return Found(
        study=latest.tags["digits.study"],
        run_id=latest.id,
        params=json.loads(latest.tags["digits.best_params"]),
        shared=json.loads(latest.tags.get("digits.settings", "{}")),
    )
