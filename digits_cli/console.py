"""What the user sees: progress on stderr, results as tables or as one JSON value on stdout."""

import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

import rich.console
import rich.progress
from rich.console import RenderableType
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from experiments.execution.progress import Progress, StepState, StepStatus
from experiments.processes import heed_signals
from experiments.reporting.tables import is_numeric
from experiments.tracking import Store

ENDLESS = 1_000_000  # columns: a file or a pipe takes lines of any length
AROUND_TREE = 2  # lines of a terminal: an empty board, and the bar
MARKS: Mapping[StepStatus, str] = {
    "waiting": "·", "running": "▶", "done": "✓", "cached": "✓", "failed": "✗", "skipped": "-"
}  # fmt: skip
STYLES: Mapping[StepStatus, str] = {
    "waiting": "dim", "running": "bold", "done": "green", "cached": "green dim", "failed": "red", "skipped": "red"
}  # fmt: skip


class Console(Progress):
    """Shows progress while it is entered, and prints results.

    A terminal gets a progress bar with the time left, a file or a pipe plain lines.

    Parameters
    ----------
    as_json
        Whether stdout is kept for one JSON value.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._err = _rich_console(stderr=True)
        self._out = self._err if as_json else _rich_console(stderr=False)
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
        """Begin a new bar, which pulses until `advance` tells how far it goes, or print a line."""
        self._progress.remove_task(self._task)  # a bar that is reset keeps its total
        self._task = self._progress.add_task(name, total=None)
        if not self._err.is_terminal:
            self.log(name)

    def advance(self, done: int, total: int) -> None:
        """Move the bar, unless the work is to be stopped."""
        heed_signals()
        self._progress.update(self._task, completed=done, total=total)

    def leaderboard(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table above the bar on a terminal, in place of the one before; elsewhere the lines said are enough."""
        if self._err.is_terminal:
            self._progress.board = _laid_out(title, headers, rows, self._err.width)

    def steps(self, title: str, states: Sequence[StepState]) -> None:
        """Show on a terminal how the steps stand, in place of what was shown before; elsewhere lines are enough."""
        if self._err.is_terminal:
            self._progress.tree = progress_tree(title, states, self._err.height - AROUND_TREE)

    def log(self, text: str) -> None:
        """Print a line above the bar."""
        self._err.print(text, markup=False)

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; the work is done then, and its bar goes.

        A row is one line; where a terminal is too narrow for that, lines are broken between words first.
        """
        self._progress.stop()
        self._out.print(_laid_out(title, headers, rows, self._out.width))

    def result(self, text: str) -> None:
        """Print a line of the result; the work is done then, and its bar goes."""
        self._progress.stop()
        self._out.print(text, markup=False)

    def prose(self, text: str) -> None:
        """Print paragraphs of the result, on a terminal broken between words; the work is done then."""
        self._progress.stop()
        self._out.print(text, markup=False, soft_wrap=False)

    def where(self, store: Store, run_id: str) -> None:
        """Say where the run is kept and how to see it."""
        self._out.print(f"run {run_id} in experiment {store.experiment}: {store.address(run_id)}", markup=False)
        if not store.uri.startswith("http"):
            self._out.print("browse it with: digits ui", markup=False)

    def json(self, value: Any) -> None:
        """Print the JSON value, if one was asked for."""
        if self._as_json:
            print(json.dumps(value), flush=True)


class _Bar(rich.progress.Progress):
    """A bar under a tree and a table that change."""

    tree: RenderableType = ""
    board: RenderableType = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return what is shown, from top to bottom."""
        yield self.tree
        yield self.board
        yield from super().get_renderables()


def progress_tree(title: str, states: Sequence[StepState], room: int = ENDLESS) -> Tree:
    """Return how the steps of a larger work stand: a branch for each kind of step, open where something happens.

    Where that takes more than `room` lines, an open branch shows only the steps that something happens to.
    """
    whole = _tree(title, states, brief=False)
    return whole if 1 + len(whole.children) <= room else _tree(title, states, brief=True)


def _tree(title: str, states: Sequence[StepState], *, brief: bool) -> Tree:
    over = sum(one.status not in ("running", "waiting") for one in states)
    left = sum(one.seconds or 0 for one in states if one.status in ("running", "waiting"))
    tree = Tree(Text(f"{title}: {over} of {len(states)} steps, about {duration(left)} left"), guide_style="dim")
    for kind, group in itertools.groupby(states, lambda one: one.name.split()[0]):
        steps = list(group)
        eventful = [step for step in steps if step.status in ("running", "failed", "skipped")]
        whole = len(steps) == 1 or (eventful and not brief)
        branch = tree if whole else tree.add(_branch(kind, steps))
        for step in steps if whole else eventful:
            branch.add(_leaf(step))
    return tree


def _leaf(step: StepState) -> Text:
    about = "about " if step.status in ("running", "waiting") else ""
    took = "" if step.seconds is None else f"  {about}{duration(step.seconds)}"
    return Text.assemble((f"{MARKS[step.status]} {step.name}", STYLES[step.status]), (took, "dim"))


def _branch(kind: str, steps: Sequence[StepState]) -> Text:
    """Return a line for several steps of which none needs to be told apart."""
    over = sum(step.status in ("done", "cached") for step in steps)
    status: StepStatus = "done" if over == len(steps) else "waiting"
    seconds = sum(step.seconds or 0 for step in steps if (step.status == "waiting") == (status == "waiting"))
    about = "about " if status == "waiting" else ""
    line = f"{MARKS[status]} {kind}: {over} of {len(steps)}"
    return Text.assemble((line, STYLES[status]), (f"  {about}{duration(seconds)}", "dim"))


def duration(seconds: float) -> str:
    """Return seconds as a reader wants them, for instance ``45 s``, ``12 min``, ``2 h 05 min``."""
    minutes = int(seconds / 60 + 0.5)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def _laid_out(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]], room: int) -> Table:
    """Return a table that is at most so many columns wide."""
    table = Table(title=Text(title), title_justify="left")
    columns = [[header, *(str(row[i]) for row in rows)] for i, header in enumerate(headers)]
    borders = 3 * len(columns) + 1
    widths = _widths(columns, room - borders)
    for (header, *cells), width in zip(columns, widths, strict=True):
        table.add_column(header, justify="right" if is_numeric(cells) else "left", overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def _rich_console(stderr: bool) -> rich.console.Console:
    console = rich.console.Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = ENDLESS
    return console


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return how wide to make each column: as its cells are, or less to fit in the room, breaking words last."""
    from rich.cells import cell_len

    longest_words = [max(cell_len(word) for cell in column for word in ["", *cell.split()]) for column in columns]
    widths = [max(map(cell_len, column)) for column in columns]
    while sum(widths) > max(room, len(widths)):
        shrinkable = [(width > word, width) for width, word in zip(widths, longest_words, strict=True)]
        widths[shrinkable.index(max(shrinkable))] -= 1
    return widths


def load_backend() -> None:
    """Import Keras and its backend without start-up chatter, on which nobody can act.

    TensorFlow's first lines are written to file descriptor 2 before any setting can silence them; if the import fails
    they are shown.

    Raises
    ------
    UsageError
        For a backend that there is not.
    """
    from experiments.training import backend

    name = backend()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _captured_stderr() as chatter:
        try:
            import keras  # noqa: F401 - with its backend

            # With other backends too, where it is installed: Keras imports it to seed its random numbers.
            if find_spec("tensorflow"):
                import tensorflow as tf

                tf.get_logger().setLevel("ERROR")
                if name == "tensorflow":
                    tf.config.list_physical_devices()
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
