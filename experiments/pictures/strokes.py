"""The width of pen strokes, brought near that of MNIST's digits."""

import numpy as np
from numpy.typing import NDArray

from experiments.pictures import filters
from experiments.pictures.normalization import INK_SIDE

THIN, THICK = 1.9, 3.6  # pixels of MNIST's 20x20 box; 90 % of its digits lie between

Gray = NDArray[np.uint8]


def stroke_width(ink: Gray) -> float:
    """Measure the mean width of strokes: twice their area by their outline.

    The outline of a gray image is the mean of its outlines at all gray levels, which by the coarea formula is its total
    variation.

    Parameters
    ----------
    ink
        ``uint8 (height, width)``, light on black, not blank.

    Returns
    -------
    Pixels after the longer side has been scaled to MNIST's 20.
    """
    values = np.pad(ink, 1).astype(np.float32)
    down, right = np.diff(values, axis=0)[:, :-1], np.diff(values, axis=1)[:-1]
    outline = float(np.sqrt(down * down + right * right).sum())
    return 2 * float(values.sum()) / outline * INK_SIDE / max(ink.shape)


def with_usual_strokes(ink: Gray) -> Gray:
    """Thicken strokes that are thinner than almost all of MNIST's, and thin those that are thicker.

    Returns
    -------
    ``uint8``, by some pixels larger or as large as `ink`.
    """
    width = stroke_width(ink)
    wanted = min(max(width, THIN), THICK)
    radius = (wanted - width) / 2 * max(ink.shape) / INK_SIDE
    if radius == 0:
        return ink
    whole = int(abs(radius))
    room = np.pad(ink, whole + 1 if radius > 0 else 0)
    change = filters.maximum_filter if radius > 0 else filters.minimum_filter
    less, more = (change(room, 2 * r + 1) if r else room for r in (whole, whole + 1))
    share = abs(radius) - whole
    return np.rint((1 - share) * less + share * more).astype(np.uint8)
