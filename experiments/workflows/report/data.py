"""What a report reads from the store: the runs that it is about, and their results as one table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from experiments.reporting.page.content import LearningCurve, Table
from experiments.results import VAL_ACCURACY
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import metric_history, results_frame
from experiments.workflows.report.run_index import RunIndex, index_runs
from experiments.workflows.report.tables import networks_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ReportData:
    """The runs of a report and their results.

    Attributes
    ----------
    indices, runs
        The runs, by the dataset that networks were trained on, and by id.
    frame
        All results of these runs, with ``run_id``; see `experiments.results`.
    networks
        The table of the networks trained on each dataset.
    curves
        The validation accuracy of each network by epoch.
    read
        Time of the reading: no run that ended later is considered.
    outdated, lost
        Runs of older versions, which were left out, and runs whose results are missing or damaged.
    """

    indices: tuple[RunIndex, ...]
    runs: Mapping[str, PastRun]
    frame: "pd.DataFrame"
    networks: Mapping[str, Table]
    curves: tuple[LearningCurve, ...]
    read: datetime
    outdated: tuple[PastRun, ...]
    lost: tuple[PastRun, ...]


def read_data(store: Store, until: datetime | None = None) -> ReportData:
    """Read the latest runs of each kind and network, and their results.

    Parameters
    ----------
    until
        Leave out runs that ended later.
    """
    began = datetime.now(UTC)
    indices, outdated = index_runs(store, until)
    runs = {run.id: run for index in indices for run in index.runs}
    frame, lost = results_frame(store, runs.values())
    ends = [run.ended for run in runs.values() if run.ended]  # by the clocks of their machines
    networks = {index.dataset: networks_table(index, frame) for index in indices}
    curves = tuple(_curves(store, indices))
    return ReportData(indices, runs, frame, networks, curves, max([began, *ends]), outdated, lost)


def _curves(store: Store, indices: Iterable[RunIndex]) -> Iterator[LearningCurve]:
    for index in indices:
        for network in index.networks:
            values = metric_history(store, network.training.id, VAL_ACCURACY)
            if values:
                yield LearningCurve(network.version.registered_model, network.training.id, VAL_ACCURACY, values)
