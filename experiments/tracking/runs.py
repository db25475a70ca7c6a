"""MLflow runs with explicit ids: several may be open at once, in any thread or process."""

import json
import os
import platform
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Protocol

from experiments import results
from experiments.processes import is_dead
from experiments.tracking.provenance import provenance
from experiments.tracking.store import NOTE, Store
from experiments.tracking.tags import KIND, PROCESS, RESULTS_VERSION

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Kind = Literal["suite", "tune", "trial", "train", "evaluate", "analyze", "transfer", "data"]
REJECTED = "BAD_REQUEST"  # MLflow's error code if its database rejects a write
FIGURES, FIGURE_DATA = "figures", "data"  # folders of a run
FIGURE_DPI = 120
NOTE_LENGTH = 8000  # MLflow truncates longer tags with a warning
DESCRIPTION = "description.md"
CONTINUED = f"\n\n... The complete text is in `{DESCRIPTION}`, among the run's artifacts."


class Drawable(Protocol):
    """A figure that can be drawn, and whose data can be recorded."""

    def draw(self) -> "Figure":
        """Draw the figure."""

    def to_npz(self) -> bytes:
        """Write its data as an archive of NumPy arrays."""


@dataclass(frozen=True)
class Run:
    """One open run."""

    store: Store
    id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record parameters. Those that the run has already, from an interrupted call or `mlflow run`, stay."""
        from mlflow.entities import Param

        known = self.store.client.get_run(self.id).data.params
        new = [Param(name, str(value)) for name, value in params.items() if name not in known]
        self.store.client.log_batch(self.id, params=new)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Record metrics in one call to the store; with `model_id` MLflow shows them with that logged model too."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = [Metric(name, float(value), now, step, model_id=model_id) for name, value in metrics.items()]
        self.store.client.log_batch(self.id, metrics=rows)

    def logged_steps(self, metric: str) -> set[int]:
        """Return the steps at which a metric was recorded."""
        return {point.step for point in self.store.client.get_metric_history(self.id, metric)}

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, and replace those of the same name."""
        from mlflow.entities import RunTag

        self.store.client.log_batch(self.id, tags=[RunTag(name, str(value)) for name, value in tags.items()])

    def describe(self, markdown: str) -> None:
        """Set the note that MLflow shows at the top of the run; if it is too long, the complete text becomes a file."""
        if len(markdown) > NOTE_LENGTH:
            self.log_text(markdown, DESCRIPTION)
            shown = markdown[: NOTE_LENGTH - len(CONTINUED)]
            markdown = shown[: shown.rfind("\n") + 1].rstrip() + CONTINUED
        self.set_tags({NOTE: markdown})

    def log_figure(self, drawing: Drawable, name: str) -> None:
        """Record a figure as ``figures/NAME.png``, and the data to draw it again as ``data/NAME.npz``."""
        image = f"{FIGURES}/{name}.png"
        self.store.client.log_figure(self.id, drawing.draw(), image, save_kwargs={"dpi": FIGURE_DPI})
        self.log_data(drawing.to_npz(), name)

    def log_data(self, content: bytes, name: str) -> None:
        """Record an archive of NumPy arrays as ``data/NAME.npz``."""
        file = f"{FIGURE_DATA}/{name}.npz"
        with TemporaryDirectory() as folder:
            place = Path(folder, PurePosixPath(file).name)
            place.write_bytes(content)
            self.store.client.log_artifact(self.id, str(place), str(PurePosixPath(file).parent))

    def log_text(self, text: str, file: str) -> None:
        """Record a text file."""
        self.store.client.log_text(self.id, text, file)

    def log_json(self, data: Any, file: str) -> None:
        """Record data as a JSON file."""
        self.store.client.log_dict(self.id, data, file)

    def log_results(
        self, table: "pd.DataFrame", model_id: str | None = None, metrics: "pd.DataFrame | None" = None
    ) -> None:
        """Record a table of results as ``results.csv``, and its numbers as metrics; see `experiments.results`.

        With `model_id` the metrics are shown with that logged model too. `metrics` limits them to a part of the table.
        """
        self.log_text(results.to_csv(table), results.FILE)
        self.log_metrics(results.scalars(table if metrics is None else metrics), model_id=model_id)
        self.set_tags({RESULTS_VERSION: "1"})

    def log_dataset(self, name: str, source: str, digest: str, context: str, size: int) -> None:
        """Link the dataset that the run used.

        `digest` (at most 36 characters) must cover all of the data: MLflow's own digest of an array covers its first
        10,000 values only.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException

        profile = json.dumps({"num_rows": size})
        data = Dataset(
            name=name,
            digest=digest[:36],
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=profile,
        )
        inputs = [DatasetInput(data, [InputTag("mlflow.data.context", context)])]
        try:
            self.store.client.log_inputs(self.id, datasets=inputs)
        except MlflowException as error:
            if error.error_code != REJECTED:
                raise
            # Another run has just inserted the same dataset: now MLflow finds it.
            self.store.client.log_inputs(self.id, datasets=inputs)

    def log_used_model(self, model_id: str) -> None:
        """Link the logged model that the run used."""
        from mlflow.entities import LoggedModelInput

        self.store.client.log_inputs(self.id, models=[LoggedModelInput(model_id)])


@contextmanager
def open_run(
    store: Store,
    kind: Kind,
    name: str,
    *,
    parent: str | None = None,
    tags: Mapping[str, Any] | None = None,
    resume: str | None = None,
    killed_by: tuple[type[BaseException], ...] = (),
) -> Iterator[Run]:
    """Start a run, or continue one, and end it with the status that fits.

    The run ends FINISHED; KILLED if the block was interrupted (Ctrl-C, SIGTERM); or FAILED, with the traceback in
    ``traceback.txt``. The exception is raised again.

    Parameters
    ----------
    kind, name
        Tag ``digits.kind`` of the run, and its name in MLflow.
    parent
        Id of its parent run.
    tags
        More tags; ``digits.kind``, source, user and commit are set here.
    resume
        Id of an earlier run to continue; if it no longer exists, a new one is started.
    killed_by
        Further exceptions that end the run as KILLED.

    Notes
    -----
    Inside ``mlflow run`` the first run opened is the one that MLflow has started, unless it resumes another: then
    MLflow's own run names that one.
    """
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    end_orphans(store)
    context = {"mlflow.runName": name, KIND: kind, **provenance()}
    context |= {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
    run = Run(store, _start(store, name, resume))
    try:
        run.set_tags(context | dict(tags or {}))
        yield run
    except BaseException as error:
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, *killed_by))
        if not interrupted:
            _record_traceback(run)
        release_frames(error)
        _terminate(run, "KILLED" if interrupted else "FAILED", error)
        raise
    store.client.set_terminated(run.id, "FINISHED")


def create_run(store: Store, name: str) -> str:
    """Start a run for `open_run` to continue, and return its id."""
    return _start(store, name, None)


def run_exists(store: Store, run_id: str) -> bool:
    """Return whether a run is in the store and has not been deleted."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def is_finished(store: Store, run_id: str) -> bool:
    """Return whether a run ended with the status FINISHED."""
    return bool(store.client.get_run(run_id).info.status == "FINISHED")


def end_run(store: Store, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
    """End a run whose own process could not."""
    store.client.set_terminated(run_id, status)


def end_children(store: Store, run_id: str, tags: Mapping[str, str] | None = None) -> list[str]:
    """End the RUNNING children of a run that have these tags as KILLED, and return their ids."""
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    query = f"attributes.status = 'RUNNING' and tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'"
    children = store.client.search_runs([store.experiment_id], query)
    ended = [run.info.run_id for run in children if (tags or {}).items() <= run.data.tags.items()]
    for child in ended:
        end_run(store, child, "KILLED")
    return ended


def end_orphans(store: Store) -> None:
    """End the RUNNING runs of this machine whose process no longer exists (kill -9, power cut) as KILLED."""
    query = f"attributes.status = 'RUNNING' and tags.`{PROCESS}` LIKE '{platform.node()}:%'"
    for run in store.client.search_runs([store.experiment_id], query):
        if is_dead(run.data.tags[PROCESS]):
            end_run(store, run.info.run_id, "KILLED")


def release_frames(error: BaseException) -> None:
    """Release the local variables in the frames of an exception and of those that caused it.

    One of them may be the cursor of a write that a signal has interrupted. As long as it exists, SQLite stays locked,
    for this process too.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        one = one.__cause__ or one.__context__


def _terminate(run: Run, status: str, error: BaseException) -> None:
    """End a run; if the store fails, add a note to the exception that ended the run, which must not be replaced."""
    try:
        run.store.client.set_terminated(run.id, status)
    except Exception as trouble:  # MLflow's own, SQLAlchemy's or one of the connection
        error.add_note(f"run {run.id} could not be ended: {trouble}")


def _record_traceback(run: Run) -> None:
    """Record the traceback if possible: the store itself may be what failed."""
    from mlflow.exceptions import MlflowException

    with suppress(OSError, MlflowException):
        run.log_text(traceback.format_exc(), "traceback.txt")


def _start(store: Store, name: str, resume: str | None) -> str:
    """Return the id of a RUNNING run: resumed, adopted from `mlflow run`, or new."""
    adopted = os.environ.pop("MLFLOW_RUN_ID", None)
    for candidate in (resume, adopted):
        if candidate and run_exists(store, candidate):
            store.client.update_run(candidate, status="RUNNING")
            if adopted and candidate is resume:
                store.client.set_tag(adopted, NOTE, f"Continued the interrupted run `{resume}`: see there.")
            return candidate
    return str(store.client.create_run(store.experiment_id, run_name=name).info.run_id)
