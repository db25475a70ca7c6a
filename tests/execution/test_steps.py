"""Pieces of work under one run."""

import json
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from mlflow.artifacts import load_text
from pieces_of_work import Outcome
from small_plans import plan, states, step_of, value
from stand_ins import ProgressLog

from experiments.errors import DigitsError
from experiments.execution import (
    History,
    Plan,
    Progress,
    Step,
    StepResult,
    StepsFailedError,
    StepState,
    cached_results,
    load_history,
    run_steps,
)
from experiments.tracking import Run, Store, open_run


class Work:
    """Counts how often it is done; raises what it is told to."""

    def __init__(self, store: Store, value: int, error: BaseException | None = None) -> None:
        self.store, self.value, self.error, self.calls = store, value, error, 0

    def __call__(self, ended: Mapping[str, StepResult], *, progress: Progress, parent: str) -> Outcome:  # noqa: ARG002
        self.calls += 1
        if self.error:
            raise self.error
        with open_run(self.store, "train", "piece", parent=parent) as run:
            return Outcome(run.id, self.value + sum(map(value, ended.values())))


def test_steps_see_those_before_them_and_go_under_one_run(store: Store) -> None:
    def conclude(run: Run, steps: Sequence[StepResult]) -> None:
        run.log_metrics({"sum": sum(map(value, steps))})

    steps = plan(step_of("a", Work(store, 1)), step_of("b", Work(store, 10), requires=("a",)))
    done = run_steps(store, steps, on_success=conclude)
    assert [(step.name, step.status, value(step)) for step in done.steps] == [("a", "done", 1), ("b", "done", 11)]
    for step in done.steps:
        assert store.client.get_run(str(step.run_id)).data.tags["mlflow.parentRunId"] == done.run_id
    parent = store.client.get_run(done.run_id)
    assert (parent.info.status, parent.data.tags["digits.kind"]) == ("FINISHED", "suite")
    assert parent.data.metrics["sum"] == 12
    kept = json.loads(load_text(f"{parent.info.artifact_uri}/steps.json"))
    assert [step["name"] for step in kept] == ["a", "b"]


def test_a_failed_step_stops_only_those_that_need_it(store: Store) -> None:
    works = {"a": Work(store, 1, ValueError("no luck\nat all")), "b": Work(store, 2), "c": Work(store, 3)}
    broken = Step("d", Work(store, 4), lambda _, inputs: (inputs["nothing"],))
    steps = (step_of("a", works["a"]), step_of("b", works["b"], requires=("a",)), step_of("c", works["c"]), broken)
    concluded: list[object] = []
    with pytest.raises(StepsFailedError, match=r"^2 of 4 .*: a \(no luck\); d \('nothing'\)$") as caught:
        run_steps(store, plan(*steps), on_success=lambda *given: concluded.append(given))
    ended = caught.value.result.steps
    assert states(ended) == ["failed", "skipped", "done", "failed"]
    assert [step.error for step in ended] == ["no luck", "needs a", None, "'nothing'"]
    parent = store.client.get_run(caught.value.result.run_id)
    names = ("steps_done", "steps_cached", "steps_failed", "steps_skipped")
    assert [parent.data.metrics[name] for name in names] == [1, 0, 2, 1]
    assert parent.data.metrics["steps_seconds"] == ended[2].seconds
    assert parent.info.status == "FAILED"
    assert (works["b"].calls, concluded) == (0, [])
    # The errors of all failed steps are the cause.
    shown = "".join(traceback.format_exception(caught.value))
    assert all(part in shown for part in ("ValueError: no luck", "KeyError: 'nothing'", "in __call__"))


@pytest.mark.parametrize(
    "steps", [{"a": ("b",)}, {"a": (), "a ": ()}], ids=["unknown dependency", "the same name twice"]
)
def test_a_plan_that_cannot_be_run_is_rejected(store: Store, steps: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="'a'"):
        plan(*(step_of(name.strip(), Work(store, 1), requires=requires) for name, requires in steps.items()))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DigitsError("no data")], ids=["ctrl-c", "failure"])
def test_the_same_plan_goes_on_where_it_stopped(store: Store, error: BaseException) -> None:
    first, second = Work(store, 1), Work(store, 10, error)
    steps = plan(step_of("a", first), step_of("b", second, requires=("a",)))
    with pytest.raises((KeyboardInterrupt, StepsFailedError)):
        run_steps(store, steps)
    second.error = None
    progress = ProgressLog()
    done = run_steps(store, steps, progress)
    assert (first.calls, second.calls) == (1, 2)
    assert progress.lines == ["a: cached"]
    assert value(done.steps[1]) == 11
    suites = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    assert [(run.info.run_id, run.info.status) for run in suites] == [(done.run_id, "FINISHED")]


@pytest.mark.parametrize("change", ["deleted", "new code"])
def test_what_was_deleted_or_changed_during_an_interruption_is_done_again(store: Store, change: str) -> None:
    first, second = Work(store, 1), Work(store, 10, DigitsError("no data"))

    def steps(code: int) -> Plan:
        return plan(step_of("a", first, identity={"code": code}), step_of("b", second, requires=("a",)))

    with pytest.raises(StepsFailedError) as caught:
        run_steps(store, steps(1))
    if change == "deleted":
        store.client.delete_run(str(caught.value.result.steps[0].run_id))
    second.error = None
    run_steps(store, steps(1 if change == "deleted" else 2))
    assert (first.calls, second.calls) == (2, 2)


def test_what_an_earlier_plan_did_is_not_done_again(store: Store) -> None:
    works = [Work(store, 1), Work(store, 10), Work(store, 100)]

    def steps(seed: int) -> Plan:
        first = step_of("a", works[0], identity={"seed": 0})
        second = step_of("b", works[1], requires=("a",), identity={"seed": seed})
        return plan(first, second, step_of("c", works[2], requires=("b",), identity={}))

    before = run_steps(store, steps(0))
    again = run_steps(store, steps(0), history=load_history(store))
    assert [work.calls for work in works] == [1, 1, 1]
    assert states(again.steps) == ["cached"] * 3
    assert [(step.run_id, step.result) for step in again.steps] == [(step.run_id, step.result) for step in before.steps]
    assert again.run_id != before.run_id
    other = run_steps(store, steps(1), history=load_history(store))
    assert states(other.steps) == ["cached", "done", "done"]
    once_more = run_steps(store, steps(0), history=load_history(store))
    assert [step.run_id for step in once_more.steps] == [step.run_id for step in before.steps]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DigitsError("no data")], ids=["ctrl-c", "failure"])
def test_what_a_plan_did_that_did_not_end_well_is_not_done_again_by_another(store: Store, error: BaseException) -> None:
    first, second = Work(store, 1), Work(store, 10, error)
    with pytest.raises((KeyboardInterrupt, StepsFailedError)):
        run_steps(store, plan(step_of("a", first), step_of("b", second)))
    assert set(load_history(store).seconds) == {("suite test", "a")}
    again = run_steps(store, plan(step_of("a", first), step_of("more", Work(store, 100))), history=load_history(store))
    assert states(again.steps) == ["cached", "done"]
    assert first.calls == 1


def test_what_was_done_and_deleted_is_done_again_and_all_that_needs_it(store: Store) -> None:
    works = [Work(store, 1), Work(store, 10), Work(store, 100)]
    steps = plan(step_of("a", works[0]), step_of("b", works[1], requires=("a",)), step_of("c", works[2]))
    before = run_steps(store, steps)
    store.client.delete_run(str(before.steps[0].run_id))
    assert states(run_steps(store, steps, history=load_history(store)).steps) == ["done", "done", "cached"]


def test_a_plan_whose_record_is_damaged_or_gone_is_one_that_did_nothing(store: Store) -> None:
    done = run_steps(store, plan(step_of("a", Work(store, 1))))
    assert load_history(store).results
    store.client.log_dict(done.run_id, [{"name": "a", "colour": "red"}], "steps.json")
    assert load_history(store) == History({}, {})
    artifacts = str(store.client.get_run(done.run_id).info.artifact_uri)
    Path(artifacts.removeprefix("file://"), "steps.json").unlink()
    assert load_history(store) == History({}, {})


def test_a_step_without_identity_is_always_done(store: Store) -> None:
    first, last = Work(store, 1), Work(store, 10)
    steps = plan(step_of("a", first), step_of("b", last, optional=("a",), identity=None))
    run_steps(store, steps)
    again = run_steps(store, steps, history=load_history(store))
    assert states(again.steps) == ["cached", "done"]
    assert (first.calls, last.calls) == (1, 2)


def test_a_step_makes_do_with_what_is_done_of_what_it_uses(store: Store) -> None:
    failing, last, without = Work(store, 1, ValueError("no luck")), Work(store, 1000), Work(store, 1)
    steps = (
        step_of("z", last, optional=("a", "b")),
        step_of("a", failing),
        step_of("b", Work(store, 10)),
        step_of("y", without, optional=("a",)),
    )
    with pytest.raises(StepsFailedError) as caught:
        run_steps(store, plan(*steps))
    ended = caught.value.result.steps
    assert states(ended) == ["done", "failed", "done", "skipped"]
    assert (value(ended[0]), ended[3].error) == (1010, "needs a")
    failing.error = None
    done = run_steps(store, plan(*steps))
    assert (value(done.steps[0]), value(done.steps[3])) == (1011, 2)
    assert (last.calls, without.calls) == (2, 1)


def test_foreseen_is_what_is_then_taken(store: Store) -> None:
    steps = [step_of("a", Work(store, 1)), step_of("b", Work(store, 1), requires=("a",)), step_of("c", Work(store, 1))]
    done = run_steps(store, plan(*steps[:2]))
    found = cached_results(steps, load_history(store))
    assert [(one.run_id if one else None) for one in found] == [done.steps[0].run_id, done.steps[1].run_id, None]
    assert cached_results(steps, History({}, {})) == (None, None, None)


def test_the_run_tells_how_its_steps_stand(store: Store) -> None:
    seen: list[str] = []

    def look(_: Mapping[str, StepResult], *, progress: Progress, parent: str) -> Outcome:  # noqa: ARG001
        seen.append(store.client.get_run(parent).data.tags["mlflow.note.content"])
        return Outcome(parent, 0)

    done = run_steps(store, plan(step_of("a", Work(store, 1)), step_of("b", look), step_of("c", Work(store, 1))))
    run_of_a = f"[{str(done.steps[0].run_id)[:8]}](#/experiments/{store.experiment_id}/runs/{done.steps[0].run_id})"
    rows = [line.strip("|").split(" | ") for line in seen[0].splitlines() if line.startswith("|")]
    cells = {row[0].strip(): [cell.strip(" |") for cell in row[1:]] for row in rows}
    assert (cells["a"][0], cells["a"][2]) == ("done", run_of_a)
    assert (cells["b"][0], cells["c"][0]) == ("to do", "to do")
    note = store.client.get_run(done.run_id).data.tags["mlflow.note.content"]
    assert note.startswith("A test.")
    assert "to do" not in note


def test_what_is_expected_follows_the_pace_so_far(store: Store) -> None:
    reported: list[list[StepState]] = []

    class Watch(Progress):
        def steps(self, title: str, states: Any) -> None:  # noqa: ARG002
            reported.append(list(states))

    steps = (step_of("a", Work(store, 1), seconds=1000.0), step_of("b", Work(store, 1), seconds=500.0))
    run_steps(store, plan(*steps, step_of("c", Work(store, 1))), Watch())
    assert [one.status for one in reported[0]] == ["running", "waiting", "waiting"]
    assert [one.seconds for one in reported[0]] == [1000.0, 500.0, None]
    after_a = next(states for states in reported if states[0].status == "done")
    assert after_a[1].seconds == pytest.approx(0.5 * (after_a[0].seconds or 0))
    assert [one.status for one in reported[-1]] == ["done"] * 3
