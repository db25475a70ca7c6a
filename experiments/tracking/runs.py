"""MLflow runs with explicit ids: several may be open at once, in any thread or process."""

import getpass
import os
import platform
import shlex
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments import results
from experiments.processes import is_dead, this_machine, this_process
from experiments.tracking.store import NOTE, Store
from experiments.training.backends import DEFAULT, VARIABLE, backend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Kind = Literal["suite", "tune", "trial", "train", "evaluate", "analyze", "transfer", "data"]
CHECKOUT = Path(__file__).resolve().parents[2]
PROCESS = "digits.process"
MACHINE = "digits.machine"
RESULTS_VERSION = "digits.results"  # of the format of a run's table of results
REJECTED = "BAD_REQUEST"  # MLflow's error code of what its database did not take
FIGURE_DPI = 120
NOTE_LENGTH = 8000  # MLflow cuts longer tags, with a warning
DESCRIPTION = "description.md"
CONTINUED = f"\n\n... The whole text is in `{DESCRIPTION}`, among the run's artifacts."


@dataclass(frozen=True)
class Run:
    """One open run."""

    store: Store
    id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record what was chosen. What the run has already, from before an interruption or from `mlflow run`, stays."""
        from mlflow.entities import Param

        known = self.store.client.get_run(self.id).data.params
        fresh = [Param(name, str(value)) for name, value in params.items() if name not in known]
        self.store.client.log_batch(self.id, params=fresh)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Record numbers, all in one call to the store; with `model_id` they are shown with that logged model too."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = [Metric(name, float(value), now, step, model_id=model_id) for name, value in metrics.items()]
        self.store.client.log_batch(self.id, metrics=rows)

    def logged_steps(self, metric: str) -> set[int]:
        """Return the steps at which `metric` was recorded."""
        return {point.step for point in self.store.client.get_metric_history(self.id, metric)}

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, replacing those of the same name."""
        from mlflow.entities import RunTag

        self.store.client.log_batch(self.id, tags=[RunTag(name, str(value)) for name, value in tags.items()])

    def describe(self, markdown: str) -> None:
        """Set the note that MLflow shows at the top of the run; what is too long for it is kept as a file."""
        if len(markdown) > NOTE_LENGTH:
            self.log_text(markdown, DESCRIPTION)
            shown = markdown[: NOTE_LENGTH - len(CONTINUED)]
            markdown = shown[: shown.rfind("\n") + 1].rstrip() + CONTINUED
        self.set_tags({NOTE: markdown})

    def log_figure(self, figure: "Figure", file: str) -> None:
        """Keep a figure as an image."""
        self.store.client.log_figure(self.id, figure, file, save_kwargs={"dpi": FIGURE_DPI, "bbox_inches": "tight"})

    def log_text(self, text: str, file: str) -> None:
        """Keep a text file."""
        self.store.client.log_text(self.id, text, file)

    def log_json(self, data: Any, file: str) -> None:
        """Keep data as a JSON file."""
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
        """Link the data that the run used.

        `digest` (at most 36 characters) must cover all of the data: MLflow's own digest of an array covers its first
        10,000 values only.
        """
        import json

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
            self.store.client.log_inputs(self.id, datasets=inputs)  # finds what another run entered at the same moment

    def log_used_model(self, model_id: str) -> None:
        """Link the logged model that the run measured."""
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
    """Start a run, or continue one, and end it as what happened says.

    The run ends FINISHED, KILLED when the block was interrupted (Ctrl-C, SIGTERM), or FAILED with the traceback as
    artifact ``traceback.txt``. What was raised is raised again.

    Parameters
    ----------
    kind, name
        What the run is, and what it is called in MLflow.
    parent
        Id of the run it belongs under.
    tags
        More tags; ``digits.kind``, source, user and commit are set here.
    resume
        Id of an earlier run to continue; a new one is started where it no longer exists.
    killed_by
        What else, beside an interruption, ends the run as KILLED in place of FAILED when it is raised.

    Notes
    -----
    Inside ``mlflow run`` the first run opened is the one that MLflow has started, unless it resumes another: then
    MLflow's own run says which.
    """
    close_orphans(store)
    context = {"mlflow.runName": name, **_context(kind, parent), **(tags or {})}
    run = Run(store, _begin(store, name, resume))
    try:
        run.set_tags(context)
        yield run
    except BaseException as error:
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, *killed_by))
        if not interrupted:
            _keep_traceback(run)
        let_go(error)
        _end_at_last(run, "KILLED" if interrupted else "FAILED", error)
        raise
    store.client.set_terminated(run.id, "FINISHED")


def begin_run(store: Store, name: str) -> str:
    """Start a run that `open_run` is to continue, and return its id."""
    return _begin(store, name, None)


def run_exists(store: Store, run_id: str) -> bool:
    """Tell whether a run is in the store and has not been deleted."""
    return _exists(store, run_id)


@dataclass(frozen=True)
class FoundRun:
    """An earlier run, by its id, its name and its tags."""

    id: str
    name: str
    tags: Mapping[str, str]


def find_runs(store: Store, kind: Kind, tags: Mapping[str, str]) -> list[FoundRun]:
    """Return the runs of a kind that have all these tags, the latest first."""
    from mlflow.store.tracking import SEARCH_MAX_RESULTS_THRESHOLD

    found = store.client.search_runs(
        [store.experiment_id],
        f"tags.`digits.kind` = '{kind}'",
        max_results=SEARCH_MAX_RESULTS_THRESHOLD,
        order_by=["attributes.start_time DESC"],
    )
    # Compared here, for MLflow's query has no way to write both kinds of quotes.
    matching = [run for run in found if tags.items() <= run.data.tags.items()]
    return [FoundRun(run.info.run_id, run.info.run_name, run.data.tags) for run in matching]


def has_finished(store: Store, run_id: str) -> bool:
    """Tell whether a run ended as it should."""
    return bool(store.client.get_run(run_id).info.status == "FINISHED")


def end_run(store: Store, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
    """End a run whose own process could not."""
    store.client.set_terminated(run_id, status)


def end_children(store: Store, run_id: str, tags: Mapping[str, str] | None = None) -> list[str]:
    """End as KILLED the runs under a run that still count as RUNNING, of those with these tags; return their ids."""
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    query = f"attributes.status = 'RUNNING' and tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'"
    children = store.client.search_runs([store.experiment_id], query)
    ended = [run.info.run_id for run in children if (tags or {}).items() <= run.data.tags.items()]
    for child in ended:
        end_run(store, child, "KILLED")
    return ended


def let_go(error: BaseException) -> None:
    """Drop what the frames of an exception hold.

    Among it may be the cursor of a write that a signal has cut off: while it lives, SQLite stays locked, for this
    process too.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        one = one.__cause__ or one.__context__


def _end_at_last(run: Run, status: str, error: BaseException) -> None:
    """End a run; where the store does not let it, note that with what ended the run, which must come out."""
    try:
        run.store.client.set_terminated(run.id, status)
    except Exception as trouble:  # MLflow raises its own, SQLAlchemy's or the connection's
        error.add_note(f"run {run.id} could not be ended: {trouble}")


def _keep_traceback(run: Run) -> None:
    """Keep the traceback with the run if that is possible: what went wrong may be the very place for it."""
    from mlflow.exceptions import MlflowException

    with suppress(OSError, MlflowException):
        run.log_text(traceback.format_exc(), "traceback.txt")


def close_orphans(store: Store) -> None:
    """End as KILLED the runs of this machine whose process is gone without having ended them (kill -9, power cut)."""
    query = f"attributes.status = 'RUNNING' and tags.`{PROCESS}` LIKE '{platform.node()}:%'"
    for run in store.client.search_runs([store.experiment_id], query):
        if is_dead(run.data.tags[PROCESS]):
            store.client.set_terminated(run.info.run_id, "KILLED")


def _begin(store: Store, name: str, resume: str | None) -> str:
    """Return the id of a run that is RUNNING: resumed, adopted from `mlflow run`, or new."""
    adopted = os.environ.pop("MLFLOW_RUN_ID", None)
    for candidate in (resume, adopted):
        if candidate and _exists(store, candidate):
            store.client.update_run(candidate, status="RUNNING")
            if adopted and candidate is resume:
                store.client.set_tag(adopted, NOTE, f"Continued the interrupted run `{resume}`: see there.")
            return candidate
    return str(store.client.create_run(store.experiment_id, run_name=name).info.run_id)


def _exists(store: Store, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def _context(kind: Kind, parent: str | None) -> dict[str, str]:
    """Return the tags that say what a run is and where it came from, by MLflow's names where it has one."""
    from mlflow.utils import mlflow_tags

    tags = {
        "digits.kind": kind,
        PROCESS: this_process(),
        MACHINE: this_machine(),
        mlflow_tags.MLFLOW_USER: _user(),
        mlflow_tags.MLFLOW_SOURCE_NAME: _command(),
        mlflow_tags.MLFLOW_SOURCE_TYPE: "LOCAL",
    }
    if commit := code_commit():
        tags[mlflow_tags.MLFLOW_GIT_COMMIT] = commit
    if parent:
        tags[mlflow_tags.MLFLOW_PARENT_RUN_ID] = parent
    return tags


def _command() -> str:
    """Return the command line, with the variable that names a backend of Keras, for the numbers depend on it."""
    words = shlex.join(["digits", *sys.argv[1:]])
    return words if backend() == DEFAULT else f"{VARIABLE}={backend()} {words}"


def _user() -> str:
    """Return the user's name, or the number where the system knows no name (a container's arbitrary user)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def code_commit(checkout: Path = CHECKOUT) -> str | None:
    """Return the commit of the code that runs, with ``-dirty`` where it has been changed since.

    Reports are no code: those of a checkout may be written anew at any time.
    """
    if not (checkout / ".git").exists():
        return None
    try:
        commit = _git(checkout, "rev-parse", "HEAD")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!reports")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("-dirty" if changed else "")


def _git(checkout: Path, *words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
