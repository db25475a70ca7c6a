"""Where runs are kept."""

from pathlib import Path

import pytest

from experiments.errors import DigitsError
from experiments.tracking import Store, open_store, tracking_uri


def test_default_is_mlflow_s_own_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_environment_wins_and_relative_databases_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
    assert tracking_uri(Path("/elsewhere")) == f"sqlite:///{tmp_path}/runs.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert tracking_uri(Path("/elsewhere")) == "http://localhost:5000"


def test_opening_twice_finds_the_same_experiment(store: Store) -> None:
    assert open_store() == store
    found = store.client.get_experiment(store.experiment_id)
    assert found.name == "digits"
    assert "champion" in found.tags["mlflow.note.content"]


def test_artifacts_lie_beside_the_database(store: Store) -> None:
    found = store.client.get_experiment(store.experiment_id)
    database = Path(store.uri.removeprefix("sqlite:///"))
    assert found.artifact_location == (database.parent / "mlruns" / "digits").as_uri()


def test_experiment_by_option_and_by_environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from-environment")
    assert open_store().experiment == "from-environment"
    assert open_store("from-option").experiment == "from-option"
    assert open_store("from-option").experiment_id != store.experiment_id


def test_a_deleted_experiment_is_named(store: Store) -> None:
    gone = open_store("gone")
    store.client.delete_experiment(gone.experiment_id)
    with pytest.raises(DigitsError, match="'gone' was deleted"):
        open_store("gone")


def test_a_server_that_does_not_answer_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(DigitsError, match=r"no MLflow server answers at http://127\.0\.0\.1:9"):
        open_store()


def test_a_place_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/missing/folder/mlflow.db")
    with pytest.raises(DigitsError, match="cannot write the tracking store"):
        open_store()


def test_a_file_that_is_no_database_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, and long enough not to look like an empty one" * 20)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(DigitsError, match="cannot be used"):
        open_store()
