"""What stands in for the progress of a command and for a process of Keras Tuner's."""

from contextlib import nullcontext

from experiments.execution.progress import Progress
from experiments.tuning import keras_tuner_engine


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


class Manager(nullcontext[None]):
    """Stands in for the manager of Keras Tuner's engine: its process takes seconds to start."""

    engine = keras_tuner_engine._ServedEngine

    def __init__(self, **_: object) -> None:
        super().__init__()

    def start(self, _: object) -> None:
        pass
