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

LINE_HEIGHT = 48  # pixels to which the digits of a line are scaled
INK = 0.4 * 255  # strength from which a pixel is ink
SLANTS = tuple(round(-0.4 + 0.1 * step, 1) for step in range(13))  # tangents, to the right positive
BAND = 5  # pixels by which a cut may leave its straight line to either side
ASIDE = 0.15  # strokes: price of one step aside, so that cuts stay straight
MIN_SPACING = 5  # pixels between cuts
MAX_SPACING = 18  # pixels between cuts in wide components
MIN_CUT_WIDTH = 16  # pixels: narrower components are one piece
MAX_CROSSED = 2.6  # strokes that a cut may cross
MIN_AREA = 14  # pixels of ink: smaller pieces are specks


@dataclass(frozen=True, eq=False)
class Piece:
    """A digit or a part of one.

    Attributes
    ----------
    ink
        Its strength, ``uint8 (height, width)``, cropped.
    x, y
        Of its upper left corner, in pixels of the line.
    start, end
        Where it starts and ends along the line, with the slant taken out.
    component
        Number of its component: pieces of one component are connected.
    crossed
        Strokes crossed by the cut between it and the piece before, which is of the same component; otherwise 0.
    """

    ink: Strength
    x: int
    y: int
    start: float
    end: float
    component: int
    crossed: float


def cut_line(ink: Strength) -> list[Piece]:
    """Part a line of writing into pieces, ordered from left to right.

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
    pieces = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        part = np.where(labels[rows, columns] == number, ink[rows, columns], 0).astype(np.uint8)
        if np.count_nonzero(part > INK) >= MIN_AREA:
            pieces += _cut_component(part, columns.start, rows.start, slant, stroke, number)
    return sorted(pieces, key=lambda piece: piece.start + piece.end)


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
        return float((counts.astype(np.float64) ** 2).sum()) * (1 - 0.1 * abs(slant))

    return max(SLANTS, key=fullness)


def stroke_width(ink: Strength) -> float:
    """Estimate the width of strokes: twice the area of the ink over the length of its outline, in pixels."""
    mask = np.pad(ink > INK, 1)
    area = int(np.count_nonzero(mask))
    outline = area - int(np.count_nonzero(ndimage.minimum_filter(mask, (3, 3))))
    return max(1.5, 2.0 * area / max(1, outline))


def _cut_component(part: Strength, left: int, top: int, slant: float, stroke: float, number: int) -> list[Piece]:
    """Cut one component at its candidates."""
    shifts = np.rint(slant * (np.arange(part.shape[0]) + top)).astype(np.intp)
    sheared, origin = _shear(part, shifts)
    width = int((sheared > INK).any(axis=0).sum())
    seams, crossed = _choose(sheared, stroke) if width >= MIN_CUT_WIDTH else ([], [])
    columns = np.arange(part.shape[1]) + (shifts - origin)[:, None]
    order = np.zeros(part.shape, np.intp)
    for seam in seams:
        order += columns > seam[:, None]
    pieces: list[Piece] = []
    price = 0.0
    for index in range(len(seams) + 1):
        price = max(price, crossed[index - 1]) if index else 0.0
        ink = np.where(order == index, part, 0).astype(np.uint8)
        mask = ink > INK
        if np.count_nonzero(mask) < MIN_AREA:
            continue
        y, x = np.nonzero(ink)
        along = columns[mask]
        box = (slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1))
        first = not pieces
        pieces.append(
            Piece(
                ink[box],
                left + int(x.min()),
                top + int(y.min()),
                float(left + origin + along.min()),
                float(left + origin + along.max() + 1),
                number,
                0.0 if first else price,
            )
        )
        price = 0.0
    return pieces


def _shear(part: Strength, shifts: NDArray[np.intp]) -> tuple[Strength, int]:
    """Shift each row to the right; the second value is the shift of the result's first column."""
    origin = int(shifts.min())
    sheared = np.zeros((part.shape[0], part.shape[1] + int(shifts.max()) - origin), np.uint8)
    columns = np.arange(part.shape[1]) + (shifts - origin)[:, None]
    sheared[np.arange(part.shape[0])[:, None], columns] = part
    return sheared, origin


def _choose(sheared: Strength, stroke: float) -> tuple[list[NDArray[np.intp]], list[float]]:
    """Choose cuts: the cheapest first, some pixels apart, and one at least in every `MAX_SPACING` pixels."""
    paths, prices = find_seams(sheared, stroke)
    width = sheared.shape[1]
    chosen: list[int] = []
    minima = [x for x in range(2, width - 2) if prices[x] <= prices[x - 2 : x + 3].min()]
    for x in sorted(minima, key=lambda x: float(prices[x])):
        if prices[x] <= MAX_CROSSED and all(abs(x - other) >= MIN_SPACING for other in chosen):
            chosen.append(x)
    for start, end in zip([0, *sorted(chosen)], [*sorted(chosen), width], strict=True):
        if end - start > MAX_SPACING:
            inside = slice(start + MIN_SPACING, end - MIN_SPACING)
            chosen.append(start + MIN_SPACING + int(np.argmin(prices[inside])))
    chosen.sort()
    seams = np.maximum.accumulate(paths[chosen], axis=0) if chosen else paths[:0]
    return list(seams), [float(prices[x]) for x in chosen]


def find_seams(sheared: Strength, stroke: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the cheapest cut near each column.

    Returns
    -------
    tuple
        The column of each cut in each row, (width, height), and the strokes that each cut crosses, (width,).
    """
    height, width = sheared.shape
    price = np.pad(sheared.astype(np.float64) / 255 / stroke, ((0, 0), (BAND, BAND)))
    windows = np.lib.stride_tricks.sliding_window_view(price, 2 * BAND + 1, axis=1)  # (height, width, band)
    start = 0.02 * np.abs(np.arange(-BAND, BAND + 1))
    total = windows[0] + start
    steps = np.zeros((height, width, 2 * BAND + 1), np.intp)
    for row in range(1, height):
        padded = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        ways = np.stack([padded[:, 1:-1], padded[:, :-2] + ASIDE / stroke, padded[:, 2:] + ASIDE / stroke])
        best = np.argmin(ways, axis=0)
        steps[row] = np.array([0, -1, 1])[best]
        total = np.take_along_axis(ways, best[None], axis=0)[0] + windows[row]
    total = total + start
    position = np.argmin(total, axis=1)
    prices = total.min(axis=1)
    columns = np.arange(width)
    paths = np.empty((width, height), np.intp)
    for row in range(height - 1, -1, -1):
        paths[:, row] = columns + position - BAND
        position = position + steps[row, columns, position]
    return paths, prices
