"""Commands that are stopped midway, as a user or a system would stop them, and run again."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import killed
import pytest
from conftest import Digits, Trained, point_to
from fake_fit import FakeFit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from digits_cli.console import Console
from experiments.tracking import Store, open_store, registered_versions
from experiments.workflows.suite.profiles import PROFILES

ROOT = Path(__file__).parents[2]
# Everything that draws random numbers is on.
TRAIN = (
    "train mlp_small --dataset uci --epochs 4 --batch-size 32 --precision float32 --set patience=0 --set dropout=0.2 "
    "--set rotation=10"
)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Let signals reach `main`: in the background of a script SIGINT is ignored. Restore the handlers in the end."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def stopped(sent: str, at: str, words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a separate process that is stopped when it reports a line."""
    command = [sys.executable, killed.__file__, sent, at, *words.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def statuses(store: Store, kind: str) -> list[str]:
    runs = store.client.search_runs([store.experiment_id], f"tags.`digits.kind` = '{kind}'")
    return sorted(run.info.status for run in runs)


def losses(store: Store, run_id: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, "val_loss")]


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_exit_code_and_the_same_command_continues(
    store: Store, monkeypatch: pytest.MonkeyPatch, digits: Digits, sent: signal.Signals, code: int
) -> None:
    monkeypatch.setattr("experiments.workflows.train.run.fit", FakeFit())
    with monkeypatch.context() as patch:
        patch.setattr(Console, "log", killed.log_until("mlp_small epoch 2/4", sent))
        said = digits(TRAIN, "--json")
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err
    assert statuses(store, "train") == ["KILLED"]
    assert not registered_versions(store)
    resumed = digits(TRAIN, "--json").value()
    assert statuses(store, "train") == ["FINISHED"]
    assert [step for step, _ in losses(store, resumed["run_id"])] == [1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_training_that_is_killed_ends_as_an_undisturbed_one(
    store: Store,
    empty_database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    digits: Digits,
) -> None:
    killed_by = stopped("SIGKILL", "mlp_small epoch 3/4", f"{TRAIN} --json")
    assert (killed_by.returncode, killed_by.stdout) == (-signal.SIGKILL, "")
    assert not registered_versions(store)
    resumed = digits(TRAIN, "--json").value()
    assert statuses(store, "train") == ["FINISHED"]
    assert [version.version for version in registered_versions(store)] == [1]

    other = tmp_path / "undisturbed"
    other.mkdir()
    shutil.copy(empty_database, other / "mlflow.db")
    point_to(other, monkeypatch)
    expected = digits(TRAIN, "--json").value()
    assert resumed["epochs"] == expected["epochs"] == 4
    assert losses(store, resumed["run_id"]) == losses(open_store(), expected["run_id"])


@pytest.mark.slow
def test_an_analysis_that_is_killed_resumes_in_its_run(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    words = "analyze --model lenet --limit 300"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert stopped("SIGKILL", "analyze uci-lenet v1: ward", words).returncode == -signal.SIGKILL
    (left,) = trained.store.client.search_runs([trained.store.experiment_id], "attributes.status = 'RUNNING'")
    monkeypatch.setattr(import_module("experiments.analysis.held_out"), "LEAST_UPDATES", 100)
    with threadpool_limits(1):
        analysis = digits(words, "--json").value()
    assert analysis["run_id"] == left.info.run_id
    assert trained.store.client.get_run(left.info.run_id).info.status == "FINISHED"
    assert 0.8 < analysis["embedding"]["knn_accuracy"] <= 1
    held_out = [row["predicted_unseen"] == row["label"] for row in analysis["confusing"] if row["split"] == "train"]
    assert sum(held_out) > len(held_out) / 2


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_terminated_suite_continues_after_the_steps_that_were_done(
    store: Store, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    words = "run --profile quick"
    terminated = stopped("SIGTERM", "lenet epoch 2/3", words)
    assert terminated.returncode == 143, terminated.stderr
    assert "Traceback" not in terminated.stderr
    assert (statuses(store, "suite"), statuses(store, "train")) == (["KILLED"], ["FINISHED", "KILLED"])
    monkeypatch.setitem(PROFILES, "quick", killed.QUICK)
    ended = digits(words, "--json")
    suite, progress = ended.value(), ended.err
    names = ["tune mlp_small", "train mlp_small", "train lenet", "evaluate", "transfer", "report"]
    assert [step["name"] for step in suite["steps"]] == names
    for step in suite["steps"]:
        assert step.keys() >= {"name", "status", "seconds", "run_id"}
        assert step["status"] == "done"
    assert [name for name in names if f"{name}: cached" in progress] == names[:2]
    compared = suite["steps"][3]["result"]["models"]
    assert list(compared) == ["mlp_small (tuned)", "lenet"]
    assert all(metrics["accuracy"] > 0.8 for metrics in compared.values())
    assert Path(suite["steps"][-1]["result"]["page"]).is_file()
    assert statuses(store, "suite") == ["FINISHED"]
    assert statuses(store, "train") == 2 * ["FINISHED"]
    assert len(registered_versions(store)) == 2
