"""Studies that several processes share, and that processes leave in the middle; see also test_every_engine.py."""

import pickle
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from searches import SPACE, claim, counts, end, make_search, params_of, run_all

from experiments.errors import UsageError
from experiments.models.space import Choices, Floats
from experiments.processes import this_process
from experiments.tuning import Search, Trial, finished_trials, optuna_engine
from experiments.tuning.optuna_engine import OptunaEngine, as_study, open_study
from experiments.tuning.samplers.grid import grid
from experiments.tuning.search import TrialState

SEARCH = make_search()
GRID = make_search("grid", space={"dropout": Floats(0.0, 0.5, step=0.1), "batch_size": Choices((64, 128))})
ELSEWHERE = "elsewhere:1:0"


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "study.journal")


def opened(place: str, total: int = 5, search: Search = SEARCH) -> OptunaEngine:
    return open_study(search, place, total, lambda: "run")


def work(engine: OptunaEngine) -> list[int]:
    """Run trials until there are none; every fourth fails."""
    done: list[int] = []
    while trial := engine.ask(this_process()):
        engine.report(trial.number, 1, 0.5)
        end(engine, trial, "failed" if trial.number % 4 == 3 else "complete")
        done.append(trial.number)
    return done


def assert_shared(done: Sequence[int], engine: OptunaEngine, total: int) -> None:
    assert [trial.number for trial in engine.trials()] == sorted(done) == list(range(len(done)))
    assert len(finished_trials(engine.trials())) == total
    assert engine.remaining() == 0


@pytest.mark.parametrize("database", [False, True], ids=["journal", "database"])
def test_engines_that_take_turns_share_the_trials(database: bool, place: str) -> None:
    place = f"sqlite:///{place}" if database else place
    first, total = opened(place, total=7), 7
    sent: OptunaEngine = pickle.loads(pickle.dumps(first))
    assert (sent.search, sent.total, sent.parent_run()) == (SEARCH, total, "run")
    engines, done = [first, opened(place, total), sent], list[int]()
    assert [counts(engine) for engine in engines] == [(total, total)] * 3
    for _ in range(6):
        trials = [(engine, engine.ask(this_process())) for engine in engines]
        for engine, trial in trials:
            if trial:
                done.append(trial.number)
                end(engine, trial, "failed" if trial.number in (1, 2, 6) else "complete")
    assert len(done) == 10
    assert_shared(done, first, total)
    assert [engine.trials() for engine in engines] == [first.trials()] * 3


def test_threads_share_the_trials(place: str) -> None:
    engine = opened(place, total=20)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, [pickle.loads(pickle.dumps(engine)) for _ in range(4)]))
    assert_shared([number for numbers in done for number in numbers], engine, total=20)


def test_queued_trials_beyond_the_total_do_not_start(place: str) -> None:
    opened(place, total=8)
    engine = opened(place, total=3)
    assert counts(engine) == (3, 3)
    end(engine, claim(engine), "failed")
    assert counts(engine) == (3, 3)
    assert [trial.state for trial in run_all(engine)] == ["failed", *["complete"] * 3]
    assert engine.remaining() == 0
    assert opened(place, total=8).available() == 5


def test_a_trial_of_this_process_or_of_another_machine_is_not_abandoned(place: str) -> None:
    engine = opened(place)
    claim(engine)
    claim(engine, ELSEWHERE)
    assert engine.abandoned() == opened(place).abandoned() == []


def test_the_trial_of_a_machine_that_falls_silent_is_abandoned(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_behind() -> None:
        with sqlite3.connect(place) as database:
            database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")
        database.close()

    monkeypatch.setattr(optuna_engine, "HEARTBEAT_SECONDS", 0.05)
    machine, other = opened(f"sqlite:///{place}", 2), opened(f"sqlite:///{place}", 2)
    trial = claim(machine, ELSEWHERE)
    assert other.abandoned() == []
    fall_behind()
    deadline = time.monotonic() + 60
    while other.abandoned() and time.monotonic() < deadline:  # until the next heartbeat
        time.sleep(0.01)
    assert other.abandoned() == []
    monkeypatch.setattr(optuna_engine, "HEARTBEAT_SECONDS", 3600)
    end(machine, trial)
    silent = claim(machine, ELSEWHERE)
    fall_behind()
    assert [trial.number for trial in other.abandoned()] == [silent.number]
    other.requeue(silent.number, "silent")
    assert other.abandoned() == []
    assert [trial.state for trial in run_all(other)] == ["complete", "failed", "complete"]


def test_several_that_requeue_the_same_trial_repeat_it_once(place: str) -> None:
    engine, other = opened(place, total=3), opened(place, total=3)
    trial = claim(engine)
    other.requeue(trial.number, "gone")
    engine.requeue(trial.number, "interrupted")
    other.requeue(trial.number, "gone")
    assert engine.available() == other.available() == 3
    trials = run_all(engine)
    assert [trial.state for trial in trials] == ["failed", *["complete"] * 3]
    assert trials[0].error == "gone"
    assert params_of(trials).count(trial.params) == 2


@pytest.mark.parametrize("state", ["complete", "pruned", "failed"])
def test_a_process_that_was_thought_to_be_gone_may_end_its_trial_to_no_effect(state: TrialState, place: str) -> None:
    engine, other = opened(place, total=2), opened(place, total=2)
    trial = claim(engine)
    other.requeue(trial.number, "silent")
    end(engine, trial, state)
    assert [(trial.state, trial.error, trial.again) for trial in engine.trials()] == [("failed", "silent", True)]
    assert engine.available() == 2


@pytest.mark.parametrize("search", [SEARCH, GRID], ids=["the recipe's own values", "a point of a grid"])
def test_what_was_queued_is_not_lost_with_a_process_that_is_killed_before_it_says_who_it_is(
    search: Search, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = opened(place, 100 if search is GRID else 3, search)
    total, storage = engine.total, optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    queued = optuna.load_study(study_name="s", storage=storage).trials[0]
    assert storage.set_trial_state_values(queued._trial_id, optuna.trial.TrialState.RUNNING)
    assert engine.abandoned() == []  # it may be about to say so
    monkeypatch.setattr(optuna_engine, "GRACE_SECONDS", 0)
    (lost,) = engine.abandoned()
    engine.requeue(lost.number, "gone")
    trials = finished_trials(run_all(engine))
    own = {"units_1": 224, "dropout": 0.3, "batch_size": 128}
    expected = grid(GRID.space, GRID.seed)[0] if search is GRID else own
    assert any(expected.items() <= trial.params.items() for trial in trials)
    assert len(trials) == total
    assert all(trial.params.keys() == search.space.keys() for trial in trials)


def test_a_study_whose_creator_was_killed_is_introduced_by_the_next_process(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna_engine, "JOIN_SECONDS", 0.5)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    optuna.create_study(study_name="s", storage=storage, direction="maximize")
    assert opened(place).parent_run() == "run"
    with pytest.raises(UsageError, match="ffff"):
        opened(place, 1, replace(SEARCH, digest="ffff"))


def test_a_trial_is_repeated_though_another_process_fills_the_queue_as_it_is_requeued(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, other = opened(place, 2), opened(place, 2)
    first, _ = claim(engine), claim(engine)
    enqueue = optuna.Study.enqueue_trial

    def enqueue_late(study: optuna.Study, params: dict[str, object], **notes: object) -> None:
        if notes:  # it repeats another
            other.enqueue_missing()
        enqueue(study, params, **notes)  # type: ignore[arg-type]

    monkeypatch.setattr(optuna.Study, "enqueue_trial", enqueue_late)
    engine.requeue(first.number, "stopped", suspect=False)
    assert counts(engine) == (2, 1)
    assert claim(other).params == first.params


def test_one_journal_holds_several_studies(place: str) -> None:
    a, b = opened(place, 2), opened(place, 3, replace(SEARCH, name="another", dataset="mnist"))
    assert (len(run_all(a)), len(run_all(b))) == (2, 3)


def test_ended_trials_of_any_engine_make_a_study_of_optuna() -> None:
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
