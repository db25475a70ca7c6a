"""Console output: progress on stderr, results as tables or as one JSON value on stdout."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

import rich.progress
from rich.console import RenderableType
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from digits_cli.progress_tree import progress_tree
from digits_cli.tables import laid_out, rich_console
from experiments.execution.progress import Progress, StepState
from experiments.processes import heed_signals
from experiments.tracking import Store

AROUND_TREE = 2  # lines of a terminal: an empty leaderboard, and the bar


class Console(Progress):
    """Prints results, and shows progress within its ``with`` block.

    Progress is a bar with the remaining time on a terminal, and plain lines in a file or a pipe.

    Parameters
    ----------
    as_json
        Whether stdout is reserved for one JSON value.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._err = rich_console(stderr=True)
        self._out = self._err if as_json else rich_console(stderr=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        self._progress = _Bar(*columns, console=self._err, transient=True, disable=not self._err.is_terminal)
        self._task = self._progress.add_task("", visible=False, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, name: str) -> None:
        """Start a new bar, which pulses until the first `advance`, or print a line."""
        self._progress.remove_task(self._task)  # resetting it would keep its total
        self._task = self._progress.add_task(name, total=None)
        if not self._err.is_terminal:
            self.log(name)

    def advance(self, done: int, total: int) -> None:
        """Move the bar; raise if a signal asks this process to stop."""
        heed_signals()
        self._progress.update(self._task, completed=done, total=total)

    def leaderboard(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Replace the table above the bar; only on a terminal."""
        if self._err.is_terminal:
            self._progress.board = laid_out(title, headers, rows, self._err.width)

    def steps(self, title: str, states: Sequence[StepState]) -> None:
        """Replace the tree of steps; only on a terminal."""
        if self._err.is_terminal:
            self._progress.tree = progress_tree(title, states, self._err.height - AROUND_TREE)

    def log(self, text: str) -> None:
        """Print a line above the bar."""
        self._err.print(text, markup=False)

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Remove the bar and print a table of results.

        Each row is one line. On a terminal that is too narrow, lines are broken, between words if possible.
        """
        self._progress.stop()
        self._out.print(laid_out(title, headers, rows, self._out.width))

    def result(self, text: str) -> None:
        """Remove the bar and print a line of the results."""
        self._progress.stop()
        self._out.print(text, markup=False)

    def prose(self, text: str) -> None:
        """Remove the bar and print paragraphs of the results, wrapped on a terminal."""
        self._progress.stop()
        self._out.print(text, markup=False, soft_wrap=False)

    def where(self, store: Store, run_id: str) -> None:
        """Print where the run is recorded and how to open it."""
        self._out.print(f"run {run_id} in experiment {store.experiment}: {store.address(run_id)}", markup=False)
        if not store.uri.startswith("http"):
            self._out.print("browse it with: digits ui", markup=False)

    def json(self, value: Any) -> None:
        """Print the JSON value with ``--json``."""
        if self._as_json:
            print(json.dumps(value), flush=True)


class _Bar(rich.progress.Progress):
    """A bar below a tree and a table that can be replaced."""

    tree: RenderableType = ""
    board: RenderableType = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the parts from top to bottom."""
        yield self.tree
        yield self.board
        yield from super().get_renderables()


def load_backend() -> None:
    """Import Keras and its backend without their start-up messages.

    TensorFlow writes the first ones to file descriptor 2 before any setting can suppress them. If the import fails they
    are printed.

    Raises
    ------
    UsageError
        If there is no such backend.
    """
    from experiments.training import backend

    name = backend()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _captured_stderr() as messages:
        try:
            import keras  # noqa: F401 - with its backend

            # Also with other backends, if it is installed: Keras imports it to seed its random numbers.
            if find_spec("tensorflow"):
                import tensorflow as tf

                tf.get_logger().setLevel("ERROR")
                if name == "tensorflow":
                    tf.config.list_physical_devices()
        except BaseException:
            sys.stderr.write(messages())
            raise


@contextmanager
def _captured_stderr() -> Iterator[Any]:
    """Redirect file descriptor 2 to a file; yield a function that restores it and returns the text."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def read() -> str:
            os.dup2(saved, 2)
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield read
        finally:
            os.dup2(saved, 2)
            os.close(saved)
