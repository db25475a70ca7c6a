"""Runs: how they end, whose children they are, what they hold."""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from matplotlib.figure import Figure
from mlflow.artifacts import load_text
from mlflow.entities import Run as MlflowRun

from experiments.errors import DigitsError
from experiments.tracking import Run, Store, open_run
from experiments.tracking.provenance import code_commit
from experiments.tracking.runs import end_children


def fetch(store: Store, run_id: str) -> MlflowRun:
    return store.client.get_run(run_id)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (None, "FINISHED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(143), "KILLED"),
        (DigitsError("the disk is full"), "FAILED"),
    ],
    ids=repr,
)
def test_a_run_ends_as_its_work_ends(store: Store, end: BaseException | None, status: str) -> None:
    with pytest.raises(type(end)) if end else nullcontext(), open_run(store, "train", "lenet") as run:
        assert fetch(store, run.id).info.status == "RUNNING"
        if end:
            raise end
    found = fetch(store, run.id)
    assert (found.info.status, found.info.run_name, found.data.tags["digits.kind"]) == (status, "lenet", "train")
    assert found.data.tags["mlflow.source.name"].startswith("digits")
    traces = [file.path for file in store.client.list_artifacts(run.id)]
    assert traces == (["traceback.txt"] if status == "FAILED" else [])
    if traces:
        assert "the disk is full" in load_text(f"runs:/{run.id}/traceback.txt")


def test_another_backend_and_a_user_without_a_name_are_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("experiments.training.backends.find_spec", lambda _: object())
    with open_run(store, "train", "lenet") as run:
        tags = fetch(store, run.id).data.tags
    assert tags["mlflow.source.name"].startswith("KERAS_BACKEND=jax digits")
    assert tags["mlflow.user"].isdecimal()


def test_a_run_is_continued_unless_it_was_deleted(store: Store) -> None:
    with open_run(store, "train", "lenet") as run:
        run.log_params({"epochs": 3})
        run.log_metrics({"loss": 1.0}, step=1)
    with open_run(store, "train", "lenet", resume=run.id) as again:
        assert again.id == run.id
        assert again.logged_steps("loss") == {1}
        again.log_params({"epochs": 3})
        again.log_metrics({"loss": 0.5}, step=2)
    found = fetch(store, run.id)
    assert (found.info.status, found.data.metrics["loss"]) == ("FINISHED", 0.5)
    store.client.delete_run(run.id)
    with open_run(store, "train", "lenet", resume=run.id) as new:
        assert new.id != run.id


@pytest.fixture
def given(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the run that `mlflow run` has started for this process."""
    run_id = str(store.client.create_run(store.experiment_id).info.run_id)
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    return run_id


def test_inside_mlflow_run_the_first_run_is_the_given_one_with_its_params(store: Store, given: str) -> None:
    store.client.log_param(given, "model", "lenet")
    with open_run(store, "suite", "quick") as first, open_run(store, "train", "lenet", parent=first.id) as second:
        first.log_params({"model": "mnist-lenet v1", "dataset": "mnist"})
        assert first.id == given
        assert second.id != given
    assert "MLFLOW_RUN_ID" not in os.environ
    assert fetch(store, given).data.params == {"model": "lenet", "dataset": "mnist"}


def test_inside_mlflow_run_an_interrupted_run_is_continued_and_named(
    store: Store, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("MLFLOW_RUN_ID")
        with open_run(store, "suite", "quick") as interrupted:
            pass
    with open_run(store, "suite", "quick", resume=interrupted.id) as again:
        assert again.id == interrupted.id
    assert interrupted.id in fetch(store, given).data.tags["mlflow.note.content"]


def test_runs_of_dead_processes_are_ended_and_others_left(store: Store) -> None:
    """A process that was killed leaves its run RUNNING; the next run to be opened ends it."""
    code = """
import os
from experiments.tracking import open_run, open_store
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
    assert {item.path for item in store.client.list_artifacts(run.id)} == {"a.json", "figures", "data"}
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


def test_a_note_too_long_for_mlflow_goes_on_in_a_file(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    with open_run(store, "transfer", "long") as run:
        for length in (8000, 8001):
            run.describe(text[:length])
            note = fetch(store, run.id).data.tags["mlflow.note.content"]
            assert (note == text[:length]) is (length == 8000)
    shown, _, rest = note.partition("\n\n... ")
    assert text.startswith(shown + "\n")
    assert "`description.md`" in rest
    assert len(shown) > 7500
    assert load_text(f"runs:/{run.id}/description.md") == text[:8001]
    assert not caplog.records


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt])
def test_a_run_that_is_stopped_within_a_write_does_not_lock_itself_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    from sqlalchemy.engine.default import DefaultDialect

    write: Any = DefaultDialect.do_executemany

    def stopped(self: Any, cursor: Any, statement: str, *rest: Any) -> None:
        write(self, cursor, statement, *rest)
        if "INSERT INTO metrics" in statement:
            raise stop

    monkeypatch.setattr(DefaultDialect, "do_executemany", stopped)
    with pytest.raises(stop), open_run(store, "train", "stopped") as run:
        run.log_metrics({"loss": 1.0, "accuracy": 0.5})
    assert fetch(store, run.id).info.status == "KILLED"


def test_a_store_that_fails_at_the_end_does_not_hide_what_ended_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.client, "set_terminated", fails)
    with pytest.raises(SystemExit) as raised, open_run(store, "train", "stopped"):
        raise SystemExit(143)
    assert any("disk full" in note for note in raised.value.__notes__)


def test_children_that_were_left_running_are_ended(store: Store) -> None:
    with open_run(store, "suite", "parent") as parent:
        with open_run(store, "train", "done", parent=parent.id):
            pass
        with open_run(store, "train", "left", parent=parent.id, tags={"who": "me"}) as left:
            pass
        store.client.update_run(left.id, status="RUNNING")
        assert end_children(store, parent.id, {"who": "another"}) == []
        assert end_children(store, parent.id, {"who": "me"}) == [left.id]
        assert [fetch(store, one.id).info.status for one in (left, parent)] == ["KILLED", "RUNNING"]
