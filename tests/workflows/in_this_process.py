"""Searches whose trials are done in this process, and a listener that keeps what is said."""

from experiments.workflows.listener import Listener
from experiments.workflows.workers import InProcess, Place, Workers


class InThisProcess(Place):
    """Where one worker does the trials before `start` returns."""

    def open(self) -> Workers:
        return InProcess()


class Hearer(Listener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)
