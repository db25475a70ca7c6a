"""Searches on a Ray cluster of two nodes, of which one is lost, and clusters that do not answer."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from experiments.tracking import Store
from experiments.workflows.listener import Listener
from experiments.workflows.tune import TuneOptions, tune
from experiments.workflows.workers import Place

ray = pytest.importorskip("ray", reason="Ray is needed: pip install 'digits[cluster]'")

pytestmark = pytest.mark.slow

PATIENCE = 180  # seconds: Ray's processes take their time on a busy machine
SETTINGS = {"epochs": 30, "batch_size": 32, "precision": "float32"}
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


class Remover(Listener):
    """Takes a node away as soon as two trials are being trained."""

    def __init__(self, store: Store, remove: Callable[[], None]) -> None:
        self.store, self.remove = store, remove
        self.removed_at = 0.0
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def advance(self, done: int, total: int) -> None:  # noqa: ARG002
        if not self.removed_at and len(halfway(self.store)) == 2:
            self.remove()
            self.removed_at = time.monotonic()


def test_a_node_that_is_lost_leaves_its_trial_to_another(store: Store, cluster: Any) -> None:
    node = cluster.add_node(num_cpus=1)
    remover = Remover(store, lambda: cluster.remove_node(node, allow_graceful=False))
    options = TuneOptions(
        "mlp_small", "uci", settings=SETTINGS, trials=5, pruner="none", place=Place(2, cluster.address)
    )
    result = tune(store, options, remover)
    assert remover.removed_at
    assert (result.trials, result.failed, result.repeated) == (5, 0, 1)
    assert statuses(store, "tune") == ["FINISHED"]
    assert [status for status in statuses(store, "trial") if status == "FINISHED"] == ["FINISHED"] * 5
    (cut_off,) = (run for run in tries(store) if run.info.status != "FINISHED")
    assert cut_off.info.status in ("FAILED", "KILLED")
    assert tried(cut_off) in [tried(run) for run in tries(store) if run.info.status == "FINISHED"]
    assert not ray.is_initialized()


def command(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "digits_cli", "tune", "mlp_small", "--dataset", "uci", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_search_that_is_stopped_leaves_nothing_running(store: Store, cluster: Any) -> None:
    words = f"--trials 2 --epochs 40 --pruner none --set batch_size=32 --json --cluster {cluster.address}".split()
    with command(*words) as stopped:
        deadline = time.monotonic() + PATIENCE
        while not halfway(store):
            assert time.monotonic() < deadline
            assert stopped.poll() is None, stopped.communicate()
            time.sleep(0.1)
        stopped.send_signal(signal.SIGTERM)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (143, "")
    assert err.endswith("interrupted; the same command goes on from here\n")
    assert "Traceback" not in err
    (cut_off,) = tries(store)
    assert statuses(store, "tune") == ["KILLED"]
    assert statuses(store, "trial") == ["KILLED"]
    with command(*words) as again:
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    result = json.loads(out)
    assert (result["trials"], result["failed"], result["repeated"]) == (2, 0, 1)
    assert statuses(store, "tune") == ["FINISHED"]
    assert statuses(store, "trial") == ["FINISHED", "FINISHED", "KILLED"]
    assert tried(cut_off) in [tried(run) for run in tries(store) if run.info.status == "FINISHED"]


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}"])
def test_a_cluster_that_does_not_answer_is_named_soon(store: Store, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        given = address.format(port=closed.getsockname()[1])
    start = time.monotonic()
    with command("--trials", "1", "--cluster", given) as refused:
        try:
            out, err = refused.communicate(timeout=60)
        finally:
            refused.kill()
    assert time.monotonic() - start < 45
    assert (refused.returncode, out) == (1, ""), err
    assert err.startswith("tune mlp_small on uci\nerror: ")
    assert f"no Ray cluster answers at {given}: " in err
    assert err.count("\n") == 2
    assert set(statuses(store, "tune")) <= {"FAILED"}
    assert not tries(store)
