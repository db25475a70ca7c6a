"""What every search library and every sampler promises; those that are registered are tested."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from searches import RECIPE, SPACE, claim, counts, end, make_search, objective, params_of, run_all
from stand_ins import Manager

from experiments.errors import UsageError
from experiments.models.space import Choices, Floats, Integers, Range, Value
from experiments.processes import this_process
from experiments.tuning import ENGINES, SAMPLERS, Engine, Search, finished_trials, keras_tuner_engine, samplers_of
from experiments.tuning.samplers.sampler import STARTUP_TRIALS
from experiments.tuning.search import MAX_ATTEMPTS, TrialState

TOTAL = STARTUP_TRIALS + 3  # Optuna's samplers use their models then; Keras Tuner's Gaussian process would take seconds
ELSEWHERE = "elsewhere:1:0"
HOST, PID, STARTED = this_process().rsplit(":", 2)
DEAD = f"{HOST}:{PID}:{int(STARTED) - 1000}"  # this process's number was another's before
Open = Callable[..., Engine]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that opens a search as a command does, once the command before has ended."""
    monkeypatch.setattr(keras_tuner_engine, "_Manager", Manager)
    with ExitStack() as commands:

        def start(search: Search, total: int, make_run: Callable[[], str] = lambda: "run") -> Engine:
            commands.close()
            return commands.enter_context(search.library.open(search, tmp_path / search.name, total, None, make_run))

        yield start


@pytest.mark.parametrize("search", [make_search(samplers_of(name)[0], engine=name) for name in ENGINES], ids=ENGINES)
class TestEveryEngine:
    def test_trials_are_counted_down_as_they_start_and_end(self, search: Search, opened: Open) -> None:
        engine = opened(search, 2)
        assert (*counts(engine), len(engine.trials())) == (2, 2, 0)
        one = claim(engine)
        assert (*counts(engine), len(engine.trials())) == (2, 1, 1)
        two = claim(engine, ELSEWHERE)
        assert counts(engine) == (2, 0)
        assert engine.ask("elsewhere:2:0") is None
        end(engine, one)
        assert counts(engine) == (1, 0)
        end(engine, two, "failed")  # another is made up for it, though a worker has been told that there is none
        assert counts(engine) == (1, 1)
        end(engine, claim(engine), "pruned")
        assert counts(engine) == (0, 0)
        assert engine.ask(this_process()) is None
        engine = opened(search, 2)
        assert counts(engine) == (0, 0)
        assert [trial.state for trial in engine.trials()] == ["complete", "failed", "pruned"]

    @pytest.mark.parametrize(
        ("state", "value", "error"), [("complete", 0.0, None), ("pruned", None, None), ("failed", None, "OSError: no")]
    )
    def test_what_is_recorded_of_a_trial_is_read_by_the_next_command(
        self, search: Search, opened: Open, state: TrialState, value: float | None, error: str | None
    ) -> None:
        engine = opened(search, 2)
        trial = claim(engine)
        engine.set_run(trial.number, "r0")
        assert not engine.report(trial.number, 1, 0.25)
        assert not engine.report(trial.number, 2, 0.75)
        (running,) = engine.trials()
        ended: dict[str, Any] = {"run_id": "r0", "curve": [0.25, 0.75], "seconds": 1.5}
        assert replace(running, seconds=1.5) == replace(trial, **ended)
        engine.tell(trial.number, state, value, 1.5, error)
        expected = [replace(trial, **ended, state=state, value=value, error=error)]
        assert engine.trials() == expected
        assert opened(search, 2).trials() == expected

    def test_a_trial_ends_once(self, search: Search, opened: Open) -> None:
        engine = opened(search, 3)
        trial = claim(engine)
        end(engine, trial)
        end(engine, trial, "failed")
        engine.requeue(trial.number, "gone")
        assert [trial.state for trial in engine.trials()] == ["complete"]
        other = claim(engine)
        engine.requeue(other.number, "gone")
        end(engine, other)
        interrupted = engine.trials()[1]
        assert (interrupted.state, interrupted.error, interrupted.again) == ("failed", "gone", True)
        assert counts(engine) == (2, 2)

    def test_an_interrupted_trial_is_repeated_before_others_until_its_own_process_crashed_too_often(
        self, search: Search, opened: Open
    ) -> None:
        engine = opened(search, 3)
        trial = first = claim(engine)
        other = claim(engine, ELSEWHERE)
        for _ in range(MAX_ATTEMPTS):
            engine.requeue(trial.number, "stopped", suspect=False)
            trial = claim(engine)
            assert trial.params == first.params
        for attempt in range(1, MAX_ATTEMPTS + 1):
            engine.requeue(trial.number, f"crash {attempt}")
            crashed = next(one for one in engine.trials() if one.number == trial.number)
            assert (crashed.state, crashed.error) == ("failed", f"crash {attempt}")
            assert crashed.again == (attempt < MAX_ATTEMPTS)
            assert counts(engine) == (3, 2)
            trial = claim(engine)
            assert (trial.params == first.params) == (attempt < MAX_ATTEMPTS)
        end(engine, trial)
        end(engine, other)
        run_all(engine)
        assert len(finished_trials(engine.trials())) == 3

    def test_a_study_that_was_another_search_is_refused_and_left_alone(self, search: Search, opened: Open) -> None:
        trials = run_all(opened(search, 2))
        others: Mapping[str, dict[str, Any]] = {
            "dataset was uci, now it is mnist": {"dataset": "mnist"},
            "setting epochs was 9, now it is 3": {"recipe": replace(RECIPE, epochs=3)},
            "range of batch_size was ": {"space": {**SPACE, "batch_size": Choices((64, 128))}},
        }
        for difference, changes in others.items():
            with pytest.raises(UsageError, match=f"'s' .* {difference}.*--study"):
                opened(replace(search, **changes), 9)
        engine = opened(search, 2)
        assert (engine.trials(), engine.remaining()) == (trials, 0)

    def test_every_value_of_a_range_with_steps_is_drawn_and_no_other(self, search: Search, opened: Open) -> None:
        ranges: Mapping[str, tuple[Range, list[Value]]] = {
            "units_1": (Integers(0, 512, 64), [0, 64, 128, 192, 256, 320, 384, 448, 512]),
            "batch_size": (Choices((64, 128, 256)), [64, 128, 256]),
            "dropout": (Floats(0.0, 0.6, step=0.2), [0.0, 0.2, 0.4, 0.6]),
            "weight_decay": (Floats(0.0, 0.3, step=0.1), [0.0, 0.1, 0.2, 0.3]),
            "augmentation": (Floats(0.0, 1.5, step=0.25), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]),
        }
        space = {name: values for name, (values, _) in ranges.items()} | {"learning_rate": SPACE["learning_rate"]}
        engine = opened(replace(search, space=space), 80)
        drawn = [claim(engine, f"elsewhere:{number}:0").params for number in range(80)]
        for name, (_, expected) in ranges.items():
            assert sorted({round(params[name], 9) for params in drawn}) == expected
        assert len({params["learning_rate"] for params in drawn}) == 80

    def test_the_run_of_a_search_is_created_once(self, search: Search, opened: Open) -> None:
        runs = iter(["run 1", "run 2"])
        for _ in range(3):
            assert opened(search, 2, lambda: next(runs)).parent_run() == "run 1"


@pytest.mark.parametrize(
    "search",
    [
        pytest.param(make_search(name, engine=engine), id=f"{engine}-{name}")
        for name, sampler in SAMPLERS.items()
        for engine in sampler.engines
    ],
)
class TestEverySampler:
    def test_a_search_ends_with_the_requested_trials_all_of_them_different_points_of_the_space(
        self, search: Search, opened: Open
    ) -> None:
        engine = opened(search, TOTAL)
        assert counts(engine) == (TOTAL, TOTAL)
        trials = run_all(engine)
        assert [trial.number for trial in trials] == list(range(TOTAL))
        assert {trial.state for trial in trials} == {"complete"}
        assert counts(engine) == (0, 0)
        assert len({(*trial.params.items(), trial.until) for trial in trials}) == TOTAL
        types = {"units_1": int, "dropout": float, "learning_rate": float, "batch_size": int}
        for params in params_of(trials):
            assert [(name, type(value)) for name, value in params.items()] == [*types.items()]
            assert all(params[name] in values for name, values in SPACE.items())
            assert params.items() <= RECIPE.override(params).params().items()

    def test_more_trials_continue_where_fewer_ended(self, search: Search, opened: Open) -> None:
        before = run_all(opened(search, 9))
        fewer = opened(search, 5)
        assert fewer.remaining() <= fewer.available() == 0
        assert fewer.ask(this_process()) is None
        engine = opened(search, TOTAL)  # whose numbers have one digit more
        assert engine.trials() == before
        assert counts(engine) == (TOTAL - 9, TOTAL - 9)
        after = run_all(engine)
        assert after[:9] == before
        assert [trial.number for trial in after] == list(range(TOTAL))

    def test_workers_that_start_trials_at_the_same_time_try_different_points(
        self, search: Search, opened: Open
    ) -> None:
        engine = opened(search, 4)
        trials = [claim(engine, f"elsewhere:{number}:0") for number in range(4)]
        assert [trial.number for trial in trials] == [0, 1, 2, 3]
        assert len({tuple(trial.params.items()) for trial in trials}) == 4
        assert len({trial.params["learning_rate"] for trial in trials}) == 4 or search.algorithm.points
        for trial in reversed(trials):
            end(engine, trial)
        assert counts(engine) == (0, 0)

    def test_failed_trials_do_not_count_and_pruned_ones_do(self, search: Search, opened: Open) -> None:
        engine = opened(search, 6)
        run_all(engine, "complete", "failed", "pruned", "failed", "failed", "pruned")
        engine = opened(search, 6)
        assert counts(engine) == (0, 0)
        states = [trial.state for trial in engine.trials()]
        assert (len(states), states.count("failed"), states.count("pruned")) == (9, 3, 2)

    def test_the_last_trial_is_repeated_though_a_worker_was_told_that_there_is_none(
        self, search: Search, opened: Open
    ) -> None:
        engine = opened(search, 2)
        one, another = claim(engine, ELSEWHERE), claim(engine, "elsewhere:2:0")
        end(engine, one)
        assert engine.ask(ELSEWHERE) is None
        engine.requeue(another.number, "gone")
        assert counts(engine) == (1, 1)
        assert claim(engine).params == another.params

    def test_another_seed_is_another_search(self, search: Search, opened: Open) -> None:
        one, another = (
            params_of(run_all(opened(replace(search, name=str(seed), recipe=replace(RECIPE, seed=seed)), 3)))
            for seed in (0, 1)
        )
        assert one[1:] != another[1:]

    def test_a_search_that_is_killed_and_continued_ends_with_the_same_trials(
        self, search: Search, opened: Open
    ) -> None:
        search = replace(search, pruner=search.library.pruner, recipe=replace(RECIPE, epochs=3))
        undisturbed = finish(replace(search, name="undisturbed"), opened, set())
        assert finish(search, opened, {1, 4, 5, 6, 7, 8, 14, 15, 20, 25, 28, 30}) == undisturbed


def finish(search: Search, opened: Open, cuts: set[int]) -> list[tuple[Any, ...]]:
    """Finish a search by commands that are killed before these epochs; return its trials, whatever their order."""
    engine, count = opened(search, TOTAL), 0
    while trial := engine.ask(DEAD):
        engine.set_run(trial.number, "its run")
        for epoch in range(1, (trial.until or 3) + 1):
            count += 1
            if count in cuts:
                engine = opened(search, TOTAL)
                (left,) = engine.abandoned()
                assert (left.number, left.params, left.run_id) == (trial.number, trial.params, "its run")
                engine.requeue(left.number, "killed", suspect=False)
                assert engine.abandoned() == []
                break
            if engine.report(trial.number, epoch, objective(trial.params) / (4 - epoch)):
                end(engine, trial, "pruned")
                break
        else:
            end(engine, trial)
    assert counts(engine) == (0, 0)
    finished = finished_trials(engine.trials())
    return sorted((*one.params.values(), one.state, *one.curve, one.until, one.continues) for one in finished)
