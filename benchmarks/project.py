"""A project of its own for what a benchmark tracks, so that nothing of it is left in the user's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from unittest import mock

MLFLOW_CHOICES = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID")


@contextmanager
def temporary_project() -> Iterator[None]:
    """Point this process and those it starts to an empty tracking database, which is removed at the end."""
    with TemporaryDirectory() as folder, mock.patch.dict(os.environ):
        for name in MLFLOW_CHOICES:
            os.environ.pop(name, None)
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        os.environ["DIGITS_HOME"] = folder
        yield
