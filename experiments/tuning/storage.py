"""Storage of Optuna's studies: a journal file on this machine, or a database for several machines."""

import json
import os
import random
import re
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.errors import DigitsError, UsageError
from experiments.tuning.search import EXAMPLE_URL

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.storages.journal import JournalFileOpenLock

REACH_SECONDS = 10
HEARTBEAT_SECONDS = 10
GRACE_SECONDS = 60  # without a heartbeat: then a trial on another machine counts as abandoned
TABLE_ATTEMPTS = 10  # to create tables, while other processes create them too
ALREADY_CREATED = ("already exists", "duplicate", "unique constraint")  # in the database's error message
LOCK_SECONDS = 10  # after which the lock of a process that has ended is broken
# The option of each database's driver.
TIMEOUT_OPTIONS = {"postgresql": "connect_timeout", "mysql": "connect_timeout", "mariadb": "connect_timeout"}


def open_storage(place: str) -> "BaseStorage":
    """Open the storage of studies, creating it if it does not exist.

    Parameters
    ----------
    place
        A database URL as SQLAlchemy takes it (``postgresql+psycopg://user:password@host/name``), or the path of a
        journal file.

    Raises
    ------
    UsageError
        If the URL is invalid or its driver is not installed.
    DigitsError
        If the database cannot be reached within `REACH_SECONDS`, or the journal is damaged or cannot be written.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return _open_database(place) if "://" in place else _open_journal(Path(place))


def _open_journal(file: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = JournalFileOpenLock(str(file), grace_period=LOCK_SECONDS)
        backend = JournalFileBackend(str(file), lock_obj=lock)
        _drop_incomplete_line(file, lock)
        return JournalStorage(backend)
    except OSError as error:
        raise DigitsError(f"cannot use the journal {file}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise DigitsError(
            f"the journal {file} is damaged ({str(error).splitlines()[0]}); "
            "move it away, or use another name with --study NAME"
        ) from error


def _drop_incomplete_line(file: Path, lock: "JournalFileOpenLock") -> None:
    """Truncate an incomplete last line, left by a process that was killed: it would damage the next line too."""
    if _is_whole(file.read_bytes()):
        return
    lock.acquire()  # another process may be writing the line at this moment
    try:
        content = file.read_bytes()
        if not _is_whole(content):
            os.truncate(file, content.rfind(b"\n") + 1)
    finally:
        lock.release()


def _is_whole(content: bytes) -> bool:
    return not content or content.endswith(b"\n")


def _open_database(url: str) -> "BaseStorage":
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        shown = re.sub(r":[^:@/]*@", ":***@", url)
        raise UsageError(f"{shown!r} is not a database URL such as {EXAMPLE_URL}") from error
    shown = parts.render_as_string(hide_password=True)
    try:
        return _connect(url, parts.get_backend_name())
    except (ImportError, NoSuchModuleError) as error:
        raise UsageError(
            f"there is no driver for {shown}; for PostgreSQL: pip install -e '.[postgresql]' in the checkout, and postgresql+psycopg://"
        ) from error
    except (SQLAlchemyError, OSError, RuntimeError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DigitsError(f"cannot reach the study's database {shown}: {reason}") from error


def _connect(url: str, database: str) -> "BaseStorage":
    """Connect to a database and create missing tables; retry while another process creates them."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError

    attempts = 0
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # of heartbeats, since Optuna 2.5
                return RDBStorage(
                    url,
                    engine_kwargs={"pool_pre_ping": True, "connect_args": _timeout(database)},
                    heartbeat_interval=HEARTBEAT_SECONDS,
                    grace_period=GRACE_SECONDS,
                )
        except DBAPIError as error:
            attempts += 1
            if attempts == TABLE_ATTEMPTS or not any(words in str(error).lower() for words in ALREADY_CREATED):
                raise
            time.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - not for secrets


def _timeout(database: str) -> dict[str, Any]:
    return {TIMEOUT_OPTIONS[database]: REACH_SECONDS} if database in TIMEOUT_OPTIONS else {}
