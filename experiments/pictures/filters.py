"""Filters of small images, and connected pieces, as `scipy.ndimage` has them.

They need NumPy alone: importing `scipy.ndimage` takes longer than reading a picture with all else. Windows reach from
``side // 2`` pixels before a pixel on; outside of an image they see its nearest pixel.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Slices = tuple[slice, slice]
Number = TypeVar("Number", bound=np.generic)


def label(mask: Mask) -> tuple[NDArray[np.int32], int]:
    """Find the connected pieces of a mask, in the order of their first pixels; corners connect.

    Returns
    -------
    tuple
        The number of each pixel's piece, ``int32 (height, width)``, 0 outside, and how many pieces there are.
    """
    starts, stops, width = _runs(mask)
    # Runs of the row above that touch a run, corners included, follow each other.
    first = np.searchsorted(stops + width, starts, "left")
    last = np.searchsorted(starts + width, stops, "right")
    touching = np.maximum(last - first, 0)
    run = np.repeat(np.arange(starts.size), touching)
    above = np.arange(run.size) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(first, touching)
    roots = _joined(starts.size, zip(run.tolist(), above.tolist(), strict=True))
    pieces, numbers = np.unique(roots, return_inverse=True)
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(numbers + 1, stops - starts)
    return labels, pieces.size


def find_objects(labels: NDArray[np.int32], count: int) -> list[Slices]:
    """Return the rows and columns of each of `count` pieces, all of which have pixels."""
    rows, columns = np.nonzero(labels)
    order = np.argsort(labels[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    starts = np.searchsorted(labels[rows, columns], np.arange(1, count + 1))
    if not count:
        return []
    edges = [reduce.reduceat(axis, starts).tolist() for axis in (rows, columns) for reduce in (np.minimum, np.maximum)]
    return [(slice(top, bottom + 1), slice(left, right + 1)) for top, bottom, left, right in zip(*edges, strict=True)]


def dilate(mask: Mask, *, corners: bool) -> Mask:
    """Add the four neighbors of each pixel to a mask, with `corners` all eight."""
    down = _beside(mask, 0)
    return down | _beside(down if corners else mask, 1)


def maximum_filter(values: NDArray[Number], side: int) -> NDArray[Number]:
    """Return the largest value in the window of `side` times `side` pixels around each pixel."""
    return _extreme(np.maximum, _extreme(np.maximum, values, side, 0), side, 1)


def minimum_filter(values: NDArray[Number], side: int) -> NDArray[Number]:
    """Return the smallest value in the window of `side` times `side` pixels around each pixel."""
    return _extreme(np.minimum, _extreme(np.minimum, values, side, 0), side, 1)


def uniform_filter(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the mean of the window of `side` times `side` pixels around each pixel, for each channel."""
    return _mean(_mean(values, side, 0), side, 1)


def _runs(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return where runs of pixels begin and end in the rows one after the other, and the length of a row with a gap."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int8)
    padded[:, :-1] = mask
    change = np.diff(padded.ravel(), prepend=np.int8(0))
    return np.flatnonzero(change == 1), np.flatnonzero(change == -1), padded.shape[1]


def _joined(count: int, pairs: "zip[tuple[int, int]]") -> NDArray[np.intp]:
    """Return the smallest number that each number is connected with."""
    root = list(range(count))

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for one, other in pairs:
        a, b = find(one), find(other)
        root[max(a, b)] = min(a, b)
    return np.array([find(number) for number in range(count)], np.intp)


def _beside(mask: Mask, axis: int) -> Mask:
    """Add the neighbors along an axis."""
    wide = mask.copy()
    out, own = wide.swapaxes(0, axis), mask.swapaxes(0, axis)
    out[1:] |= own[:-1]
    out[:-1] |= own[1:]
    return wide


def _cut(values: NDArray[Number], start: int, stop: int, axis: int) -> NDArray[Number]:
    return values[start:stop] if axis == 0 else values[:, start:stop]


def _extended(values: NDArray[Number], side: int, axis: int) -> NDArray[Number]:
    """Repeat the pixels at both ends of an axis so that windows fit."""
    length, before = values.shape[axis], side // 2
    first, last = _cut(values, 0, 1, axis), _cut(values, length - 1, length, axis)
    return np.concatenate([np.repeat(first, before, axis), values, np.repeat(last, side - 1 - before, axis)], axis)


def _extreme(choose: np.ufunc, values: NDArray[Number], side: int, axis: int) -> NDArray[Number]:
    """Choose within windows along an axis: within two that are half as large, and so on."""
    found, reach = _extended(values, side, axis), 1
    while reach < side:
        step, length = min(reach, side - reach), found.shape[axis]
        found = choose(_cut(found, 0, length - step, axis), _cut(found, step, length, axis))
        reach += step
    return found


def _mean(values: NDArray[np.float32], side: int, axis: int) -> NDArray[np.float32]:
    """Return the mean of windows along an axis: the sum of parts whose lengths are powers of two."""
    part, reach, done = _extended(values, side, axis), 1, 0
    total = np.zeros_like(values)
    while True:
        if side & reach:
            total += _cut(part, done, done + values.shape[axis], axis)
            done += reach
        if 2 * reach > side:
            return total / np.float32(side)
        length = part.shape[axis]
        part = _cut(part, 0, length - reach, axis) + _cut(part, reach, length, axis)
        reach *= 2
