"""Digits drawn over, inverted, or reduced to outlines."""

import numpy as np

from experiments.datasets.corruptions.corruption import Corruption, FloatArray
from experiments.pictures.normalization import SIDE

STRIPE_WIDTH = 7  # columns on either side

LINE_WIDTH = 2.3  # pixels; a line fades as log(1 - d / 2.3) + 1 with the distance d
LINE_END = SIDE - 1  # lines go from column 0 to here, and start and end in a row above the last

ZIGZAG_FROM, ZIGZAG_TO = 2, 25  # columns
ZIGZAG_RISE = 5  # it ends at most 5 rows higher or 4 rows lower
ZIGZAG_STEP = 2.0  # pixels from its axis to a corner, and half the distance of corners along the axis
ZIGZAG_CORNERS = 6  # the most that fit: its axis is 23 to 23.6 pixels long

CANNY_SIGMA = 1.0


def stripe(images: FloatArray, draws: FloatArray) -> FloatArray:  # noqa: ARG001 - deterministic
    """Invert the seven columns on the left and the seven on the right."""
    striped = images.copy()
    for side in (np.s_[:, :, :STRIPE_WIDTH], np.s_[:, :, SIDE - STRIPE_WIDTH :]):
        striped[side] = 1 - striped[side]
    return striped


def dotted_line(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Add a line between random rows of the left and right edges, in two of every four columns."""
    first, last = np.floor(draws * LINE_END).T
    line = _segment(np.zeros_like(first), first, np.full_like(first, LINE_END), last)
    dots = np.arange(SIDE) % 4 >= 2
    return np.minimum(images + line * dots, 1)


def zigzag(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Add a zigzag line of six corners around a nearly horizontal axis that starts in a random row."""
    drawn = images.copy()
    columns, rows = _zigzag_points(draws)
    for k in range(ZIGZAG_CORNERS + 1):
        drawn += _segment(columns[:, k], rows[:, k], columns[:, k + 1], rows[:, k + 1])
    return np.minimum(drawn, 1)


def _zigzag_points(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute the columns and rows, each ``(n, 8)``, of the start, the corners and the end."""
    start = np.floor(draws[:, 0] * LINE_END)
    rise = np.floor(draws[:, 1] * 2 * ZIGZAG_RISE) - ZIGZAG_RISE
    angle = np.arctan(rise / (ZIGZAG_TO - ZIGZAG_FROM))[:, np.newaxis]
    length = (ZIGZAG_TO - ZIGZAG_FROM) / np.cos(angle)
    corners = np.arange(ZIGZAG_CORNERS)
    # Along the axis and across it; the publishers let the last piece end near the axis, not on it.
    along = np.hstack([0 * length, np.repeat([(2 * corners + 1) * ZIGZAG_STEP], len(draws), axis=0), length])
    across = np.tile(np.hstack([0, ZIGZAG_STEP * (-1.0) ** corners, 0]), (len(draws), 1))
    across[:, -1:] = across[:, -2:-1] / (2 * (length % (2 * ZIGZAG_STEP)))
    columns = ZIGZAG_FROM + along * np.cos(angle) - across * np.sin(angle)
    rows = start[:, np.newaxis] + along * np.sin(angle) + across * np.cos(angle)
    return columns.astype(np.float32), rows.astype(np.float32)


def _segment(
    first_column: FloatArray, first_row: FloatArray, last_column: FloatArray, last_row: FloatArray
) -> FloatArray:
    """Draw lines from one point to another further right, white on black, ``(n, 28, 28)``.

    Distance is measured vertically, so that steep lines are thinner. The column of the first point is included, that of
    the last is not if the point lies at its left edge.
    """
    first_column, first_row, last_column, last_row = (
        values[:, np.newaxis, np.newaxis] for values in (first_column, first_row, last_column, last_row)
    )
    rows, columns = np.ogrid[:SIDE, :SIDE]
    slope = (last_row - first_row) / (last_column - first_column)
    distance = np.abs(rows - (first_row + slope * (columns - first_column)))
    inside = (columns >= np.floor(first_column)) & (columns < np.ceil(last_column))
    with np.errstate(divide="ignore"):
        ink = 1 + np.log(np.maximum(1 - distance / LINE_WIDTH, 0))
    return np.maximum(ink, 0, dtype=np.float32) * inside


def canny_edges(images: FloatArray, draws: FloatArray) -> FloatArray:  # noqa: ARG001 - deterministic
    """Keep the edges that scikit-image's `canny` finds, white on black: sigma 1, thresholds 0.1 and 0.2."""
    from skimage.feature import canny

    edges = np.zeros_like(images)
    for edge, image in zip(edges, images, strict=True):
        edge[:] = canny(image.astype(np.float64), CANNY_SIGMA)
    return edges


STRIPE = Corruption("stripe", "left and right quarter inverted", 0, stripe)
DOTTED_LINE = Corruption("dotted_line", "crossed by a dotted line", 2, dotted_line)
ZIGZAG = Corruption("zigzag", "crossed by a zigzag line", 2, zigzag)
CANNY_EDGES = Corruption("canny_edges", "only its outlines left", 0, canny_edges)
