"""Deskewing: each row is moved sideways so that the ink slants neither to the left nor to the right.

LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", III.A, the
deskewed database: the second moments of the ink give its slant, and shifting the rows shears it so that its principal
axis is vertical. There a pixel is ink or not; here it is weighted by its gray level.
"""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import Dataset, Unlabelled, joined
from experiments.pictures.normalization import CENTER, SIDE

DESKEWED_TRANSFORM = "deskew"
"""The last transform of a deskewed dataset."""

MAX_SLANT = 1.0  # pixels sideways per pixel down, 45 degrees: 998 of 1,000 digits of MNIST slant less
MIN_SPREAD = 1.0  # square pixels of vertical variance: a flat dash of three rows has no defined slant

BLOCK = 1024  # digits per block: few enough to fit into the processor's cache

ImageArray = NDArray[np.uint8]  # (n, 28, 28)
FloatArray = NDArray[np.float64]
Data = TypeVar("Data", bound=Dataset | Unlabelled)

POSITIONS = np.arange(SIDE)


def deskewed(data: Data) -> Data:
    """Deskew both splits of a dataset; return an already deskewed one unchanged."""
    if data.transform.split("+")[-1] == DESKEWED_TRANSFORM:
        return data
    upright: list[Any] = [replace(digits, images=deskew(digits.images)) for digits in (data.train, data.test)]
    return replace(data, train=upright[0], test=upright[1], transform=joined(data.transform, DESKEWED_TRANSFORM))


def deskew(images: ImageArray) -> ImageArray:
    """Shear each digit by mu11 / mu02, the moments of its ink, and place its center of mass at the center.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black; every pixel above 0 is ink.

    Returns
    -------
    ``uint8 (n, 28, 28)``: rows moved sideways by fractions of a pixel (bilinear), so that the center of mass is in
    column 14; the whole digit up or down by whole pixels, so that it is within half a pixel of row 14, where
    `fit_to_mnist` places it. No ink is cut off: if a digit would cross an edge, all its moves are scaled down by the
    same factor (to none for an image with ink in every corner). The shear is at most 45 degrees. A digit whose ink has
    a vertical variance below 1 square pixel stays unchanged, and so does a blank one.
    """
    upright = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        sideways, down = _moves(block)
        upright[start : start + BLOCK] = _shift_down(_shift_rows(block, sideways), down)
    return upright


def _moves(images: ImageArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Compute the moves of each row to the right, ``(n, 28)``, and of each digit down, ``(n,)``, in pixels."""
    mass = images.sum(axis=2, dtype=np.float64)
    moment = images @ POSITIONS.astype(np.float64)
    total = np.maximum(mass.sum(axis=1), 1)
    row, column = mass @ POSITIONS / total, moment.sum(axis=1) / total
    away = POSITIONS - row[:, np.newaxis]
    spread = (away**2 * mass).sum(axis=1) / total
    slant = (away * moment).sum(axis=1) / total / np.maximum(spread, MIN_SPREAD)
    shear = np.clip(slant, -MAX_SLANT, MAX_SLANT)
    sideways = (CENTER - column)[:, np.newaxis] - shear[:, np.newaxis] * away
    leaning = spread >= MIN_SPREAD
    down = np.where(leaning, _limit_down(np.floor(CENTER - row + 0.5).astype(np.int64), mass > 0), 0)
    return np.where(leaning[:, np.newaxis], _limit_sideways(sideways, images > 0), 0), down


def _limit_down(down: NDArray[np.int64], ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Limit moves down so that no row of ink, ``(n, 28)``, leaves the image."""
    return np.clip(down, -ink.argmax(axis=1), ink[:, ::-1].argmax(axis=1))


def _limit_sideways(sideways: FloatArray, ink: NDArray[np.bool_]) -> FloatArray:
    """Scale all moves of a digit by one factor so that no ink leaves the image and straight lines stay straight."""
    room = np.where(sideways < 0, ink.argmax(axis=2), ink[:, :, ::-1].argmax(axis=2))
    far = np.abs(sideways)
    crossing = ink.any(axis=2) & (far > room)
    part = np.divide(room, far, out=np.ones_like(far), where=crossing).min(axis=1)
    return sideways * part[:, np.newaxis]


def _shift_rows(images: ImageArray, sideways: FloatArray) -> ImageArray:
    """Move each row to the right by fractions of a pixel. Only blank pixels leave the image: rows may wrap around."""
    whole = np.floor(sideways)
    between = (sideways - whole)[:, :, np.newaxis].astype(np.float32)
    columns = (POSITIONS - whole[:, :, np.newaxis].astype(np.int64)) % SIDE
    near = np.take_along_axis(images, columns, axis=2)
    far = np.take_along_axis(images, columns - 1, axis=2)
    return np.rint(near * (1 - between) + far * between).astype(np.uint8)


def _shift_down(images: ImageArray, down: NDArray[np.int64]) -> ImageArray:
    """Move each digit down by whole pixels. Only blank rows leave the image: it may wrap around."""
    rows = (POSITIONS - down[:, np.newaxis]) % SIDE
    return np.take_along_axis(images, rows[:, :, np.newaxis], axis=1)
