"""Studies that several processes share, and that processes leave in the middle."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from experiments.errors import UsageError
from experiments.models import Recipe
from experiments.models.space import Choices, Floats, Integers, Space
from experiments.processes import this_process
from experiments.tuning import Search, Trial, finished_trials, optuna_engine, storage
from experiments.tuning.optuna_engine import OptunaEngine, as_study, open_study
from experiments.tuning.samplers.grid import grid
from experiments.tuning.search import MAX_ATTEMPTS, TrialState

RECIPE = Recipe(epochs=9, dropout=0.3, learning_rate=2e-3, network={"units_1": 224})
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}
SEARCH = Search("s", "optuna", "mlp", "uci", "0a1b", RECIPE, SPACE, sampler="random", pruner="none")
GRID = replace(SEARCH, sampler="grid", space={"dropout": Floats(0.0, 0.5, step=0.1), "batch_size": Choices((64, 128))})
ELSEWHERE = "elsewhere:1:0"


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "study.journal")


def opened(place: str, total: int = 5, search: Search = SEARCH) -> OptunaEngine:
    return open_study(search, place, total, lambda: "run")


def claimed(engine: OptunaEngine) -> Trial:
    trial = engine.ask(this_process())
    assert trial is not None
    return trial


def end(engine: OptunaEngine, trial: Trial, state: TrialState = "complete") -> None:
    engine.tell(trial.number, state, 0.5 if state == "complete" else None, 1.0)


def end_all(engine: OptunaEngine) -> Sequence[Trial]:
    while trial := engine.ask(this_process()):
        end(engine, trial)
    return engine.trials()


def test_what_one_process_notes_of_a_trial_another_reads(place: str) -> None:
    engine = opened(place)
    trial = claimed(engine)
    engine.set_run(trial.number, "r0")
    assert not engine.report(trial.number, 1, 0.25)
    assert not engine.report(trial.number, 2, 0.75)
    (seen,) = opened(place).trials()
    assert seen.seconds is not None
    assert replace(seen, seconds=None) == replace(trial, run_id="r0", curve=[0.25, 0.75], process=this_process())
    engine.tell(trial.number, "complete", 0.75, 12.5)
    (seen,) = opened(place).trials()
    assert seen == replace(trial, state="complete", value=0.75, seconds=12.5, run_id="r0", curve=[0.25, 0.75])


@pytest.mark.parametrize(
    ("state", "value", "error"), [("complete", 0.0, None), ("pruned", None, None), ("failed", None, "OSError: no")]
)
def test_a_trial_ends_as_what_it_was(state: TrialState, value: float | None, error: str | None, place: str) -> None:
    engine = opened(place)
    trial = claimed(engine)
    engine.tell(trial.number, state, value, 1.5, error)
    (seen,) = opened(place).trials()
    assert (seen.state, seen.value, seen.seconds, seen.error, seen.again) == (state, value, 1.5, error, False)
    assert seen.params == trial.params


def test_slots_are_counted_down_as_trials_are_claimed_and_end(place: str) -> None:
    engine, other = opened(place, total=2), opened(place, total=2)
    assert (engine.remaining(), engine.available(), len(engine.trials())) == (2, 2, 0)
    one = claimed(engine)
    assert (other.remaining(), other.available(), len(other.trials())) == (2, 1, 1)
    two = claimed(other)
    assert (engine.remaining(), engine.available()) == (2, 0)
    assert engine.ask(this_process()) is None
    end(engine, one)
    assert (other.remaining(), other.available()) == (1, 0)
    end(other, two, "failed")
    assert (engine.remaining(), engine.available()) == (1, 1)
    end(engine, claimed(engine), "pruned")
    assert (other.remaining(), other.available(), len(other.trials())) == (0, 0, 3)


def test_engines_that_take_turns_never_take_the_same_slot_and_end_at_the_total(place: str) -> None:
    engines = [opened(place, total=7) for _ in range(3)]
    taken: list[int] = []
    while any(engine.remaining() for engine in engines):
        trials = [(engine, engine.ask(this_process())) for engine in engines]
        for engine, trial in trials:
            if trial:
                taken.append(trial.number)
                end(engine, trial, "failed" if trial.number in (1, 2, 6) else "complete")
    assert sorted(taken) == list(range(10))
    assert len(finished_trials(engines[0].trials())) == 7


def test_a_database_is_shared_as_a_journal_is(tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path}/study.db"
    engines = [opened(place, total=3) for _ in range(2)]
    one, another = (claimed(engine) for engine in engines)
    engines[0].report(one.number, 1, 0.5)
    end(engines[0], one)
    end(engines[1], another, "failed")
    sent: OptunaEngine = pickle.loads(pickle.dumps(engines[0]))
    assert sent.trials() == engines[1].trials()
    assert [trial.state for trial in end_all(sent)] == ["complete", "failed", "complete", "complete"]
    assert [engine.remaining() for engine in engines] == [0, 0]


def test_slots_beyond_the_total_are_not_taken(place: str) -> None:
    opened(place, total=8)
    engine = opened(place, total=3)
    assert engine.remaining() == engine.available() == 3
    end(engine, claimed(engine), "failed")
    assert engine.remaining() == engine.available() == 3
    assert [trial.state for trial in end_all(engine)] == ["failed", *["complete"] * 3]
    assert engine.remaining() == 0
    assert opened(place, total=8).available() == 5


def work(engine: OptunaEngine) -> list[int]:
    """Do trials until there are none; every fourth fails."""
    done: list[int] = []
    while trial := engine.ask(this_process()):
        engine.report(trial.number, 1, 0.5)
        end(engine, trial, "failed" if trial.number % 4 == 3 else "complete")
        done.append(trial.number)
    return done


def assert_shared(done: Sequence[Sequence[int]], engine: OptunaEngine, total: int) -> None:
    numbers = sorted(number for numbers in done for number in numbers)
    assert len(numbers) == len(set(numbers))
    trials = engine.trials()
    assert [trial.number for trial in trials] == numbers
    assert len(finished_trials(trials)) == total
    assert engine.remaining() == 0


def test_threads_share_the_trials(place: str) -> None:
    engine = opened(place, total=20)
    engines = [pickle.loads(pickle.dumps(engine)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, engines))
    assert_shared(done, engine, total=20)


CHILD = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from experiments.processes import this_process
engine = pickle.loads(Path(sys.argv[1]).read_bytes())
"""
WORK = """
print("ready", flush=True)
sys.stdin.readline()
while trial := engine.ask(this_process()):
    engine.report(trial.number, 1, 0.5)
    engine.tell(trial.number, "failed" if trial.number % 4 == 3 else "complete", 0.5, 1.0)
    print(trial.number, flush=True)
"""
CLAIM = """
print(engine.ask(this_process()).number, flush=True)
sys.stdin.readline()
"""


@contextmanager
def child(engine: OptunaEngine, code: str, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """Start a process that does something with a copy of an engine, and kill it in the end."""
    file = folder / "engine.pickle"
    file.write_bytes(pickle.dumps(engine))
    command = [sys.executable, "-c", CHILD + code, str(file), str(Path(__file__).parents[2])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.slow
def test_processes_share_the_trials(place: str, tmp_path: Path) -> None:
    engine = opened(place, total=24)
    with child(engine, WORK, tmp_path) as a, child(engine, WORK, tmp_path) as b, child(engine, WORK, tmp_path) as c:
        processes = [a, b, c]
        assert [line(process) for process in processes] == ["ready"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        done = [[int(number) for number in process.communicate()[0].split()] for process in processes]
        assert [process.returncode for process in processes] == [0, 0, 0]
    assert_shared(done, engine, total=24)


@pytest.mark.slow
def test_the_trial_of_a_process_that_was_killed_is_found_and_tried_again(place: str, tmp_path: Path) -> None:
    engine = opened(place, total=2)
    with child(engine, CLAIM, tmp_path) as process:
        number = int(line(process))
        assert engine.abandoned() == []  # it lives
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert [trial.number for trial in engine.abandoned()] == [number]  # nobody has asked for its end: a zombie
        process.wait()
    (trial,) = engine.abandoned()
    assert (trial.number, trial.state) == (number, "running")
    engine.requeue(number, "gone")
    assert engine.abandoned() == []
    assert (engine.remaining(), engine.available()) == (2, 2)
    trials = end_all(engine)
    assert [(trial.number, trial.state, trial.again) for trial in trials] == [
        (0, "failed", True),
        (1, "complete", False),
        (2, "complete", False),
    ]
    assert trials[2].params == trials[0].params == trial.params


SILENT = """
from experiments.tuning import optuna_engine
optuna_engine.HEARTBEAT_SECONDS = 0.3
print(engine.ask("elsewhere:1:0").number, flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
def test_the_trial_of_a_machine_that_fell_silent_is_found_in_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 3)
    engine = opened(f"sqlite:///{tmp_path}/study.db", total=2)
    with child(engine, SILENT, tmp_path) as process:
        number = int(line(process))
        time.sleep(4)
        assert engine.abandoned() == []
    deadline = time.monotonic() + 10
    while not engine.abandoned() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [trial.number for trial in engine.abandoned()] == [number]
    engine.requeue(number, "silent")
    assert engine.abandoned() == []
    assert [trial.state for trial in end_all(engine)] == ["failed", "complete", "complete"]


def test_a_trial_of_this_process_or_of_another_machine_is_not_stale(place: str) -> None:
    engine = opened(place)
    claimed(engine)
    assert engine.ask(ELSEWHERE) is not None
    assert engine.abandoned() == opened(place).abandoned() == []


def test_a_trial_that_is_requeued_is_tried_again_until_that_has_happened_often(place: str) -> None:
    engine = opened(place, total=2)
    first = claimed(engine)
    end(engine, claimed(engine))
    requeued: list[int] = []
    trial: Trial | None = first
    while trial and len(requeued) < 10 and trial.params == first.params:
        engine.requeue(trial.number, f"gone {len(requeued)}")
        requeued.append(trial.number)
        assert (engine.remaining(), engine.available()) == (1, 1)
        trial = engine.ask(this_process())
    assert requeued == [0, 2, 3]
    assert len(requeued) == MAX_ATTEMPTS
    assert trial is not None  # another in its place
    end(engine, trial)
    assert engine.remaining() == 0
    assert [(t.number, t.state, t.error, t.again) for t in engine.trials()] == [
        (0, "failed", "gone 0", True),
        (1, "complete", None, False),
        (2, "failed", "gone 1", True),
        (3, "failed", "gone 2", False),
        (4, "complete", None, False),
    ]


def test_several_that_give_the_same_trial_back_add_one_slot(place: str) -> None:
    engine, other = opened(place, total=3), opened(place, total=3)
    trial = claimed(engine)
    other.requeue(trial.number, "gone")
    engine.requeue(trial.number, "interrupted")
    other.requeue(trial.number, "gone")
    assert engine.available() == other.available() == 3
    trials = end_all(engine)
    assert [trial.state for trial in trials] == ["failed", *["complete"] * 3]
    assert trials[0].error == "gone"
    assert trials[-1].params == trials[0].params


def test_a_trial_that_ended_is_not_requeued(place: str) -> None:
    engine = opened(place, total=1)
    trial = claimed(engine)
    end(engine, trial)
    opened(place, total=1).requeue(trial.number, "gone")
    assert [trial.state for trial in engine.trials()] == ["complete"]
    assert engine.remaining() == 0


@pytest.mark.parametrize("state", ["complete", "pruned", "failed"])
def test_a_process_that_was_thought_to_be_gone_may_end_its_trial_to_no_effect(state: TrialState, place: str) -> None:
    engine, other = opened(place, total=2), opened(place, total=2)
    trial = claimed(engine)
    other.requeue(trial.number, "silent")
    end(engine, trial, state)
    assert [(trial.state, trial.error, trial.again) for trial in engine.trials()] == [("failed", "silent", True)]
    assert engine.available() == 2


def take_and_die(engine: OptunaEngine, place: str) -> int:
    """Take a slot as a process does that is killed before it has asked for any value."""
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    study = optuna.load_study(study_name=engine.search.name, storage=storage)
    slot = next(trial for trial in study.trials if trial.state == optuna.trial.TrialState.WAITING)
    assert storage.set_trial_state_values(slot._trial_id, optuna.trial.TrialState.RUNNING)
    return slot.number


def test_a_slot_taken_by_a_process_that_died_at_once_is_filled_anew(place: str) -> None:
    engine = opened(place, total=3)
    number = take_and_die(engine, place)
    assert engine.abandoned() == []  # it may be about to say who it is
    engine.requeue(number, "gone")
    trials = end_all(engine)
    assert len(finished_trials(trials)) == 3
    assert all(set(trial.params) == set(SPACE) for trial in finished_trials(trials))


@pytest.mark.parametrize("search", [SEARCH, GRID], ids=["the recipe's own", "a grid's"])
def test_the_point_of_a_slot_taken_by_a_process_that_died_at_once_is_not_lost(search: Search, place: str) -> None:
    engine = opened(place, 100 if search.sampler == "grid" else 1, search)
    lost = (
        grid(search.space, search.seed)[0]
        if search.sampler == "grid"
        else {"units_1": 224, "dropout": 0.3, "batch_size": 128}
    )
    engine.requeue(take_and_die(engine, place), "gone")
    trials = finished_trials(end_all(engine))
    assert any(lost.items() <= trial.params.items() for trial in trials)
    if search.sampler == "grid":
        assert len(trials) == len(grid(search.space, search.seed))


def test_an_engine_that_is_sent_away_is_the_same_engine(place: str) -> None:
    engine = opened(place, total=3)
    end(engine, claimed(engine))
    sent: OptunaEngine = pickle.loads(pickle.dumps(engine))
    assert sent.search == SEARCH
    assert sent.trials() == engine.trials()
    assert (sent.total, sent.remaining(), sent.parent_run()) == (3, 2, "run")
    end(sent, claimed(sent))
    assert engine.remaining() == 1
    assert pickle.loads(pickle.dumps(sent)).trials() == engine.trials()


def test_who_makes_a_study_says_what_it_is_and_who_joins_it_does_not(place: str) -> None:
    asked: list[str] = []

    def make_run() -> str:
        asked.append("asked")
        return f"run {len(asked)}"

    engines = [open_study(SEARCH, place, 3, make_run) for _ in range(3)]
    assert asked == ["asked"]
    assert [engine.parent_run() for engine in engines] == ["run 1"] * 3
    assert [engine.available() for engine in engines] == [3] * 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "mnist"}, "its dataset was uci, now it is mnist"),
        ({"sampler": "tpe"}, "its sampler was random, now it is tpe"),
        ({"recipe": replace(RECIPE, seed=1)}, "its setting seed was 0, now it is 1"),
        ({"space": {**SPACE, "batch_size": Choices((64, 128))}}, "its range of batch_size was "),
    ],
)
def test_a_study_that_was_another_search_is_refused_and_left_alone(
    changes: dict[str, Any], message: str, place: str
) -> None:
    engine = opened(place, total=2)
    before = Path(place).read_bytes()
    with pytest.raises(UsageError, match=f"study 's' exists and is another search: {message}"):
        opened(place, 9, replace(SEARCH, **changes))
    assert engine.available() == 2
    assert Path(place).read_bytes().startswith(before)


def test_one_journal_holds_several_studies(place: str) -> None:
    a, b = opened(place, 2), opened(place, 3, replace(SEARCH, name="another", dataset="mnist"))
    assert (len(end_all(a)), len(end_all(b))) == (2, 3)


def test_a_study_whose_maker_was_killed_before_it_could_say_what_it_is_is_introduced_by_another(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna_engine, "JOIN_SECONDS", 0.5)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    optuna.create_study(study_name="s", storage=storage, direction="maximize")
    engine = opened(place, total=1)
    assert engine.parent_run() == "run"
    with pytest.raises(UsageError, match="another search"):
        opened(place, 1, replace(SEARCH, digest="ffff"))


def test_ended_trials_of_any_engine_make_a_study_of_optuna_s() -> None:
    params = {"units_1": 64, "dropout": 0.30000000000000004, "learning_rate": 1e-3, "batch_size": 256}
    trials = [
        Trial(0, "complete", params, value=0.5, curve=[0.4, 0.5]),
        Trial(1, "pruned", params, curve=[0.1]),
        Trial(2, "failed", params),
        Trial(3, "running", params),
        Trial(4, "complete", params),
        Trial(5, "complete", {**params, "earlier": 1}, value=0.75),
    ]
    study = as_study(trials, SPACE)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL", "COMPLETE"]
    assert [trial.params for trial in study.trials] == [params] * 4
    assert [trial.intermediate_values for trial in study.trials] == [{1: 0.4, 2: 0.5}, {1: 0.1}, {}, {}]
    assert study.best_value == 0.75


def finish(place: str, search: Search, cuts: set[int]) -> list[tuple[dict[str, Any], str, list[float]]]:
    """Finish a search of 9 trials with one process, killed before the given steps; return its trials in their order."""
    engine, step = opened(place, 9, search), 0
    while trial := engine.ask(this_process()):
        best = -(((trial.params["units_1"] - 224) / 480) ** 2) - trial.params["dropout"]
        for epoch in range(1, 4):
            step += 1
            if step in cuts:
                engine = opened(place, 9, search)
                engine.requeue(trial.number, "killed", suspect=False)
                break
            if engine.report(trial.number, epoch, best / epoch):
                engine.tell(trial.number, "pruned", None, 1.0)
                break
        else:
            engine.tell(trial.number, "complete", best / 3, 1.0)
    ended = sorted(
        (trial for trial in engine._study.trials if trial.state.name != "FAIL"), key=optuna_engine._place_in_queue
    )
    return [(trial.params, trial.state.name, [*trial.intermediate_values.values()]) for trial in ended]


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
@pytest.mark.parametrize("cuts", [{1}, {3, 4, 5, 6, 7}, {5, 9, 14, 15, 20, 21, 22, 25, 28, 30}], ids=str)
def test_a_search_that_is_killed_and_continued_tries_and_prunes_the_same(
    sampler: str, cuts: set[int], tmp_path: Path
) -> None:
    search = replace(SEARCH, sampler=sampler, pruner="median")
    undisturbed = finish(str(tmp_path / "undisturbed"), search, set())
    assert "PRUNED" in {state for _, state, _ in undisturbed}
    assert finish(str(tmp_path / "killed"), search, cuts) == undisturbed
