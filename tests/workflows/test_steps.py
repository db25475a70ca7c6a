"""Pieces of work under one run."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from mlflow.artifacts import load_text

from experiments.errors import DigitsError
from experiments.tracking import Store, open_run
from experiments.workflows.listener import Listener
from experiments.workflows.steps import Plan, Step, StepResult, StepsFailedError, run_steps


@dataclass(frozen=True)
class Outcome:
    """What a piece of work returns here."""

    run_id: str
    value: int


class Work:
    """Counts how often it is done; raises what it is told to."""

    def __init__(self, store: Store, value: int, error: BaseException | None = None) -> None:
        self.store, self.value, self.error, self.calls = store, value, error, 0

    def __call__(self, parent: str, ended: Mapping[str, StepResult], listener: Listener) -> Outcome:  # noqa: ARG002
        self.calls += 1
        if self.error:
            raise self.error
        before = sum((step.result or {}).get("value", 0) for step in ended.values())
        with open_run(self.store, "train", "piece", parent=parent) as run:
            return Outcome(run.id, self.value + before)


class Hearer(Listener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def plan(*steps: Step) -> Plan:
    return Plan("suite", "suite test", steps, {"profile": "test"}, "A test.", {"digits.dataset": "uci"})


def status(store: Store, run_id: str) -> Any:
    return store.client.get_run(run_id).info.status


def test_steps_see_those_before_them_and_go_under_one_run(store: Store) -> None:
    done = run_steps(store, plan(Step("a", Work(store, 1)), Step("b", Work(store, 10), needs=("a",))))
    assert [(step.name, step.status) for step in done.steps] == [("a", "done"), ("b", "done")]
    assert (done.steps[1].result or {})["value"] == 11
    for step in done.steps:
        assert store.client.get_run(str(step.run_id)).data.tags["mlflow.parentRunId"] == done.run_id
    parent = store.client.get_run(done.run_id)
    assert (parent.info.status, parent.data.tags["digits.kind"]) == ("FINISHED", "suite")
    kept = json.loads(load_text(f"{parent.info.artifact_uri}/steps.json"))
    assert [step["name"] for step in kept] == ["a", "b"]


def test_a_failed_step_stops_only_those_that_need_it(store: Store) -> None:
    works = {"a": Work(store, 1, ValueError("no luck\nat all")), "b": Work(store, 2), "c": Work(store, 3)}
    steps = (Step("a", works["a"]), Step("b", works["b"], needs=("a",)), Step("c", works["c"]))
    with pytest.raises(StepsFailedError, match=r"1 of 3 steps failed: a \(no luck\)") as caught:
        run_steps(store, plan(*steps))
    ended = caught.value.result.steps
    assert [step.status for step in ended] == ["failed", "left out", "done"]
    assert [step.error for step in ended] == ["no luck", "needs a", None]
    assert works["b"].calls == 0
    assert status(store, caught.value.result.run_id) == "FAILED"


def test_the_errors_of_all_failed_steps_are_the_cause(store: Store) -> None:
    steps = (Step("a", Work(store, 1, ValueError("no luck"))), Step("b", Work(store, 2, DigitsError("no data"))))
    with pytest.raises(StepsFailedError) as caught:
        run_steps(store, plan(*steps))
    shown = "".join(traceback.format_exception(caught.value))
    for part in ("ValueError: no luck", "DigitsError: no data", "in __call__"):
        assert part in shown


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DigitsError("no data")], ids=["ctrl-c", "failure"])
def test_the_same_plan_goes_on_where_it_stopped(store: Store, error: BaseException) -> None:
    first, second = Work(store, 1), Work(store, 10, error)
    steps = plan(Step("a", first), Step("b", second, needs=("a",)))
    with pytest.raises((KeyboardInterrupt, StepsFailedError)):
        run_steps(store, steps)
    second.error = None
    listener = Hearer()
    done = run_steps(store, steps, listener)
    assert (first.calls, second.calls) == (1, 2)
    assert listener.said == ["a: done before"]
    assert (done.steps[1].result or {})["value"] == 11
    suites = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    assert [(run.info.run_id, run.info.status) for run in suites] == [(done.run_id, "FINISHED")]


def test_a_conclusion_is_drawn_when_all_is_done(store: Store) -> None:
    def conclude(run: Any, steps: Any) -> None:
        run.log_metrics({"steps": len(steps)})

    done = run_steps(store, plan(Step("a", Work(store, 1))), conclude=conclude)
    assert store.client.get_run(done.run_id).data.metrics["steps"] == 1


def test_what_was_left_undone_is_not_concluded(store: Store) -> None:
    concluded: list[object] = []
    conclude: Callable[..., None] = lambda *given: concluded.append(given)  # noqa: E731 - one line says it
    with pytest.raises(StepsFailedError):
        run_steps(store, plan(Step("a", Work(store, 1, ValueError()))), conclude=conclude)
    assert concluded == []
