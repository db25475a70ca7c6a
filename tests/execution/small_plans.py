"""Plans of a few steps that take no time."""

from collections.abc import Callable, Iterable
from typing import Any

from pieces_of_work import Outcome

from experiments.execution import Plan, Progress, Step, StepResult


def step_of(name: str, work: Callable[..., Outcome], **more: Any) -> Step:
    """Return a step that is given the results it depends on."""
    return Step(name, work, lambda _, inputs: (inputs,), **more)


def plan(*steps: Step) -> Plan:
    return Plan("suite", "suite test", steps, {"profile": "test"}, "A test.", {"digits.dataset": "uci"})


def states(steps: Iterable[StepResult]) -> list[str]:
    return [step.status for step in steps]


def value(step: StepResult) -> int:
    return int((step.result or {})["value"])


class ProgressLog(Progress):
    """Keeps what is said, and interrupts at a certain line."""

    def __init__(self, interrupt_at: str = "") -> None:
        self.lines: list[str] = []
        self.interrupt_at = interrupt_at
        self.advanced: list[tuple[int, int]] = []

    def log(self, text: str) -> None:
        self.lines.append(text)
        if text == self.interrupt_at:
            raise KeyboardInterrupt

    def advance(self, done: int, total: int) -> None:
        self.advanced.append((done, total))
