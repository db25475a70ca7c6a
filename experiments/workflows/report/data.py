"""What a report reads from the store: the runs that it is about, and their results as one table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from experiments.reporting.page.content import LearningCurve
from experiments.results import VAL_ACCURACY
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import metric_history, results_frame
from experiments.workflows.report.run_index import RunIndex, index_runs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ReportData:
    """The runs of a report and their results.

    Attributes
    ----------
    indices
        The runs, by the dataset that networks were trained on.
    frame
        All results of these runs, with ``run_id``; see `experiments.results`.
    curves
        The validation accuracy of each network by epoch.
    outdated
        Runs of older versions that were left out.
    """

    indices: tuple[RunIndex, ...]
    frame: "pd.DataFrame"
    curves: tuple[LearningCurve, ...]
    outdated: tuple[PastRun, ...]


def read_data(store: Store, until: datetime | None = None) -> ReportData:
    """Read the latest runs of each kind and network, and their results.

    Parameters
    ----------
    until
        Leave out runs that ended later.
    """
    indices, outdated = index_runs(store, until)
    runs = {run.id: run for index in indices for run in index.runs}
    curves = tuple(_curves(store, indices))
    return ReportData(indices, results_frame(store, runs.values()), curves, outdated)


def _curves(store: Store, indices: Iterable[RunIndex]) -> Iterator[LearningCurve]:
    for index in indices:
        for network in index.networks:
            values = metric_history(store, network.training.id, VAL_ACCURACY)
            if values:
                yield LearningCurve(network.version.registered_model, network.training.id, VAL_ACCURACY, values)
