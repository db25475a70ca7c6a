"""Where runs are kept."""

from pathlib import Path

import pytest

from experiments.errors import DigitsError, UsageError
from experiments.tracking import Store, open_store
from experiments.tracking.store import project_root, tracking_uri


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


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", "/tmp/x"])
def test_artifacts_lie_there_whatever_the_experiment_is_called(store: Store, name: str) -> None:
    place = open_store(name)
    location = store.client.get_experiment(place.experiment_id).artifact_location
    folder = Path(location.removeprefix("file://"))
    assert folder.parent == Path(store.uri.removeprefix("sqlite:///")).parent / "mlruns"
    assert folder.resolve() == folder


def test_a_place_for_artifacts_that_cannot_be_used_is_named_at_once(store: Store) -> None:
    (Path(store.uri.removeprefix("sqlite:///")).parent / "mlruns").write_text("a file")
    with pytest.raises(DigitsError, match=r"cannot write artifacts to .*/digits; make .*/mlruns a writable"):
        open_store()


def test_a_home_that_does_not_exist_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITS_HOME", "new/home")
    assert project_root() == tmp_path / "new" / "home"
    assert project_root().is_dir()


def test_experiment_by_option_and_by_environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from-environment")
    assert open_store().experiment == "from-environment"
    assert open_store("from-option").experiment == "from-option"
    assert open_store("from-option").experiment_id != store.experiment_id


def test_an_experiment_that_is_only_looked_into_is_not_made(store: Store) -> None:
    assert open_store(create=False) == store
    with pytest.raises(
        UsageError, match=r"there is no experiment 'digit' \(did you mean digits\?\); the experiments are"
    ):
        open_store("digit", create=False)
    assert store.client.get_experiment_by_name("digit") is None


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
