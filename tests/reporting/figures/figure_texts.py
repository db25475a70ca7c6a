"""What a figure says, and whether it can be read, for the tests of reporting."""

from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

TOLERANCE = 1  # pixels


def texts(figure: Figure) -> list[str]:
    """Return every line of text that is drawn."""
    return [text for text, _ in _drawn(figure)]


def unreadable(figure: Figure) -> list[str]:
    """Return what keeps lines from being read: others that cover them, or the figure's edge."""
    # Powers of ten are drawn smaller than they are measured.
    lines = [(text, box) for text, box in _drawn(figure) if "mathdefault" not in text]
    left, bottom, right, top = figure.bbox.padded(TOLERANCE).extents
    cut_off = [
        f"{text!r} is cut off"
        for text, box in lines
        if box.x0 < left or box.y0 < bottom or box.x1 > right or box.y1 > top
    ]
    covered = [
        f"{a!r} and {b!r} overlap" for (a, of_a), (b, of_b) in combinations(lines, 2) if _shared(of_a, of_b) > TOLERANCE
    ]
    return cut_off + covered


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


def _shared(a: Bbox, b: Bbox) -> float:
    """Return the lesser side, in pixels, of what two boxes have in common; 0 where they are apart."""
    common = Bbox.intersection(a, b)
    return min(common.width, common.height) if common else 0
