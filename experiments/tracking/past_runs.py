"""Recorded runs, read back: params, metrics, curves, files and results."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from experiments import results
from experiments.errors import DigitsError
from experiments.tracking.runs import Kind
from experiments.tracking.store import Store
from experiments.tracking.tags import KIND, MACHINE, RESULTS_VERSION, STUDY_RUN

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run as MlflowRun


@dataclass(frozen=True)
class PastRun:
    """A recorded run.

    Attributes
    ----------
    id, name, kind
        Its id, its name in MLflow, and its tag ``digits.kind``.
    parent
        Id of its parent run.
    params, metrics, tags
        As in the store; of a metric with a history the last value.
    began, ended
        Start and end time in UTC; no end while it is running.
    """

    id: str
    name: str
    kind: str
    parent: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    began: datetime
    ended: datetime | None = None

    @property
    def command(self) -> str:
        """The command line that made it; empty if unknown."""
        from mlflow.utils.mlflow_tags import MLFLOW_SOURCE_NAME

        return self.tags.get(MLFLOW_SOURCE_NAME, "")

    @property
    def commit(self) -> str:
        """The commit of the code that made it; empty if unknown."""
        from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT

        return self.tags.get(MLFLOW_GIT_COMMIT, "")

    @property
    def machine(self) -> str:
        """The machine that it ran on; empty if unknown."""
        return self.tags.get(MACHINE, "")

    @property
    def tuned(self) -> bool:
        """Whether it is a training whose settings a search has found."""
        return STUDY_RUN in self.tags


def past_runs(
    store: Store, kind: Kind, tags: Mapping[str, str] | None = None, *, finished: bool = True
) -> list[PastRun]:
    """Return the runs of a kind that have all these tags, the latest first.

    Parameters
    ----------
    finished
        Whether to leave out those that are running, failed or were interrupted.
    """
    query, order = f"tags.`{KIND}` = '{kind}'", ["attributes.start_time DESC"]
    query += " and attributes.status = 'FINISHED'" if finished else ""
    found = store.client.search_runs([store.experiment_id], query, order_by=order)
    runs = list(found)
    while found.token:
        found = store.client.search_runs([store.experiment_id], query, order_by=order, page_token=found.token)
        runs.extend(found)
    # MLflow's query language cannot express a tag that contains both kinds of quotes.
    return [_past(run) for run in runs if (tags or {}).items() <= run.data.tags.items()]


def past_run(store: Store, run_id: str) -> PastRun | None:
    """Return a run of any status, or None if the store has none of this id."""
    from mlflow.exceptions import MlflowException

    try:
        return _past(store.client.get_run(run_id))
    except MlflowException:
        return None


def metric_history(store: Store, run_id: str, metric: str) -> dict[int, float]:
    """Return the values of a metric by step, in order; the last one if a step has several."""
    points = store.client.get_metric_history(run_id, metric)
    return {point.step: point.value for point in sorted(points, key=lambda point: (point.step, point.timestamp))}


def artifact_names(store: Store, run_id: str, folder: str | None = None) -> frozenset[str]:
    """Return the paths of a run's artifacts, files and folders, in one folder."""
    return frozenset(file.path for file in store.client.list_artifacts(run_id, folder))


def read_artifact(store: Store, run_id: str, file: str) -> bytes:
    """Read a file of a run.

    Raises
    ------
    DigitsError
        As `fetch_artifact`.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder, "content")
        fetch_artifact(store, run_id, file, place)
        return place.read_bytes()


def fetch_artifact(store: Store, run_id: str, file: str, place: Path) -> None:
    """Copy an artifact of a run to the path `place`, whose folder exists.

    Raises
    ------
    DigitsError
        If the run does not have it.
    """
    from mlflow.exceptions import MlflowException

    with TemporaryDirectory(dir=place.parent) as folder, _no_bars():
        try:
            Path(store.client.download_artifacts(run_id, file, folder)).replace(place)
        except (MlflowException, OSError) as error:
            raise DigitsError(f"{file} of run {run_id} is gone from the store") from error


def artifact_text(store: Store, run_id: str, file: str) -> str:
    """Read a text file of a run.

    Raises
    ------
    DigitsError
        As `fetch_artifact`.
    """
    return read_artifact(store, run_id, file).decode("utf-8")


def artifact_json(store: Store, run_id: str, file: str) -> Any:
    """Read a JSON file of a run; raises as `fetch_artifact`."""
    return json.loads(artifact_text(store, run_id, file))


def results_table(store: Store, run_id: str) -> "pd.DataFrame":
    """Read the table of results that a run recorded; see `experiments.results`.

    Raises
    ------
    DigitsError
        If there is no such run, or an older version of this project recorded it without a table.
    """
    run = past_run(store, run_id)
    if run is None:
        raise DigitsError(f"there is no run {run_id} in {store.uri}")
    return _results_of(store, run)


def results_frame(store: Store, runs: Iterable[PastRun]) -> "tuple[pd.DataFrame, tuple[PastRun, ...]]":
    """Return the results of several runs as one table, and the runs whose own table is missing or damaged.

    The table has the columns of `experiments.results` and the id of its run in each row, ``run_id``.
    """
    import pandas as pd

    tables, lost = [results.to_table([]).assign(run_id="")], []
    for run in runs:
        try:
            tables.append(_results_of(store, run).assign(run_id=run.id))
        except DigitsError:
            lost.append(run)
    return pd.concat(tables, ignore_index=True), tuple(lost)


def _results_of(store: Store, run: PastRun) -> "pd.DataFrame":
    if RESULTS_VERSION not in run.tags:
        raise DigitsError(
            f"run {run.id} ({run.kind} {run.name}) is too old: it has no {results.FILE}; "
            f"make it again with: {run.command or f'digits {run.kind}'}"
        )
    return results.from_csv(artifact_text(store, run.id, results.FILE))


@contextmanager
def _no_bars() -> Iterator[None]:
    """Suppress MLflow's progress bar for each file."""
    from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR as BARS

    before = BARS.get_raw()
    BARS.set(False)
    try:
        yield
    finally:
        if before is None:
            BARS.unset()
        else:
            BARS.set(before)


def _past(run: "MlflowRun") -> PastRun:
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    tags = run.data.tags
    return PastRun(
        id=run.info.run_id,
        name=run.info.run_name or "",
        kind=tags.get(KIND, ""),
        parent=tags.get(MLFLOW_PARENT_RUN_ID),
        params=run.data.params,
        metrics=run.data.metrics,
        tags=tags,
        began=_time(run.info.start_time),
        ended=_time(run.info.end_time) if run.info.end_time else None,
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
