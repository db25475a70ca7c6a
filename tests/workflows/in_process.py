"""Searches whose trials run in this process, and a progress report that keeps its lines."""

from experiments.execution.executors import Executor, ExecutorConfig, InProcessExecutor
from experiments.execution.progress import Progress


class InThisProcess(ExecutorConfig):
    """Configures an executor that runs the trials in this process."""

    def open(self) -> Executor:
        return InProcessExecutor()


class ProgressLog(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)
