"""The MLflow tracking store and the experiment in it that runs are recorded in."""

import contextlib
import os
import re
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from experiments.errors import DigitsError, first_line, unknown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

EXPERIMENT = "digits"
NOTE = "mlflow.note.content"  # tag: the description of a run or an experiment
SQLITE = "sqlite:///"
ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"  # error code if another process was faster
TRACKING_URI = "MLFLOW_TRACKING_URI"  # environment variable
REACH_SECONDS = 10
ABOUT = """Handwritten-digit classifiers: every training, evaluation and comparison made by the `digits` command line.

* Tag `digits.kind` tells what a run is: `suite`, `tune`, `trial`, `train`, `evaluate`, `analyze`,
  `transfer`, `data`.
* Evaluations, analyses and transfers are children of the training whose model they are about, trials of their search.
* A suite is the parent of its trainings, searches and comparisons; its table has a link to each step.
* Models are registered as `<dataset>-<network>`; alias `champion` is the version with the best validation accuracy."""


@dataclass(frozen=True)
class Store:
    """An open tracking store.

    Attributes
    ----------
    uri
        MLflow tracking URI, absolute.
    experiment_id, experiment
        Id and name of the experiment that runs go to.
    root
        Folder of the project, or the working directory. It also holds the state of interrupted work.
    """

    uri: str
    experiment_id: str
    experiment: str
    root: Path

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client for this store."""
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the client: a store that is sent to another process opens a new connection."""
        return {name: value for name, value in vars(self).items() if name != "client"}

    def address(self, run_id: str) -> str:
        """Return the URL of a run if the store is a server, else the store and the path of the run in the UI."""
        path = f"#/experiments/{self.experiment_id}/runs/{run_id}"
        return f"{self.uri.rstrip('/')}/{path}" if self.uri.startswith("http") else f"{self.uri} {path}"


def open_store(experiment: str | None = None, create: bool = True) -> Store:
    """Open the tracking store; create the database and the experiment if they do not exist.

    Parameters
    ----------
    experiment
        Its name; None takes ``$MLFLOW_EXPERIMENT_NAME``, else ``digits``. Inside ``mlflow run`` it is the experiment
        of the run that MLflow has already started, because a run cannot be in two experiments.
    create
        Whether to create a missing experiment; ``digits`` is always created.

    Raises
    ------
    DigitsError
        If the store cannot be reached or written to.
    UsageError
        If there is no such experiment and `create` is False.
    """
    root = project_root()
    uri = tracking_uri(root)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is for results
    _check_reachable(uri)
    with _quiet_alembic(), _locked(uri):
        found = _experiment(uri, experiment, create)
    _check_artifacts(found)
    return Store(uri, found.experiment_id, found.name, root)


def project_root() -> Path:
    """Return ``$DIGITS_HOME``, else the checkout that contains this package, else the working directory.

    Raises
    ------
    DigitsError
        If the folder that ``$DIGITS_HOME`` names is missing and cannot be created.
    """
    if home := os.environ.get("DIGITS_HOME"):
        root = Path(home).expanduser().resolve()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DigitsError(f"cannot create the folder {root} that DIGITS_HOME names: {error.strerror}") from error
        return root
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "MLproject").is_file() else Path.cwd()


def tracking_uri(root: Path) -> str:
    """Return ``$MLFLOW_TRACKING_URI``, or MLflow's default as an absolute path in `root`."""
    given = os.environ.get(TRACKING_URI, "").strip()
    if given.startswith(SQLITE):
        return SQLITE + str(_database(given).resolve())
    return given or SQLITE + str(root / "mlflow.db")


def _database(uri: str) -> Path:
    return Path(uri.removeprefix(SQLITE))


def _check_reachable(uri: str) -> None:
    """Fail at once if the store cannot be reached; MLflow would retry for minutes."""
    if uri.startswith(SQLITE):
        database = _database(uri)
        place = database if database.exists() else database.parent
        if not os.access(place, os.W_OK):
            raise DigitsError(
                f"cannot write the tracking store {database}; make {place} writable or set MLFLOW_TRACKING_URI"
            )
        if database.exists():
            _check_readable(uri, database)
    elif uri.startswith("http"):
        try:
            urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=REACH_SECONDS).close()  # noqa: S310 - http only
        except urllib.error.HTTPError:
            return
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise DigitsError(
                f"no MLflow server answers at {uri} ({reason}); start one or unset MLFLOW_TRACKING_URI"
            ) from error


def _check_readable(uri: str, database: Path) -> None:
    """Fail if the file is not a database."""
    try:
        with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_NOTADB,
        ):  # else it is locked
            raise _unusable(uri, error) from error


def _unusable(uri: str, error: Exception) -> DigitsError:
    return DigitsError(f"the tracking store {uri} cannot be used: {first_line(error)}")


def _check_artifacts(experiment: "Experiment") -> None:
    """Fail before the work, not after it, if artifacts cannot be written."""
    if not experiment.artifact_location.startswith("file:"):
        return
    place = Path(url2pathname(urlparse(experiment.artifact_location).path))
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise DigitsError(f"cannot write artifacts to {place}; make {there} a writable folder")


def _experiment(uri: str, wanted: str | None, create: bool) -> "Experiment":
    """Return the experiment to use; create it if it is missing and may be created."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        client = MlflowClient(tracking_uri=uri)
        adopted = os.environ.get("MLFLOW_RUN_ID")
        if adopted:
            return client.get_experiment(client.get_run(adopted).info.experiment_id)
        name = wanted or os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        found = client.get_experiment_by_name(name)
        if found and found.lifecycle_stage == "deleted":
            raise DigitsError(f"experiment {name!r} was deleted; restore it or choose another with --experiment")
        if found is None and not create and name != EXPERIMENT:
            raise unknown("experiment", name, [each.name for each in client.search_experiments()])
        return found or _create(client, uri, name)
    except (MlflowException, SQLAlchemyError) as error:
        raise _unusable(uri, error) from error


def _create(client: "MlflowClient", uri: str, name: str) -> "Experiment":
    from mlflow.exceptions import MlflowException

    local = uri.startswith(SQLITE)
    folder = re.sub(r"[^\w-]+", "_", name)  # a name may contain slashes and dots
    artifacts = (_database(uri).parent / "mlruns" / folder).as_uri() if local else None
    try:
        return client.get_experiment(client.create_experiment(name, artifact_location=artifacts, tags={NOTE: ABOUT}))
    except MlflowException as error:
        created_meanwhile = client.get_experiment_by_name(name) if error.error_code == ALREADY_EXISTS else None
        if created_meanwhile is None:
            raise
        return created_meanwhile


@contextlib.contextmanager
def _locked(uri: str) -> Iterator[None]:
    """Lock out other processes while database and experiment may be created, which MLflow itself does not do."""
    if not uri.startswith(SQLITE):
        yield
        return
    from filelock import FileLock

    with FileLock(f"{_database(uri)}.lock"):
        yield


@contextlib.contextmanager
def _quiet_alembic() -> Iterator[None]:
    """Suppress the log messages about each table of a new database."""
    import logging

    loggers = [logging.getLogger(name) for name in ("alembic", "mlflow.store.db.utils")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
