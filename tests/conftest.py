"""Fixtures that every part of the tests shares."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from experiments.tracking import Store


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real data; tests that need it skip where it is absent."""
    configured = os.environ.get("DIGITS_DATA_DIR")
    if not configured:
        pytest.skip("the real MNIST and USPS are needed: set DIGITS_DATA_DIR to a folder with mnist/ and usps/")
    folder = Path(configured).resolve()
    if not (folder / "mnist").is_dir() or not (folder / "usps").is_dir():
        pytest.skip(f"no mnist/ and usps/ in DIGITS_DATA_DIR={configured}")
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tracking database with MLflow's tables and nothing else, to copy: making one takes seconds."""
    from mlflow import MlflowClient

    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture
def store_folder(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an empty tracking store, which this process and those it starts use."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIGITS_HOME", str(folder))
    return folder


@pytest.fixture
def store(store_folder: Path) -> "Store":  # noqa: ARG001 - it sets the environment
    """Return an empty tracking store in a folder of its own."""
    from experiments.tracking import open_store

    return open_store()
