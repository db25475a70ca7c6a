"""Plans of a few steps that take no time."""

from collections.abc import Callable, Iterable
from typing import Any

from pieces_of_work import Outcome

from experiments.execution import Plan, Step, StepResult


def step_of(name: str, work: Callable[..., Outcome], **more: Any) -> Step:
    """Return a step that is given the results it depends on."""
    return Step(name, work, lambda _, inputs: (inputs,), **more)


def plan(*steps: Step) -> Plan:
    return Plan("suite", "suite test", steps, {"profile": "test"}, "A test.", {"digits.dataset": "uci"})


def states(steps: Iterable[StepResult]) -> list[str]:
    return [step.status for step in steps]


def value(step: StepResult) -> int:
    return int((step.result or {})["value"])
