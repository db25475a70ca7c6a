"""Figures, what they say, and whether they can be read, for the tests of reporting."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from experiments.reporting.figures import FIGURES

TITLE = "mnist-lenet v3 on mnist test"
TOLERANCE = 1  # pixels


def draw(figure: str, *arguments: Any, title: str = TITLE) -> Figure:
    """Draw a figure by its name."""
    return FIGURES[figure](*arguments, title)


def texts(figure: Figure) -> list[str]:
    """Return every line of text that is drawn."""
    return [text for text, _ in _drawn(figure)]


def cells(figure: Figure) -> dict[tuple[int, int], str]:
    """Return the text in each cell of a heatmap, by row and column, of the cells that have one."""
    places = ((text.get_position(), text.get_text()) for text in figure.axes[0].texts)
    return {(int(y), int(x)): text for (x, y), text in places if text}


def in_hex(colors: Any) -> list[str]:
    """Return colors as ``#RRGGBB``."""
    return [to_hex(color).upper() for color in np.asarray(colors)]


def unreadable(figure: Figure) -> list[str]:
    """Return what keeps lines from being read: others that cover them, or the figure's edge."""
    # Powers of ten are drawn smaller than they are measured.
    lines = [(text, box.extents) for text, box in _drawn(figure) if "mathdefault" not in text]
    boxes = np.array([box for _, box in lines]).reshape(-1, 4)
    low, high = boxes[:, :2], boxes[:, 2:]
    outer = figure.bbox.padded(TOLERANCE).extents
    outside = (low < outer[:2]).any(axis=1) | (high > outer[2:]).any(axis=1)
    shared = (np.minimum(high[:, None], high) - np.maximum(low[:, None], low)).min(axis=2)
    return [f"{lines[i][0]!r} is cut off" for i in np.flatnonzero(outside)] + [
        f"{lines[i][0]!r} and {lines[j][0]!r} overlap" for i, j in np.argwhere(np.triu(shared > TOLERANCE, k=1))
    ]


class _Recorder(RendererAgg):
    """Remembers the lines it draws, and where."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.bbox.size, figure.dpi)  # type: ignore[no-untyped-call]
        self.lines: list[tuple[str, Bbox]] = []

    def draw_text(self, gc: Any, x: Any, y: Any, s: Any, prop: Any, angle: Any, *args: Any, **kwargs: Any) -> None:
        super().draw_text(gc, x, y, s, prop, angle, *args, **kwargs)  # type: ignore[no-untyped-call]
        width, height, descent = self.get_text_width_height_descent(s, prop, False)  # type: ignore[no-untyped-call]
        place = Affine2D().rotate_deg(angle).translate(x, self.height - y)
        self.lines.append((s, Bbox.from_bounds(0, -descent, width, height).transformed(place)))


def _drawn(figure: Figure) -> list[tuple[str, Bbox]]:
    recorder = _Recorder(figure)
    figure.draw(recorder)
    return recorder.lines
