"""Searches on a Ray cluster of two nodes, of which one is lost, and clusters that do not answer."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from digits_cli.main import main
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.tracking import Store
from experiments.workflows.tune.run import TuneOptions, tune

ray = pytest.importorskip("ray", reason="Ray is needed: pip install -e '.[cluster]'")

pytestmark = pytest.mark.slow

PATIENCE = 180  # seconds: Ray's processes take their time on a busy machine
SETTINGS = {"epochs": 40, "batch_size": 32, "precision": "float32"}
OPTIONS = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=3, pruner="none")
TUNE = "tune mlp_small --dataset uci"
WORDS = "--trials 3 --epochs 40 --pruner none --set batch_size=32 --set precision=float32 --json"  # as OPTIONS
SPACE = {"units_1", "dropout", "learning_rate"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of one node, which has room for one worker."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def tries(store: Store) -> list[Any]:
    """Return the runs of the trials, the newest first."""
    return list(store.client.search_runs([store.experiment_id], "tags.digits.kind = 'trial'"))


def halfway(store: Store) -> list[Any]:
    return [run for run in tries(store) if run.info.status == "RUNNING" and "val_loss" in run.data.metrics]


def statuses(store: Store, kind: str) -> list[str]:
    found = store.client.search_runs([store.experiment_id], f"tags.digits.kind = '{kind}'")
    return sorted(run.info.status for run in found)


def tried(run: Any) -> dict[str, str]:
    return {name: run.data.params[name] for name in SPACE}


class Remover(Progress):
    """Takes a node away as soon as two trials are being trained."""

    def __init__(self, store: Store, remove: Callable[[], None]) -> None:
        self.store, self.remove = store, remove
        self.removed_at = 0.0
        self.said: list[str] = []

    def log(self, text: str) -> None:
        self.said.append(text)

    def advance(self, done: int, total: int) -> None:  # noqa: ARG002
        if not self.removed_at and len(halfway(self.store)) == 2:
            self.remove()
            self.removed_at = time.monotonic()


def command(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "digits_cli", *TUNE.split(), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_search_that_is_stopped_and_then_loses_a_node_ends_with_the_trials_asked_for(
    store: Store, cluster: Any
) -> None:
    with command(*f"{WORDS} --cluster {cluster.address}".split()) as stopped:
        deadline = time.monotonic() + PATIENCE
        while not halfway(store):
            assert time.monotonic() < deadline
            assert stopped.poll() is None, stopped.communicate()
            time.sleep(0.1)
        stopped.send_signal(signal.SIGTERM)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (143, "")
    assert err.endswith("interrupted; give the same command again to go on\n")
    assert "Traceback" not in err
    assert len(tries(store)) == 1
    assert statuses(store, "tune") == ["KILLED"]
    assert statuses(store, "trial") == ["KILLED"]

    node = cluster.add_node(num_cpus=1)
    remover = Remover(store, lambda: cluster.remove_node(node, allow_graceful=False))
    result = tune(store, replace(OPTIONS, executor=ExecutorConfig(2, cluster.address)), remover)
    assert remover.removed_at
    assert (result.trials, result.failed, result.repeated) == (3, 0, 2)
    assert statuses(store, "tune") == ["FINISHED"]
    done = [run for run in tries(store) if run.info.status == "FINISHED"]
    cut_off = [run for run in tries(store) if run.info.status != "FINISHED"]
    assert (len(done), len(cut_off)) == (3, 2)
    for run in cut_off:
        assert run.info.status in ("FAILED", "KILLED")
        assert tried(run) in [tried(one) for one in done]
    assert not ray.is_initialized()


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}"])
def test_a_cluster_that_does_not_answer_is_named_soon(
    store: Store, capfd: pytest.CaptureFixture[str], address: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        given = address.format(port=closed.getsockname()[1])
    start = time.monotonic()
    with pytest.raises(SystemExit) as end:
        main([*f"{TUNE} {WORDS} --cluster {given}".split()])
    assert time.monotonic() - start < 45
    said = capfd.readouterr()
    assert (end.value.code, said.out) == (1, "")
    assert said.err.startswith("tune mlp_small on uci\nerror: ")
    assert f"no Ray cluster answers at {given}: " in said.err
    assert said.err.count("\n") == 2
    assert set(statuses(store, "tune")) <= {"FAILED"}
    assert not tries(store)
