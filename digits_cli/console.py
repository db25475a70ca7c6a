"""What the user sees: progress on stderr, results as tables or as one JSON value on stdout."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from experiments.tracking import Store
from experiments.workflows.listener import Listener


class Console(Listener):
    """Shows progress while it is entered, and prints results.

    A terminal gets a progress bar with the time left, a file or a pipe plain lines.

    Parameters
    ----------
    as_json
        Whether stdout is kept for one JSON value.
    """

    def __init__(self, as_json: bool) -> None:
        import rich.console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._as_json = as_json
        self._err = rich.console.Console(stderr=True, highlight=False, soft_wrap=True)
        self._out = self._err if as_json else rich.console.Console(highlight=False, soft_wrap=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=self._err, transient=True, disable=not self._err.is_terminal)
        self._task = self._progress.add_task("", visible=False, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, name: str) -> None:
        """Begin a new bar, or print a line."""
        self._progress.reset(self._task, description=name, visible=True, total=None)
        if not self._err.is_terminal:
            self.say(name)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._err.print(text, markup=False)

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; the work is done then, and its bar goes."""
        from rich.table import Table
        from rich.text import Text

        self._progress.stop()
        table = Table(title=Text(title), title_justify="left")
        for i, header in enumerate(headers):
            numeric = bool(rows) and all(isinstance(row[i], int | float) or _is_number(str(row[i])) for row in rows)
            table.add_column(header, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        self._out.print(table)

    def result(self, text: str) -> None:
        """Print a line of the result; the work is done then, and its bar goes."""
        self._progress.stop()
        self._out.print(text, markup=False)

    def where(self, store: Store, run_id: str) -> None:
        """Say where the run is kept and how to see it."""
        self._out.print(f"run {run_id} in experiment {store.experiment}: {store.address(run_id)}", markup=False)
        if not store.uri.startswith("http"):
            self._out.print("browse it with: digits ui", markup=False)

    def json(self, value: Any) -> None:
        """Print the JSON value, if one was asked for."""
        if self._as_json:
            sys.stdout.write(json.dumps(value) + "\n")


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("%", "").replace(" ", "").isdigit()


def load_tensorflow() -> None:
    """Import TensorFlow without its start-up chatter, on which nobody can act.

    Its first lines are written to file descriptor 2 before any setting can silence them; if the import fails they
    are shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _captured_stderr() as chatter:
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
            tf.get_logger().setLevel("ERROR")
        except BaseException:
            sys.stderr.write(chatter())
            raise


@contextmanager
def _captured_stderr() -> Iterator[Any]:
    """Send file descriptor 2 to a file meanwhile; yields a function that reads it back."""
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
