"""The rows of the report's tables: which runs stand behind each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from experiments.reporting.page import tables
from experiments.reporting.page.content import Table
from experiments.reporting.page.tables import Subject
from experiments.results import ACCURACY, select
from experiments.tracking import PastRun
from experiments.tracking.tags import MODEL, STUDY
from experiments.workflows.report.run_index import NetworkRuns, RunIndex

if TYPE_CHECKING:
    import pandas as pd


def networks_table(index: RunIndex, frame: "pd.DataFrame") -> Table:
    """Build the table of all networks trained on a dataset."""
    return tables.networks_table(index.dataset, _networks(index), frame, index.targets)


def ensembles_table(index: RunIndex, frame: "pd.DataFrame") -> Table:
    """Build the table of ensembles."""
    subjects = [
        Subject(f"{len(members.split(', '))} networks", group_versions(members), (run.id,))
        for run in index.ensembles
        if (members := run.params["members"])
    ]
    return tables.ensembles_table(index.dataset, subjects, frame)


def members_table(index: RunIndex, frame: "pd.DataFrame") -> Table:
    """Build the table of the members of ensembles, each on its own."""
    subjects = []
    for member in index.members:
        training = [member.training] if member.training else []
        detail = _with_seed(member.text, training)
        subjects.append(Subject(member.label, detail, tuple(run.id for run in (member.evaluation, *training))))
    return tables.members_table(index.dataset, subjects, frame)


def methods_table(index: RunIndex, target: str, frame: "pd.DataFrame") -> Table:
    """Build the table of accuracies in a target domain by method."""
    return tables.methods_table(index.dataset, target, _networks(index), frame)


def features_table(index: RunIndex, frame: "pd.DataFrame") -> Table:
    """Build the table of feature spaces."""
    return tables.features_table(index.dataset, _networks(index), frame)


def searches_table(index: RunIndex, frame: "pd.DataFrame") -> Table:
    """Build the table of hyperparameter searches."""
    subjects = [Subject(run.tags.get(MODEL, run.name), run.tags.get(STUDY, ""), (run.id,)) for run in index.searches]
    return tables.searches_table(index.dataset, subjects, frame)


def best_first(index: RunIndex, frame: "pd.DataFrame") -> list[NetworkRuns]:
    """Return the networks by decreasing accuracy on their own test split, those that were not evaluated last."""
    rows = select(frame, metric=ACCURACY, target=index.dataset, method="", group="")
    accuracies = dict(zip(rows["run_id"], rows["value"], strict=True))

    def accuracy(network: NetworkRuns) -> float:
        return float(accuracies.get(network.evaluation.id, 0)) if network.evaluation else 0.0

    return sorted(index.networks, key=accuracy, reverse=True)


def group_versions(versions: str) -> str:
    """Group versions by name: ``a v1, a v2, b v1`` becomes ``a v1 v2, b v1``."""
    numbers: dict[str, list[str]] = {}
    for version in versions.split(", "):
        name, _, number = version.partition(" ")
        numbers.setdefault(name, []).append(number)
    return ", ".join(" ".join([name, *of_it]).strip() for name, of_it in numbers.items())


def _networks(index: RunIndex) -> list[Subject]:
    return [
        Subject(network.label, _version(network), tuple(run.id for run in network.runs)) for network in index.networks
    ]


def _version(network: NetworkRuns) -> str:
    return _with_seed(f"v{network.version.version}", [network.training])


def _with_seed(version: str, trainings: Iterable[PastRun]) -> str:
    """Return a version with its training seed if known: ``v1, seed 0``."""
    return ", ".join([version, *(f"seed {run.params['seed']}" for run in trainings if "seed" in run.params)])
