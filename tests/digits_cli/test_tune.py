"""`digits tune`: what it prints, what it refuses, and searches whose processes are stopped or killed midway."""

import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest
from conftest import Digits
from fake_fit import FakeFit
from search_commands import SPACE, Command, Hold, cut_off_and_repeated, halfway, pid, runs_of, statuses

from experiments.tracking import Store

KEYS = {"run_id", "study", "engine", "trials", "best_value", "best_params", "best_run_id"}
SMALL = "tune mlp_small --dataset uci --workers 2 --json"
PORT = 1  # where nobody listens


def assert_all_end(processes: list[psutil.Process]) -> None:
    assert processes
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_search_that_is_stopped_and_loses_a_worker_ends_with_the_requested_trials_to_train_with(
    store: Store, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"{SMALL} --trials 3 --epochs 3 --pruner none --study mine --seed 3 --limit 500 --set batch_size=32"
    words += " --set precision=float32 --set label_smoothing=0.05"
    hold = Hold(store)
    with Command(words) as command:
        command.wait_until(lambda: len(halfway(store)) == 2)
        children = command.children()
        os.killpg(command.process.pid, signal.SIGINT)  # a terminal sends it to all of them
        ended, out, err = command.end()
        assert (ended, out) == (130, "")
        assert err.endswith("interrupted; give the same command again to go on\n")
        assert_all_end(children)
    assert (statuses(store, "tune"), statuses(store, "trial")) == (["KILLED"], ["KILLED"] * 2)

    with Command(words) as command:
        command.wait_until(lambda: len(halfway(store)) == 2)
        os.kill(pid(halfway(store)[0]), signal.SIGKILL)
        hold.release()
        ended, out, err = command.end()
    assert ended == 0, err
    assert "ended by signal 9 (out of memory?)" in err
    assert len(re.findall(r"^trial \d+: 0\.\d{4} ", err, re.MULTILINE)) == 3
    result = json.loads(out)
    assert result.keys() >= KEYS
    assert (result["study"], result["engine"]) == ("mine", "optuna")
    assert (result["trials"], result["failed"], result["repeated"]) == (3, 0, 3)
    assert result["best_params"].keys() == SPACE
    assert statuses(store, "tune") == ["FINISHED"]
    assert len(cut_off_and_repeated(store, 3)) == 3
    files = {file.path for file in store.client.list_artifacts(result["run_id"])}
    assert files >= {"trials.csv", "search.html", "figures"}
    figures = [Path(file.path).suffix for file in store.client.list_artifacts(result["run_id"], "figures")]
    assert figures == [".png"] * 5

    assert digits(words).value() == result
    assert len(runs_of(store, "trial")) == 6

    monkeypatch.setattr("experiments.workflows.train.run.fit", FakeFit())
    trained = digits("train mlp_small --dataset uci --epochs 1 --from-study mine --set dropout=0.25 --json").value()
    run = store.client.get_run(trained["run_id"])
    assert run.data.tags["digits.study_run"] == result["run_id"]
    assert f"`{result['run_id']}`" in run.data.tags["mlflow.note.content"]
    params = run.data.params
    best = {name: float(params[name]) for name in ("learning_rate", "units_1")}
    assert best.items() <= result["best_params"].items()
    assert (params["dropout"], params["batch_size"], params["label_smoothing"]) == ("0.25", "32", "0.05")
    assert (params["epochs"], params["seed"], params["precision"]) == ("1", "0", "auto")


@pytest.mark.slow
def test_a_search_by_keras_tuner_that_is_killed_continues(store: Store) -> None:
    words = f"{SMALL} --trials 8 --engine keras-tuner --sampler hyperband --epochs 4"
    hold = Hold(store, passing=1)
    with Command(words) as command:
        command.wait_until(lambda: len(halfway(store)) == 2 and "FINISHED" in statuses(store, "trial"))
        children = command.children()
        command.process.kill()
        command.end()
        assert_all_end(children)
    hold.release()
    killed = sum(run.info.status != "FINISHED" for run in runs_of(store, "trial"))
    with Command(words) as command:
        result = command.result()
    assert result.keys() >= KEYS
    assert (result["engine"], result["trials"], result["failed"], result["pruned"]) == ("keras-tuner", 8, 0, 0)
    assert statuses(store, "tune") == ["FINISHED"]
    assert len(cut_off_and_repeated(store, 8)) == killed
    finished = {run.data.tags["digits.trial"]: run for run in runs_of(store, "trial") if run.info.status == "FINISHED"}
    assert sorted(finished) == list("01234567")
    lengths = {}
    for number, run in finished.items():
        steps = [point.step for point in store.client.get_metric_history(run.info.run_id, "val_accuracy")]
        assert steps == list(range(1, len(steps) + 1))
        lengths[number] = len(steps)
    continued = {number: run.data.tags.get("digits.continues") for number, run in finished.items()}
    assert any(continued.values())
    assert all(lengths[later] > lengths[earlier] for later, earlier in continued.items() if earlier)


def test_a_database_that_does_not_answer_is_named(digits: Digits, store: Store) -> None:
    url = f"postgresql+psycopg://me:geheim@127.0.0.1:{PORT}/x"
    said = digits(f"tune mlp_small --dataset uci --storage {url}").error(1)
    assert f"postgresql+psycopg://me:***@127.0.0.1:{PORT}/x: " in said
    assert not store.client.search_runs([store.experiment_id])
