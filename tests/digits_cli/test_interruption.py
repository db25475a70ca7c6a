"""Commands that are stopped midway, as a user or a system would stop them, and started again."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from experiments.tracking import Store, registered_versions

pytestmark = pytest.mark.slow

TRAIN = (*"train cnn --dataset uci --epochs 6 --batch-size 32 --precision float32 --set patience=0".split(), "--json")


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "digits_cli", *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # In the background of a script Ctrl-C is ignored, and children inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def stop_after(line: str, sent: signal.Signals, *words: str) -> tuple[int, str]:
    """Start a command, send it a signal once it has printed `line`; return its exit code and all it said."""
    with start(*words) as process:
        assert process.stderr
        said = ""
        while line not in said:
            read = process.stderr.readline()
            assert read, f"ended early: {said}"
            said += read
        process.send_signal(sent)
        out, rest = process.communicate(timeout=120)
    assert out == ""
    return process.returncode, said + rest


def run(*words: str) -> Any:
    with start(*words) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def statuses(store: Store) -> list[str]:
    """Return how the runs stand, without the trials of a search, of which some are pruned."""
    runs = store.client.search_runs([store.experiment_id])
    return [run.info.status for run in runs if run.data.tags["digits.kind"] != "trial"]


def losses(store: Store, run_id: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, "val_loss")]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=str)
def test_a_stopped_training_goes_on_and_ends_as_an_undisturbed_one(
    store: Store, sent: signal.Signals, code: int
) -> None:
    ended, said = stop_after("epoch 2/6", sent, *TRAIN)
    assert ended == code
    assert "Traceback" not in said
    if sent is not signal.SIGKILL:
        assert "interrupted; the same command goes on from here" in said
        assert statuses(store) == ["KILLED"]
    assert not registered_versions(store)
    resumed = run(*TRAIN)
    assert statuses(store) == ["FINISHED"]
    assert [v.version for v in registered_versions(store)] == [1]
    undisturbed = run(*TRAIN)
    assert undisturbed["run_id"] != resumed["run_id"]
    assert resumed["epochs"] == undisturbed["epochs"] == 6
    assert losses(store, resumed["run_id"]) == losses(store, undisturbed["run_id"])


def test_a_stopped_suite_goes_on_after_the_steps_it_had_done(store: Store) -> None:
    words = ("run", "--profile", "quick", "--json")
    ended, _ = stop_after("lenet epoch 2/", signal.SIGINT, *words)
    assert ended == 130
    assert set(statuses(store)) == {"FINISHED", "KILLED"}
    result = run(*words)
    assert {step["status"] for step in result["steps"]} == {"done"}
    assert set(statuses(store)) == {"FINISHED"}
    suites = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    assert [suite.info.run_id for suite in suites] == [result["run_id"]]
    assert len(registered_versions(store)) == 4


def test_the_same_work_is_not_done_twice_at_once(store: Store, store_folder: Path) -> None:  # noqa: ARG001
    words = (*TRAIN, "--epochs", "500")
    with start(*words) as first:
        assert first.stderr
        while "epoch 1/500" not in first.stderr.readline():
            pass
        with start(*words) as second:
            out, err = second.communicate(timeout=120)
        assert (second.returncode, out) == (1, "")
        assert "another process is already doing this: train cnn" in err
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=120)
