"""Commands that are stopped midway, as a user or a system would stop them, and started again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digits_cli.main import main
from experiments.tracking import Store, registered_versions

pytestmark = pytest.mark.slow

# Everything that draws random numbers is on, and an epoch takes long enough to be stopped in.
TRAIN = (
    *"train mlp_small --dataset uci --epochs 20 --batch-size 8 --precision float32 --set patience=0".split(),
    *"--set dropout=0.2 --set rotation=10 --json".split(),
)


def start(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "digits_cli", *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
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
        out, rest = process.communicate(timeout=300)
    assert out == "", said + rest
    return process.returncode, said + rest


def result(process: subprocess.Popen[str]) -> Any:
    with process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def statuses(store: Store) -> list[str]:
    """Return how the runs stand, without the trials of a search, of which some are pruned."""
    runs = store.client.search_runs([store.experiment_id])
    return [run.info.status for run in runs if run.data.tags["digits.kind"] != "trial"]


def elsewhere(folder: Path) -> tuple[Store, dict[str, str]]:
    """Make another store; return it and what tells a command of it."""
    from experiments.tracking import open_store

    folder.mkdir()
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "DIGITS_HOME": str(folder)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return open_store(), environment


def losses(store: Store, run_id: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, "val_loss")]


def test_a_training_that_is_stopped_again_and_again_ends_as_an_undisturbed_one(store: Store, tmp_path: Path) -> None:
    other, environment = elsewhere(tmp_path / "undisturbed")
    with start(*TRAIN, environment=environment) as undisturbed:
        for epoch, sent, code in ((1, signal.SIGINT, 130), (4, signal.SIGTERM, 143), (7, signal.SIGKILL, -9)):
            ended, said = stop_after(f"epoch {epoch}/20", sent, *TRAIN)
            assert ended == code
            assert "Traceback" not in said
            if sent is not signal.SIGKILL:
                assert "interrupted; give the same command again to go on" in said
                assert statuses(store) == ["KILLED"]
            assert not registered_versions(store)
        resumed = result(start(*TRAIN))
        expected = result(undisturbed)
    assert statuses(store) == ["FINISHED"]
    assert [v.version for v in registered_versions(store)] == [1]
    assert resumed["epochs"] == expected["epochs"] == 20
    assert losses(store, resumed["run_id"]) == losses(other, expected["run_id"])


def test_the_same_work_is_not_done_twice_at_once(store: Store) -> None:
    words = (*TRAIN, "--epochs", "2000")
    with start(*words) as first:
        assert first.stderr
        while "epoch 1/2000" not in first.stderr.readline():
            assert first.poll() is None
        # A process of its own: what one leaves open of the store as it fails would keep the first from writing.
        with start(*words) as second:
            out, err = second.communicate(timeout=300)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=300)
    assert (second.returncode, out) == (1, "")
    assert "another process is already running train mlp_small" in err
    assert statuses(store) == ["KILLED"]


def test_a_stopped_suite_goes_on_after_the_steps_it_had_done(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    words = ("run", "--profile", "quick", "--json")
    ended, _ = stop_after("lenet epoch 2/", signal.SIGINT, *words)
    assert ended == 130
    assert sorted(statuses(store)) == ["FINISHED", "FINISHED", "FINISHED", "KILLED", "KILLED"]
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capfd.readouterr()
    assert end.value.code == 0, said.err
    assert said.out.count("\n") == 1
    suite = json.loads(said.out)
    names = ["tune mlp", "train mlp", "train mlp_small", "train lenet", "train cnn", "evaluate", "analyze lenet"]
    names += ["transfer", "report"]
    assert [step["name"] for step in suite["steps"]] == names
    for step in suite["steps"]:
        assert step.keys() >= {"name", "status", "seconds", "run_id"}
        assert step["status"] == "done"
    assert [name for name in names if f"{name}: cached" in said.err] == names[:3]
    compared = suite["steps"][5]["result"]["models"]
    assert list(compared) == ["mlp (tuned)", "mlp_small", "lenet", "cnn"]
    assert all(metrics["accuracy"] > 0.9 for metrics in compared.values())
    assert set(statuses(store)) == {"FINISHED"}
    suites = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    assert [run.info.run_id for run in suites] == [suite["run_id"]]
    assert len(registered_versions(store)) == 4
