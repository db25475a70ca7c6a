"""Where runs are kept."""

import re
from pathlib import Path

import pytest

from experiments.errors import DigitsError, UsageError
from experiments.tracking import Store, open_store
from experiments.tracking.store import project_root, tracking_uri


def test_default_is_mlflow_s_own_and_relative_databases_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(Path("/root")) == "sqlite:////root/mlflow.db"
    for given, uri in (("sqlite:///runs.db", f"sqlite:///{tmp_path}/runs.db"), ("http://localhost:5000",) * 2):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert tracking_uri(Path("/root")) == uri


def test_opening_twice_finds_the_same_experiment(store: Store) -> None:
    assert open_store() == store
    found = store.client.get_experiment(store.experiment_id)
    assert found.name == "digits"
    assert "champion" in found.tags["mlflow.note.content"]


@pytest.mark.parametrize("name", ["digits", "../outside", "a/b", "..", "/tmp/x"])
def test_artifacts_lie_beside_the_database_whatever_the_experiment_is_called(store: Store, name: str) -> None:
    location = store.client.get_experiment(open_store(name).experiment_id).artifact_location
    folder = Path(location.removeprefix("file://"))
    assert folder.parent == Path(store.uri.removeprefix("sqlite:///")).parent / "mlruns"
    assert folder.resolve() == folder
    assert name != "digits" or folder.name == name


def test_a_place_for_artifacts_that_cannot_be_used_is_named_at_once(store: Store) -> None:
    (Path(store.uri.removeprefix("sqlite:///")).parent / "mlruns").write_text("a file")
    with pytest.raises(DigitsError, match=r"/digits; make .*/mlruns\b"):
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
    with pytest.raises(UsageError, match=r"'digit'.*digits\?"):
        open_store("digit", create=False)
    assert store.client.get_experiment_by_name("digit") is None


def test_a_deleted_experiment_is_named(store: Store) -> None:
    gone = open_store("gone")
    store.client.delete_experiment(gone.experiment_id)
    with pytest.raises(DigitsError, match=r"'gone'.*--experiment"):
        open_store("gone")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:///{}/missing/folder/mlflow.db", "sqlite:///{}/none.db"])
def test_a_store_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str) -> None:
    (tmp_path / "none.db").write_text("this is no database, and long enough not to look like an empty one" * 20)
    uri = uri.format(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(DigitsError, match=re.escape(uri.removeprefix("sqlite:///"))):
        open_store()
