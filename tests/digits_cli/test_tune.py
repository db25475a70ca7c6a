"""`digits tune`: what it prints, what it refuses, and searches whose processes are stopped or killed midway."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import point_to

from digits_cli.main import main
from experiments.tracking import Store

KEYS = {"run_id", "study", "engine", "trials", "best_value", "best_params", "best_run_id"}
SPACE = {"units_1", "dropout", "learning_rate"}
SMALL = "mlp_small --dataset uci --limit 500 --set batch_size=32 --set precision=float32"
PATIENCE = 120  # seconds: new processes take their time on a busy machine
PORT = 1  # where nobody listens


class Command:
    """A command in a process group of its own, as a terminal starts it."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digits_cli", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            # In the background of a script Ctrl-C is ignored, and children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )

    def processes(self) -> list[psutil.Process]:
        """Return those that it has started, and those that they have."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and what it said on stdout and stderr."""
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err


@contextmanager
def killed_at_the_end(command: Command) -> Iterator[None]:
    """Kill what is left of a command and the processes it has started."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(command.process.pid, signal.SIGKILL)
        if command.process.stdout and not command.process.stdout.closed:
            command.process.communicate()


Shown = Callable[..., Any]


@pytest.fixture
def shown(capfd: pytest.CaptureFixture[str]) -> Shown:
    """Return a function that runs a command, given --json, here and returns the value on stdout."""

    def run(words: str) -> Any:
        with pytest.raises(SystemExit) as end:
            main(words.split())
        said = capfd.readouterr()
        assert end.value.code == 0, said.err
        assert said.out.count("\n") == 1
        return json.loads(said.out)

    return run


def tries(store: Store) -> list[Any]:
    """Return the runs of the trials, the newest first."""
    return list(store.client.search_runs([store.experiment_id], "tags.digits.kind = 'trial'"))


def statuses(store: Store, kind: str) -> list[str]:
    found = store.client.search_runs([store.experiment_id], f"tags.digits.kind = '{kind}'")
    return sorted(run.info.status for run in found)


def wait_for_trials_halfway(store: Store, command: Command, count: int = 1, ended: int = 0) -> list[Any]:
    """Wait until so many trials are being trained and so many have ended; return the runs of those being trained."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and command.process.poll() is None:
        runs = tries(store)
        halfway = [run for run in runs if run.info.status == "RUNNING" and "val_loss" in run.data.metrics]
        if len(halfway) >= count and sum(run.info.status != "RUNNING" for run in runs) >= ended:
            return halfway
        time.sleep(0.1)
    command.process.kill()
    raise AssertionError(command.end())


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    for process in alive:
        process.kill()
    assert not alive


def tried(run: Any) -> dict[str, str]:
    return {name: run.data.params[name] for name in SPACE}


def assert_cut_off_trials_were_repeated(store: Store, cut_off: list[Any]) -> None:
    done = [tried(run) for run in tries(store) if run.info.status == "FINISHED"]
    for run in cut_off:
        assert store.client.get_run(run.info.run_id).info.status in ("KILLED", "FAILED")
        assert tried(run) in done


@dataclass(frozen=True)
class Search:
    """A search of three trials, and its command: stopped by Ctrl-C, then killed, then with one worker killed."""

    store: Store
    words: str
    ended: dict[str, Any]
    cut_off: list[Any]


@pytest.fixture(scope="module")
def disturbed(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    from experiments.tracking import open_store

    folder = tmp_path_factory.mktemp("disturbed")
    shutil.copy(empty_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        store = open_store()
        words = f"tune {SMALL} --trials 3 --workers 2 --epochs 60 --pruner none --study mine --seed 3"
        words += " --set label_smoothing=0.05 --json"
        cut_off: list[Any] = []
        command = Command(*words.split())
        with killed_at_the_end(command):
            cut_off += wait_for_trials_halfway(store, command, 2)
            processes = command.processes()
            assert len(processes) >= 2
            os.killpg(command.process.pid, signal.SIGINT)  # a terminal sends it to all of them
            ended, out, err = command.end()
        assert (ended, out) == (130, "")
        assert "Traceback" not in err
        assert err.endswith("interrupted; give the same command again to go on\n")
        assert_gone(processes)
        assert statuses(store, "trial") == ["KILLED", "KILLED"]
        assert statuses(store, "tune") == ["KILLED"]

        command = Command(*words.split())
        with killed_at_the_end(command):
            cut_off += wait_for_trials_halfway(store, command, 2)
            processes = command.processes()
            command.process.kill()
            ended, out, err = command.end()
        assert (ended, out) == (-9, "")
        assert "Traceback" not in err
        assert_gone(processes)
        assert statuses(store, "trial") == ["KILLED"] * 4

        command = Command(*words.split())
        with killed_at_the_end(command):
            before = [tried(run) for run in cut_off]  # what is cut off for the third time is given up
            killed = min(wait_for_trials_halfway(store, command, 2), key=lambda run: before.count(tried(run)))
            cut_off.append(killed)
            os.kill(int(killed.data.tags["digits.process"].rsplit(":", 2)[1]), signal.SIGKILL)
            ended, out, err = command.end()
        assert ended == 0, err
        assert "ended by signal 9 (out of memory?)" in err
        yield Search(store, words, json.loads(out), cut_off)


@pytest.mark.slow
def test_a_search_that_is_stopped_and_killed_ends_with_the_trials_asked_for(disturbed: Search) -> None:
    store, result = disturbed.store, disturbed.ended
    assert result.keys() >= KEYS
    assert (result["study"], result["engine"]) == ("mine", "optuna")
    assert (result["trials"], result["failed"], result["repeated"]) == (3, 0, 5)
    assert result["best_params"].keys() == SPACE
    assert statuses(store, "tune") == ["FINISHED"]
    ended = statuses(store, "trial")
    assert (len(ended), ended.count("FINISHED"), ended.count("RUNNING")) == (8, 3, 0)
    assert_cut_off_trials_were_repeated(store, disturbed.cut_off)


@pytest.mark.slow
def test_a_search_that_is_done_is_not_done_again(
    disturbed: Search, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to(disturbed.store.root, monkeypatch)
    before = len(tries(disturbed.store))
    assert shown(disturbed.words) == disturbed.ended
    assert len(tries(disturbed.store)) == before


@pytest.mark.slow
def test_what_a_search_found_is_trained_with(disturbed: Search, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    store, found = disturbed.store, disturbed.ended
    point_to(store.root, monkeypatch)
    latest = shown("train mlp_small --dataset uci --epochs 1 --from-study --json")
    named = shown("train mlp_small --dataset uci --epochs 1 --from-study mine --set dropout=0.25 --json")
    for result, dropout in ((latest, found["best_params"]["dropout"]), (named, 0.25)):
        run = store.client.get_run(result["run_id"])
        assert run.data.tags["digits.study_run"] == found["run_id"]
        params = run.data.params
        assert float(params["learning_rate"]) == found["best_params"]["learning_rate"]
        assert int(params["units_1"]) == found["best_params"]["units_1"]
        assert float(params["dropout"]) == dropout
        assert (params["batch_size"], params["label_smoothing"]) == ("32", "0.05")
        assert (params["epochs"], params["seed"], params["precision"]) == ("1", "0", "auto")
        assert f"`{found['run_id']}`" in run.data.tags["mlflow.note.content"]


@pytest.mark.slow
def test_a_search_by_keras_tuner_that_is_killed_goes_on(store: Store, store_folder: Path, shown: Shown) -> None:
    how = "--engine keras-tuner --sampler hyperband --epochs 4 --set batch_size=8"
    words = f"tune mlp_small --dataset uci {how} --trials 8 --workers 2 --json"
    command = Command(*words.split())
    with killed_at_the_end(command):
        wait_for_trials_halfway(store, command, 1, ended=1)
        processes = command.processes()
        command.process.kill()
        command.end()
    assert_gone(processes)
    cut_off = [run for run in tries(store) if run.info.status != "FINISHED"]
    result = shown(words)
    assert result.keys() >= KEYS
    assert (result["study"], result["engine"]) == ("uci-mlp_small-keras-tuner", "keras-tuner")
    assert (result["trials"], result["failed"], result["pruned"]) == (8, 0, 0)
    assert statuses(store, "tune") == ["FINISHED"]
    assert statuses(store, "trial").count("FINISHED") == 8
    assert "RUNNING" not in statuses(store, "trial")
    assert_cut_off_trials_were_repeated(store, cut_off)
    check_runs_of_hyperband(store, result)
    (kept,) = next(store_folder.rglob("checkpoints")).iterdir()
    best = store.client.get_run(result["best_run_id"])
    assert kept.name == best.info.run_name
    assert shown(words) == result
    assert len(tries(store)) == 8 + len(cut_off)


def check_runs_of_hyperband(store: Store, result: Any) -> None:
    parent = store.client.get_run(result["run_id"])
    assert json.loads(parent.data.tags["digits.best_params"]) == result["best_params"]
    assert parent.data.metrics["best_value"] == result["best_value"]
    assert parent.data.tags["digits.best_run_id"] == result["best_run_id"]
    files = {file.path for file in store.client.list_artifacts(result["run_id"])}
    assert files >= {"trials.csv", "search.html", "figures"}
    assert len(store.client.list_artifacts(result["run_id"], "figures")) == 5
    trials = [run for run in tries(store) if run.info.status == "FINISHED"]
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {result["run_id"]}
    assert {run.data.tags["optuna.state"] for run in trials} == {"COMPLETE"}
    lengths = {}
    for run in trials:
        steps = [point.step for point in store.client.get_metric_history(run.info.run_id, "val_accuracy")]
        assert steps == list(range(1, len(steps) + 1))
        lengths[run.data.tags["digits.trial"]] = len(steps)
    assert sorted(lengths) == list("01234567")
    continued = [run for run in trials if "digits.continues" in run.data.tags]
    assert continued
    for run in continued:
        assert lengths[run.data.tags["digits.trial"]] > lengths[run.data.tags["digits.continues"]]


Refused = Callable[..., str]


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Refused:
    """Return a function that runs a command which must fail, and returns the one line it says."""

    def run(words: str, code: int = 2) -> str:
        with pytest.raises(SystemExit) as end:
            main(words.split())
        said = capfd.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        assert end.value.code == code, said.err
        assert len(errors) == 1, said.err
        assert said.err.endswith(f"{errors[0]}\n")
        assert "Traceback" not in said.err
        assert said.out == ""
        return errors[0]

    return run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--engine hyperopt", "there is no engine 'hyperopt'; choose one of optuna, keras-tuner"),
        ("--sampler gp", "there is no sampler 'gp'; choose one of tpe, random, grid, cmaes, qmc"),
        ("--engine keras-tuner --sampler tpe", "there is no sampler 'tpe'; choose one of bayesian, random, hyperband"),
        ("--pruner asha", "there is no pruner 'asha'; choose one of hyperband, median, none"),
        ("--engine keras-tuner --pruner median", "--pruner goes with --engine optuna"),
        ("--engine keras-tuner --storage sqlite:///x.db", "--storage goes with --engine optuna"),
        ("--engine keras-tuner --cluster auto", "--cluster goes with --engine optuna"),
        ("--trials 0", "trials must be at least 1, received 0"),
        ("--trials many", "Invalid value for '--trials'"),
        ("--workers 0", "workers must be at least 1, received 0"),
        ("--worker-cpus -1", "worker-cpus must be at least 0, received -1.0"),
        ("--epochs 0", "epochs must be at least 1, received 0"),
        ("--limit 0", "limit must be at least 1, received 0"),
        ("--seed -1", "seed must be in"),
        ("--set units_2=5", "there is no setting 'units_2'"),
        ("--set dropout", "--set needs key=value, received 'dropout'"),
        ("--study=", "the name of a study must not be empty"),
        (
            "--set units_1=64 --set dropout=0.1 --set learning_rate=0.01",
            "every setting that mlp_small is searched over is fixed: leave one of units_1, dropout, learning_rate free",
        ),
        ("--storage oracle://u@h/x", "there is no driver for oracle://u@h/x"),
        ("--storage ://", "'://' is not a database URL such as postgresql+psycopg://USER:PASSWORD@HOST/NAME"),
        (
            "--storage nonsense",
            "--storage needs a database URL such as postgresql+psycopg://USER:PASSWORD@HOST/NAME, received 'nonsense'",
        ),
        ("--storage=", "--storage needs a database URL such as"),
        ("--storage postgresql+psycopg://me:geheim@host:port/x", "'postgresql+psycopg://me:***@host:port/x' is not a"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    refused: Refused, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.workflows.tune.run.run_search", lambda *_: pytest.fail("the search has started"))
    assert message in refused(f"tune mlp_small --dataset uci {options}")
    assert not store.client.search_runs([store.experiment_id])
    assert {file.name for file in tmp_path.iterdir()} == {"project"}


@pytest.mark.usefixtures("store")
def test_a_network_that_does_not_exist_is_named(refused: Refused) -> None:
    assert "there is no model 'mlpp' (did you mean mlp?)" in refused("tune mlpp")
    assert "Missing argument 'model' (see digits tune --help)" in refused("tune")


def test_a_database_that_is_not_there_is_named_soon(refused: Refused, store: Store) -> None:
    start = time.monotonic()
    url = f"postgresql+psycopg://me:geheim@127.0.0.1:{PORT}/x"
    said = refused(f"tune mlp_small --dataset uci --storage {url}", code=1)
    assert time.monotonic() - start < 12
    assert f"cannot reach the study's database postgresql+psycopg://me:***@127.0.0.1:{PORT}/x: " in said
    assert "geheim" not in said
    assert not store.client.search_runs([store.experiment_id])


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        ("--from-study", "there is no study of mlp on uci; run: digits tune mlp --dataset uci", 1),
        ("--from-study mine", "there is no study 'mine' of mlp on uci", 1),
        ("--from-study mine --set colour=red", "there is no setting 'colour'", 2),
    ],
)
def test_a_study_that_does_not_exist_is_named(refused: Refused, words: str, message: str, code: int) -> None:
    assert message in refused(f"train mlp --dataset uci {words}", code)


@pytest.mark.usefixtures("store")
def test_all_networks_cannot_be_trained_by_one_study(refused: Refused) -> None:
    assert "--from-study needs one network" in refused("train all --from-study mine")
