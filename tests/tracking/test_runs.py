"""Runs: how they end, whose children they are, what they hold."""

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from matplotlib.figure import Figure
from mlflow.artifacts import load_text
from mlflow.entities import Run as MlflowRun

from experiments import tracking
from experiments.errors import DigitsError
from experiments.tracking import Run, Store, open_run
from experiments.tracking.provenance import code_commit
from experiments.tracking.runs import end_children


def fetch(store: Store, run_id: str) -> MlflowRun:
    return store.client.get_run(run_id)


def test_a_run_that_ends_well_is_finished(store: Store) -> None:
    with open_run(store, "train", "lenet") as run:
        assert fetch(store, run.id).info.status == "RUNNING"
    found = fetch(store, run.id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "lenet"
    assert found.data.tags["digits.kind"] == "train"
    assert found.data.tags["mlflow.source.name"].startswith("digits")


def test_the_command_names_another_backend(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("experiments.training.backends.find_spec", lambda _: object())
    with open_run(store, "train", "lenet") as run:
        tags = store.client.get_run(run.id).data.tags
    assert tags["mlflow.source.name"].startswith("KERAS_BACKEND=jax digits")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(143)])
def test_an_interrupted_run_is_killed(store: Store, interruption: BaseException) -> None:
    with pytest.raises(type(interruption)), open_run(store, "train", "lenet") as run:
        raise interruption
    assert fetch(store, run.id).info.status == "KILLED"


def test_a_crashed_run_is_failed_and_keeps_its_traceback(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DigitsError), open_run(store, "train", "lenet") as run:
        raise DigitsError("the disk is full")
    assert fetch(store, run.id).info.status == "FAILED"
    trace = Path(store.client.download_artifacts(run.id, "traceback.txt", str(tmp_path)))
    assert "the disk is full" in trace.read_text()


def test_children_carry_their_parent(store: Store) -> None:
    with open_run(store, "suite", "all") as parent, open_run(store, "train", "lenet", parent=parent.id) as child:
        pass
    children = store.client.search_runs([store.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.id}'")
    assert [run.info.run_id for run in children] == [child.id]


def test_a_run_is_continued(store: Store) -> None:
    with open_run(store, "train", "lenet") as run:
        run.log_params({"epochs": 3})
        run.log_metrics({"loss": 1.0}, step=1)
    with open_run(store, "train", "lenet", resume=run.id) as again:
        assert again.id == run.id
        assert again.logged_steps("loss") == {1}
        again.log_params({"epochs": 3})
        again.log_metrics({"loss": 0.5}, step=2)
    found = fetch(store, run.id)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["loss"] == 0.5


def test_a_new_run_begins_where_the_old_one_was_deleted(store: Store) -> None:
    with open_run(store, "train", "lenet") as run:
        pass
    store.client.delete_run(run.id)
    with open_run(store, "train", "lenet", resume=run.id) as again:
        assert again.id != run.id


def test_inside_mlflow_run_the_first_run_is_the_given_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = store.client.create_run(store.experiment_id).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", given)
    with open_run(store, "suite", "quick") as first, open_run(store, "train", "lenet", parent=first.id) as second:
        assert first.id == given
        assert second.id != given
    assert "MLFLOW_RUN_ID" not in os.environ


def test_inside_mlflow_run_an_interrupted_run_is_continued_and_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(store, "suite", "quick") as interrupted:
        pass
    given = store.client.create_run(store.experiment_id).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", given)
    with open_run(store, "suite", "quick", resume=interrupted.id) as again:
        assert again.id == interrupted.id
    assert interrupted.id in fetch(store, given).data.tags["mlflow.note.content"]


def test_runs_of_dead_processes_are_ended_and_others_left(store: Store) -> None:
    """A process that was killed leaves its run RUNNING; the next run to be opened ends it."""
    code = """
import os
from experiments.tracking import open_run, open_store
from experiments.tracking.provenance import code_commit
from experiments.tracking.runs import end_children
with open_run(open_store(), "train", "orphan") as run:
    print(run.id, flush=True)
    os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    orphan = killed.stdout.strip()
    assert killed.returncode == -9
    assert fetch(store, orphan).info.status == "RUNNING"
    elsewhere = store.client.create_run(store.experiment_id, tags={"digits.process": "another-machine:1:1"})
    with open_run(store, "train", "alive") as alive, open_run(store, "evaluate", "later"):
        assert fetch(store, orphan).info.status == "KILLED"
        assert fetch(store, alive.id).info.status == "RUNNING"
        assert fetch(store, elsewhere.info.run_id).info.status == "RUNNING"
        assert fetch(store, alive.id).data.tags["digits.process"].startswith(f"{platform.node()}:{os.getpid()}:")


def test_a_run_ends_even_where_its_traceback_cannot_be_kept(store: Store) -> None:
    (store.root / "mlruns").write_text("a file where a folder should be")
    with pytest.raises(ZeroDivisionError), open_run(store, "train", "lenet") as run:
        run.log_params({"seed": 1 // 0})
    (found,) = store.client.search_runs([store.experiment_id])
    assert found.info.status == "FAILED"


def test_params_that_mlflow_run_has_logged_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = store.client.create_run(store.experiment_id).info.run_id
    store.client.log_param(given, "model", "lenet")
    monkeypatch.setenv("MLFLOW_RUN_ID", given)
    with open_run(store, "evaluate", "lenet") as run:
        run.log_params({"model": "mnist-lenet v1", "dataset": "mnist"})
    assert fetch(store, given).data.params == {"model": "lenet", "dataset": "mnist"}


def test_a_user_without_a_name_is_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    with open_run(store, "train", "lenet") as run:
        pass
    assert fetch(store, run.id).data.tags["mlflow.user"].isdecimal()


class Line:
    """A drawing."""

    def draw(self) -> Figure:
        figure = Figure()
        figure.subplots().plot([1, 2])
        return figure

    def to_npz(self) -> bytes:
        return b"points"


def test_artifacts_and_inputs(store: Store, tmp_path: Path) -> None:
    with open_run(store, "evaluate", "lenet on mnist") as run:
        run.log_figure(Line(), "usps/line")
        run.log_json({"a": [1]}, "a.json")
        run.log_dataset("mnist", "/data/mnist", "0123456789abcdef" * 3, "test", 10_000)
        run.describe("**bold**")
    files = {item.path for item in store.client.list_artifacts(run.id)}
    assert files == {"a.json", "figures", "data"}
    picture, data = (
        Path(store.client.download_artifacts(run.id, file, str(tmp_path))).read_bytes()
        for file in ("figures/usps/line.png", "data/usps/line.npz")
    )
    assert picture.startswith(b"\x89PNG")
    assert data == Line().to_npz()
    found = fetch(store, run.id)
    assert found.data.tags["mlflow.note.content"] == "**bold**"
    dataset = found.inputs.dataset_inputs[0]
    assert (dataset.dataset.name, len(dataset.dataset.digest)) == ("mnist", 36)
    assert dataset.tags[0].value == "test"


def test_the_commit_says_whether_the_code_was_changed_since(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert code_commit(tmp_path) is None
    git("init", "-q")
    assert code_commit(tmp_path) is None
    code, told = tmp_path / "code.py", tmp_path / "reports" / "RESULTS.md"
    told.parent.mkdir()
    for file in (code, told):
        file.write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "HEAD").strip()
    assert code_commit(tmp_path) == commit
    told.write_text("2")
    (tmp_path / "notes.txt").write_text("mine")
    assert code_commit(tmp_path) == commit
    code.write_text("2")
    assert code_commit(tmp_path) == f"{commit}-dirty"


def test_runs_that_begin_at_the_same_moment_link_the_same_data(store: Store) -> None:
    ids = [store.client.create_run(store.experiment_id).info.run_id for _ in range(8)]
    digests = [f"{number:036d}" for number in range(10)]
    together = Barrier(len(ids))

    def link(run_id: str) -> None:
        for digest in digests:
            together.wait(timeout=60)
            Run(store, run_id).log_dataset("mnist", "/data/mnist", digest, "train", 60_000)

    with ThreadPoolExecutor(len(ids)) as threads:
        list(threads.map(link, ids))
    for run_id in ids:
        assert sorted(entry.dataset.digest for entry in fetch(store, run_id).inputs.dataset_inputs) == digests


@pytest.mark.parametrize("length", [8000, 8001])
def test_a_note_too_long_for_mlflow_goes_on_in_a_file(
    store: Store, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    text = "".join(f"line {number}\n" for number in range(1000))[:length].ljust(length, ".")
    with open_run(store, "transfer", "long") as run:
        run.describe(text)
    note = fetch(store, run.id).data.tags["mlflow.note.content"]
    assert not caplog.records
    if length == 8000:
        assert note == text
    else:
        shown, _, rest = note.partition("\n\n... ")
        assert text.startswith(shown + "\n")
        assert "`description.md`" in rest
        assert len(shown) > 7500
        assert load_text(f"runs:/{run.id}/description.md") == text


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt])
def test_a_run_that_is_stopped_within_a_write_ends_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    from sqlalchemy.engine.default import DefaultDialect

    write: Any = DefaultDialect.do_executemany

    def stopped(self: Any, cursor: Any, statement: str, *rest: Any) -> None:
        write(self, cursor, statement, *rest)
        if "INSERT INTO metrics" in statement:
            raise stop

    monkeypatch.setattr(DefaultDialect, "do_executemany", stopped)
    start = time.monotonic()
    with pytest.raises(stop), tracking.open_run(store, "train", "stopped") as run:
        run.log_metrics({"loss": 1.0, "accuracy": 0.5})
    assert time.monotonic() - start < 5  # a locked database would be waited for 20 seconds
    assert store.client.get_run(run.id).info.status == "KILLED"


def test_a_store_that_fails_at_the_end_does_not_hide_what_ended_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.client, "set_terminated", fails)
    with pytest.raises(SystemExit) as raised, tracking.open_run(store, "train", "stopped"):
        raise SystemExit(143)
    assert any("disk full" in note for note in raised.value.__notes__)


def test_children_that_were_left_running_are_ended(store: Store) -> None:
    with tracking.open_run(store, "suite", "parent") as parent:
        with tracking.open_run(store, "train", "done", parent=parent.id):
            pass
        with tracking.open_run(store, "train", "left", parent=parent.id, tags={"who": "me"}) as left:
            pass
        store.client.update_run(left.id, status="RUNNING")
        assert end_children(store, parent.id, {"who": "another"}) == []
        assert end_children(store, parent.id, {"who": "me"}) == [left.id]
        assert store.client.get_run(left.id).info.status == "KILLED"
        assert store.client.get_run(parent.id).info.status == "RUNNING"
