"""How a workflow tells what it is doing, without knowing who listens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["waiting", "running", "done", "done before", "failed", "left out"]


@dataclass(frozen=True)
class Standing:
    """How one of several steps stands.

    `seconds` is what it took; of a step that is not over, what it is expected to take; None where nobody knows.
    """

    name: str
    state: State
    seconds: float | None


class Listener:
    """Hears of a workflow's progress. This one ignores it; the command line shows it."""

    def stage(self, name: str) -> None:
        """Hear that a new piece of work begins, for instance ``train lenet``."""

    def advance(self, done: int, total: int) -> None:
        """Hear how much of the current piece is done, in units of its own."""

    def download(self, file: str, done: int, total: int) -> None:  # noqa: ARG002
        """Hear how many bytes of a file have come."""
        self.advance(done, total)

    def board(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Hear how things stand, as a table that replaces the one before."""

    def steps(self, title: str, standings: Sequence[Standing]) -> None:
        """Hear how the steps of a larger work stand, in their order."""

    def say(self, text: str) -> None:
        """Hear a line worth showing, for instance the result of an epoch."""
