"""Progress reports from long work to whoever shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

StepStatus = Literal["waiting", "running", "done", "cached", "failed", "skipped"]
ProgressCallback = Callable[[int, int], None]
"""Called with the units done and the units planned."""


@dataclass(frozen=True)
class StepState:
    """The state of one step of a plan.

    Attributes
    ----------
    seconds
        Wall time of a finished step, or the expected time of an unfinished one; None if unknown.
    """

    name: str
    status: StepStatus
    seconds: float | None


class Progress:
    """Receives progress reports and ignores them. The command line overrides the methods to show them."""

    def stage(self, name: str) -> None:
        """Start a new stage, for instance ``train lenet``."""

    def advance(self, done: int, total: int) -> None:
        """Report how many units of the current stage are done."""

    def download(self, file: str, done: int, total: int) -> None:  # noqa: ARG002
        """Report how many bytes of a file have been downloaded."""
        self.advance(done, total)

    def leaderboard(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Replace the table of the best results so far."""

    def steps(self, title: str, states: Sequence[StepState]) -> None:
        """Report the states of all steps of a plan, in order."""

    def log(self, text: str) -> None:
        """Report one line worth keeping, for instance the metrics of an epoch."""
