"""Connected pieces of ink, and what among them are ruled lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.pictures import filters
from experiments.pictures.ink import Mask

SPECK = 0.04  # of the area of the largest piece
MIN_AREA = 3  # pixels
RULE = 0.85  # of a row or column of the picture: that is a ruled line if it is no stroke of the digit
RULE_WIDTH = 0.1  # of the picture, at most
RULED = 3  # thin lines through the whole picture are the rules of its paper
INSET = 0.1  # of the picture: by so much a line is longer on both sides than all else


@dataclass(frozen=True)
class Piece:
    """A connected piece of ink: its label, box and area in pixels, and the sides of the picture that it touches."""

    label: int
    rows: slice
    columns: slice
    area: int
    touches: tuple[bool, bool, bool, bool]  # top, bottom, left, right

    @property
    def height(self) -> int:
        """Height of its box."""
        return self.rows.stop - self.rows.start

    @property
    def width(self) -> int:
        """Width of its box."""
        return self.columns.stop - self.columns.start

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of the middle of its box."""
        return (self.rows.start + self.rows.stop) / 2, (self.columns.start + self.columns.stop) / 2


def find_pieces(mask: Mask) -> tuple[list[Piece], NDArray[np.int32]]:
    """Find the connected pieces of ink, without specks.

    Returns
    -------
    tuple
        The pieces, and the number of each pixel's piece, int32 (height, width), 0 where there is no ink.
    """
    labels, count = filters.label(mask)
    height, width = labels.shape
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    boxes = filters.find_objects(labels, count)
    pieces = [
        Piece(
            i + 1,
            rows,
            columns,
            int(areas[i + 1]),
            (rows.start == 0, rows.stop == height, columns.start == 0, columns.stop == width),
        )
        for i, (rows, columns) in enumerate(boxes)
    ]
    largest = max((piece.area for piece in pieces), default=0)
    return [piece for piece in pieces if piece.area >= max(SPECK * largest, MIN_AREA)], labels


def without_rules(mask: Mask) -> Mask:
    """Remove the ruled lines along the rows of a mask, where they do not cross a stroke.

    Thin lines are taken for rules only if they are away from the middle, and longer on both sides than all other ink:
    not the bar of a 7 that fills the picture. Three lines and nothing else are blank ruled paper.
    """
    height, width = mask.shape
    lines = _thin_lines(mask)
    if len(lines) >= RULED and sum(bottom - top for top, bottom in lines) < height / 2:
        rest = _without(lines, mask)
        if not _without(_thin_lines(mask.T), rest.T).any():
            return np.zeros_like(mask)
    lines = [line for line in lines if abs(sum(line) / 2 - height / 2) >= height / 5]
    if not lines:
        return mask
    rest = _without(lines, mask)
    beside: Mask = np.any(rest, axis=0)
    for left, right in _thin_lines(mask.T):
        beside[left:right] = False
    columns = np.flatnonzero(beside)
    longer = columns.size and columns[0] >= INSET * width and columns[-1] < (1 - INSET) * width
    return rest if longer else mask


def _without(lines: list[tuple[int, int]], mask: Mask) -> Mask:
    """Remove bands of rows but where there is ink both above and below."""
    rest = mask.copy()
    for top, bottom in lines:
        rest[top:bottom] &= mask[top - 1] & mask[bottom] if top > 0 and bottom < len(mask) else False
    return rest


def _thin_lines(mask: Mask) -> list[tuple[int, int]]:
    """List the rows, first and one past the last, of thin lines through all of a mask, with their soft edges."""
    height, width = mask.shape
    rows = np.flatnonzero(mask.sum(axis=1) >= RULE * width)
    bands = [
        (int(band[0]), int(band[-1]) + 1) for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if band.size
    ]
    return [
        (max(0, top - 1), min(height, bottom + 1))
        for top, bottom in bands
        if bottom - top <= max(2, RULE_WIDTH * height)
    ]
