"""Layout shared by the transfer figures: long titles, labels and notes, percentages."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import TITLE_CHARACTERS_PER_INCH, drawing, footnote

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Interval = tuple[float, float, float]  # value and bounds of its 95 % interval, in [0, 1]; NaN if unknown

LABEL_CHARACTERS = 32  # per line of a row's label
NOTE_CHARACTERS_PER_INCH = 12.5
TITLE_LINE, NOTE_LINE, LABEL_LINE = 0.23, 0.17, 0.16  # inches
SHARES = ("accuracy", "confiden", "error", "pseudo-labelled", "recall", "share")  # in names of proportions
HIGHEST_SHARE = 1 + 1e-6


@contextmanager
def spacious(title: str, width: float, height: float, note: str = "") -> Iterator["Figure"]:
    """Yield an empty figure as `drawing` does, with `height` inches between title and note.

    Parameters
    ----------
    title
        Set above the figure; may be empty.
    width, height
        Width of the figure, and height between title and note, in inches.
    note
        Explanation below the figure; may be empty.
    """
    above = len(textwrap.wrap(title, int(width * TITLE_CHARACTERS_PER_INCH)))
    below = textwrap.wrap(note, int(width * NOTE_CHARACTERS_PER_INCH))
    with drawing(title, width, height + TITLE_LINE * above + NOTE_LINE * len(below)) as figure:
        if below:
            footnote(figure, "\n".join(below))
        yield figure


def row_labels(names: Iterable[str], characters: int = LABEL_CHARACTERS) -> tuple[list[str], float]:
    """Wrap the labels of rows, and return them with the distance between rows in inches."""
    labels = [textwrap.fill(name, characters) for name in names]
    lines = [lines_of(label) for label in labels]
    apart = max(((a + b) / 2 for a, b in pairwise(lines)), default=max(lines, default=1))
    return labels, LABEL_LINE * apart + 0.1


def lines_of(text: str) -> int:
    """Count the lines of a text."""
    return text.count("\n") + 1


def in_percent(name: str, values: Sequence[float] | NDArray[np.float64]) -> bool:
    """Return whether values are proportions, shown in percent: by their name, and if they lie in [0, 1]."""
    named = any(word in name.lower().replace("_", "-") for word in SHARES)
    return named and all(0 <= value <= HIGHEST_SHARE for value in values if not math.isnan(value))


def signed(value: float, places: int) -> str:
    """Format a change with its sign (a true minus); without a sign if it rounds to 0."""
    text = f"{abs(value):.{places}f}"
    return text if not float(text) else ("+" if value > 0 else "\N{MINUS SIGN}") + text
