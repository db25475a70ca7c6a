"""Over-segmentation of a line of writing: each component is cut wherever two digits may touch.

Cuts run from top to bottom along the writing's slant and step aside to cross as little ink as possible (a seam as in
Avidan, Shamir (2007), "Seam carving for content-aware image resizing", kept near a straight line). Which of them part
digits is decided later, by what a network reads between them: LeCun, Bottou, Bengio, Haffner (1998), section V.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Strength = NDArray[np.uint8]  # (height, width)
Seam = NDArray[np.intp]  # (height,): the first column to the right of a cut, in each row

LINE_HEIGHT = 48  # pixels to which the digits of a line are scaled
INK = 0.4 * 255  # strength from which a pixel is ink
MIN_AREA = 14  # pixels of ink: less is a speck
SLANTS = tuple(round(-0.4 + 0.1 * step, 1) for step in range(13))  # tangents, to the right positive
UPRIGHT = 0.35  # share by which a slant of 45 degrees must be better than none: a 7 leans in upright writing too

MIN_CUT_WIDTH = 16  # pixels: narrower components are not cut
MAX_CROSSED = 2.6  # strokes that a cut may cross
SPACING = 8  # pixels between cuts of one kind
MAX_SPACING = 18  # pixels between cuts in wide components
ALIKE = 5.0  # pixels, mean over rows: of two cuts that near the cheaper one is kept
STEP = 2  # pixels aside from row to row at most
MOVES = (0, -1, 1, -2, 2)  # pixels aside, straight on first
ASIDE = 0.01  # strokes: price of a pixel aside, so that cuts stay straight
AWAY = 0.001  # strokes: price of a pixel away from the straight line, in each row

MAX_WIDTH = 1.7  # of a digit, in heights of the line's digits
MAX_HEIGHT = 2.0
MAX_GAP = 0.35  # between the parts of one digit, in heights of the line's digits
HORIZON = 40  # cuts within one digit at most
MIN_DIGIT_HEIGHT = 0.4  # in heights of the line's digits
MAX_ASPECT = 1.45  # width of a digit over its height
MAX_BOTH_CROSSED = 4.5  # strokes that the cuts on both sides of a digit may cross together


@dataclass(frozen=True)
class Kind:
    """A kind of cut.

    Attributes
    ----------
    tilt
        Tangent between it and the slant of the writing.
    band
        Pixels by which it may leave its straight line to either side.
    """

    tilt: float
    band: int


KINDS = (Kind(0.0, 4), Kind(0.0, 8), Kind(0.3, 3), Kind(-0.3, 3))


@dataclass(frozen=True, eq=False)
class Part:
    """A connected component of a line: a digit, several that touch, or a fragment of one.

    Attributes
    ----------
    ink
        Its strength, ``uint8 (height, width)``, cropped.
    x, y
        Of its upper left corner, in pixels of the line.
    start, end
        Where it starts and ends along the line, with the slant taken out.
    seams
        Its candidate cuts from left to right, in columns of `ink`.
    crossed
        Strokes that each of them crosses.
    """

    ink: Strength
    x: int
    y: int
    start: float
    end: float
    seams: tuple[Seam, ...]
    crossed: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Segment:
    """What lies between two positions of a line: perhaps a digit.

    Positions count the starts of all parts and the cuts in them; the last one is the end of the line.

    Attributes
    ----------
    start, stop
        The positions.
    ink
        Its strength, ``uint8 (height, width)``, cropped.
    x, y
        Of its upper left corner, in pixels of the line.
    gap
        Blank distance between its parts along the line, summed, in pixels.
    crossed
        Strokes that the cuts on both sides cross.
    parts
        Number of components it has a share in.
    """

    start: int
    stop: int
    ink: Strength
    x: int
    y: int
    gap: float
    crossed: float
    parts: int

    @property
    def may_be_digit(self) -> bool:
        """Whether its size and its cuts allow for a digit."""
        height, width = self.ink.shape
        return (
            height >= MIN_DIGIT_HEIGHT * LINE_HEIGHT
            and width <= MAX_ASPECT * height
            and self.crossed <= MAX_BOTH_CROSSED
        )


def cut_line(ink: Strength) -> list[Part]:
    """Part a line of writing into components with their candidate cuts, from left to right.

    Parameters
    ----------
    ink
        ``uint8 (height, width)`` strength of the ink of one line, digits `LINE_HEIGHT` pixels high.
    """
    labels, _ = ndimage.label(ink > INK, np.ones((3, 3), int))
    wide = ndimage.maximum_filter(labels, 3)
    labels = np.where((labels == 0) & (ink > 0), wide, labels)
    slant = estimate_slant(ink)
    stroke = stroke_width(ink)
    parts = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        component = np.where(labels[rows, columns] == number, ink[rows, columns], 0).astype(np.uint8)
        if np.count_nonzero(component > INK) >= MIN_AREA:
            parts.append(_cut(component, columns.start, rows.start, slant, stroke))
    return sorted(parts, key=lambda part: part.start + part.end)


def list_segments(parts: list[Part]) -> list[Segment]:
    """List all segments of a line that are not too large for a digit, nor too scattered."""
    ends = [(number, cut) for number, part in enumerate(parts) for cut in range(len(part.seams) + 1)]
    ends.append((len(parts), 0))
    segments = []
    for start in range(len(ends) - 1):
        for stop in range(start + 1, min(start + HORIZON, len(ends) - 1) + 1):
            segment = _segment(parts, start, stop, ends[start], ends[stop])
            if segment is not None:
                segments.append(segment)
    return segments


def estimate_slant(ink: Strength) -> float:
    """Estimate the slant of writing: the shear after which its columns are fullest.

    Vinciarelli, Luettin (2001), "A new normalization technique for cursive handwritten words".
    """
    y, x = np.nonzero(ink > INK)
    if y.size == 0:
        return 0.0

    def fullness(slant: float) -> float:
        columns = np.rint(x + slant * y).astype(np.intp)
        counts = np.bincount(columns - columns.min())
        return float((counts.astype(np.float64) ** 2).sum()) * (1 - UPRIGHT * abs(slant))

    return max(SLANTS, key=fullness)


def stroke_width(ink: Strength) -> float:
    """Estimate the width of strokes: twice the area of the ink over the length of its outline, in pixels."""
    mask = np.pad(ink > INK, 1)
    area = int(np.count_nonzero(mask))
    outline = area - int(np.count_nonzero(ndimage.binary_erosion(mask)))
    return max(1.5, 2.0 * area / max(1, outline))


def _cut(ink: Strength, x: int, y: int, slant: float, stroke: float) -> Part:
    """Find the candidate cuts of one component."""
    rows, columns = np.nonzero(ink > INK)
    along = columns + slant * (rows + y)
    start, end = x + float(along.min()), x + float(along.max()) + 1
    found: list[tuple[float, Seam]] = []
    for kind in KINDS if end - start >= MIN_CUT_WIDTH else ():
        found += _cuts_of_kind(ink, slant + kind.tilt, kind.band, stroke)
    kept: list[tuple[float, Seam]] = []
    for price, seam in sorted(found, key=lambda cut: cut[0]):
        if all(np.abs(seam - other).mean() >= ALIKE for _, other in kept):
            kept.append((price, seam))
    kept.sort(key=lambda cut: float(cut[1].mean()))
    return Part(ink, x, y, start, end, tuple(seam for _, seam in kept), tuple(price for price, _ in kept))


def _cuts_of_kind(ink: Strength, slant: float, band: int, stroke: float) -> list[tuple[float, Seam]]:
    """Find cuts near lines of one slant: the cheapest first, some pixels apart, and none too far apart."""
    shifts = np.rint(slant * np.arange(ink.shape[0])).astype(np.intp)
    shifts -= shifts.min()
    sheared = np.zeros((ink.shape[0], ink.shape[1] + int(shifts.max())), np.uint8)
    sheared[np.arange(ink.shape[0])[:, None], np.arange(ink.shape[1]) + shifts[:, None]] = ink
    paths, prices = find_seams(sheared, stroke, band)
    width = sheared.shape[1]
    chosen: list[int] = []
    minima = [x for x in range(2, width - 2) if prices[x] <= prices[x - 2 : x + 3].min()]
    for x in sorted(minima, key=lambda x: float(prices[x])):
        if prices[x] <= MAX_CROSSED and all(abs(x - other) >= SPACING for other in chosen):
            chosen.append(x)
    for start, end in zip([0, *sorted(chosen)], [*sorted(chosen), width], strict=True):
        if end - start > MAX_SPACING:
            chosen.append(start + SPACING + int(np.argmin(prices[start + SPACING : end - SPACING])))
    return [(float(prices[x]), paths[x] - shifts) for x in chosen]


def find_seams(sheared: Strength, stroke: float, band: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the cheapest cut near each column.

    Returns
    -------
    tuple
        The column of each cut in each row, (width, height), and the strokes that each cut crosses, (width,).
    """
    height, width = sheared.shape
    price = np.pad(sheared.astype(np.float64) / 255 / stroke, ((0, 0), (band, band)))
    away = AWAY * np.abs(np.arange(-band, band + 1))
    windows = np.lib.stride_tricks.sliding_window_view(price, 2 * band + 1, axis=1) + away  # (height, width, band)
    total = windows[0]
    steps = np.zeros((height, width, 2 * band + 1), np.intp)
    for row in range(1, height):
        padded = np.pad(total, ((0, 0), (STEP, STEP)), constant_values=np.inf)
        ways = np.stack([padded[:, STEP + move : STEP + move + 2 * band + 1] + ASIDE * abs(move) for move in MOVES])
        best = np.argmin(ways, axis=0)
        steps[row] = np.array(MOVES)[best]
        total = np.take_along_axis(ways, best[None], axis=0)[0] + windows[row]
    position = np.argmin(total, axis=1)
    prices = total.min(axis=1)
    columns = np.arange(width)
    paths = np.empty((width, height), np.intp)
    for row in range(height - 1, -1, -1):
        paths[:, row] = columns + position - band
        position = position + steps[row, columns, position]
    return paths, prices


def _segment(parts: list[Part], start: int, stop: int, first: tuple[int, int], last: tuple[int, int]) -> Segment | None:
    """Take the ink between two positions; None if there is too little, or it is too large or scattered."""
    covered = parts[first[0] : last[0] + (last[1] > 0)]
    gap, end = 0.0, covered[0].end
    for part in covered[1:]:
        if part.start - end > MAX_GAP * LINE_HEIGHT:
            return None
        gap += max(0.0, part.start - end)
        end = max(end, part.end)
    inks = [part.ink for part in covered]
    crossed = 0.0
    if first[1]:
        seam = parts[first[0]].seams[first[1] - 1]
        inks[0] = np.where(np.arange(inks[0].shape[1]) >= seam[:, None], inks[0], 0).astype(np.uint8)
        crossed += parts[first[0]].crossed[first[1] - 1]
    if last[1]:
        seam = parts[last[0]].seams[last[1] - 1]
        inks[-1] = np.where(np.arange(inks[-1].shape[1]) < seam[:, None], inks[-1], 0).astype(np.uint8)
        crossed += parts[last[0]].crossed[last[1] - 1]
    if any(np.count_nonzero(ink > INK) < MIN_AREA for ink in inks):
        return None
    ink, x, y = _compose(inks, [(part.x, part.y) for part in covered])
    if ink.shape[0] > MAX_HEIGHT * LINE_HEIGHT or ink.shape[1] > MAX_WIDTH * LINE_HEIGHT:
        return None
    return Segment(start, stop, ink, x, y, gap, crossed, len(covered))


def _compose(inks: list[Strength], corners: list[tuple[int, int]]) -> tuple[Strength, int, int]:
    """Put pieces of ink together and crop them; returns the ink and its corner."""
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right = max(x + ink.shape[1] for ink, (x, _) in zip(inks, corners, strict=True))
    bottom = max(y + ink.shape[0] for ink, (_, y) in zip(inks, corners, strict=True))
    canvas = np.zeros((bottom - top, right - left), np.uint8)
    for ink, (x, y) in zip(inks, corners, strict=True):
        view = canvas[y - top : y - top + ink.shape[0], x - left : x - left + ink.shape[1]]
        np.maximum(view, ink, out=view)
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    box = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return box, left + int(columns[0]), top + int(rows[0])
