"""What the measurements of a search share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from experiments import datasets
from experiments.datasets import Split
from experiments.models import MODELS
from experiments.processes import this_process
from experiments.tracking import open_store
from experiments.tracking.runs import create_run
from experiments.tuning import Engine, Search
from experiments.tuning.optuna_engine import open_study
from experiments.workflows.tune.trials import Task

MLP = MODELS["mlp"]


@dataclass(frozen=True)
class SearchPlan:
    """The data and how often to measure.

    Attributes
    ----------
    dataset
        Name of the data set.
    train, validation
        All trials learn from, and are judged by, the same images.
    limit
        How many `train` are.
    epochs
        Of a full trial; None for the recipe's.
    trials
        Random trials of full length in the plain loop.
    repeats
        Seeds for which both sides search.
    many
        Trials over which cost and memory are watched.
    say
        Hears of each step.
    """

    dataset: str
    train: Split
    validation: Split
    limit: int
    epochs: int | None
    trials: int
    repeats: int
    many: int
    say: Callable[[str], None]

    def settings(self, seed: int, **more: Any) -> dict[str, Any]:
        """Return what all trials of a search with this seed share."""
        epochs = {} if self.epochs is None else {"epochs": self.epochs}
        return {"seed": seed, **epochs, **more}


def load_images(dataset: str, limit: int) -> tuple[Split, Split]:
    """Return a sample of the training images, and the validation images."""
    data = datasets.load(dataset)
    train, validation = datasets.split_validation(data.train, MLP.recipe.validation)
    return datasets.sample(train, min(limit, len(train))), validation


def new_task(plan: SearchPlan, name: str, settings: dict[str, Any], total: int, sampler: str, pruner: Any) -> Task:
    """Return what a worker needs for a new search of `mlp`, kept in a journal and in MLflow like any other."""
    store = open_store()
    search = Search(
        name=name,
        engine="optuna",
        model=MLP.name,
        dataset=plan.dataset,
        digest="benchmark",
        recipe=MLP.recipe.override(settings),
        space=MLP.space,
        sampler=sampler,
        pruner=pruner,
        limit=plan.limit,
    )
    journal = str(Path(mkdtemp(dir=store.root), "study.journal"))
    engine: Engine = open_study(search, journal, total, lambda: create_run(store, name))
    return Task(store, search, engine, plan.dataset, None, this_process(), first=0)
