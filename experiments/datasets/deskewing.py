"""Digits put upright: each row is moved sideways until the ink leans neither to the left nor to the right.

LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", III.A, the
deskewed database: the second moments of the ink tell how far it leans, and shifting the lines shears it until its
principal axis is vertical. There a pixel is ink or not; here it weighs what its grey level says.
"""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import SIDE, Dataset, Unlabelled, joined
from experiments.datasets.normalise import CENTRE

DESKEWED = "deskew"
"""The last transform of a data set whose digits are deskewed."""

STEEPEST = 1.0  # pixels sideways for each pixel down, 45 degrees: 998 of 1,000 digits of MNIST lean less
LEAST_SPREAD = 1.0  # square pixels of vertical variance: a flat dash of three rows has no slant to speak of

BLOCK = 1024  # what is worked on at a time, in digits: few enough to stay in the processor's cache

Images = NDArray[np.uint8]
Floats = NDArray[np.float64]
Data = TypeVar("Data", bound=Dataset | Unlabelled)

PIXELS = np.arange(SIDE)


def deskewed(data: Data) -> Data:
    """Return the data set with the digits of both splits deskewed; one that is already comes back as it is."""
    if data.transform.split("+")[-1] == DESKEWED:
        return data
    upright: list[Any] = [replace(digits, images=deskew(digits.images)) for digits in (data.train, data.test)]
    return replace(data, train=upright[0], test=upright[1], transform=joined(data.transform, DESKEWED))


def deskew(images: Images) -> Images:
    """Shear each digit by mu11 / mu02, the moments of its ink, and put its centre of mass at the centre.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black; every pixel above 0 is ink.

    Returns
    -------
    ``uint8 (n, 28, 28)``: rows moved sideways by fractions of a pixel (bilinear), so that the centre of mass is in
    column 14; the whole digit up or down by whole pixels, so that it is within half a pixel of row 14, where
    `fit_to_mnist` has put it already. No ink is cut off: a digit that would cross an edge goes as large a part of its
    way as keeps it inside, which is none for a picture with ink in every corner. A digit that leans by more than 45
    degrees is sheared by that much. One whose ink has a vertical variance below 1 square pixel stays as it is, and so
    does a blank one.
    """
    upright = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        sideways, down = _moves(block)
        upright[start : start + BLOCK] = _lowered(_slid(block, sideways), down)
    return upright


def _moves(images: Images) -> tuple[Floats, NDArray[np.int64]]:
    """Return how far each row moves to the right, ``(n, 28)``, and each digit down, ``(n,)``."""
    mass = images.sum(axis=2, dtype=np.float64)
    moment = images @ PIXELS.astype(np.float64)
    total = np.maximum(mass.sum(axis=1), 1)
    row, column = mass @ PIXELS / total, moment.sum(axis=1) / total
    away = PIXELS - row[:, np.newaxis]
    spread = (away**2 * mass).sum(axis=1) / total
    slant = (away * moment).sum(axis=1) / total / np.maximum(spread, LEAST_SPREAD)
    shear = np.clip(slant, -STEEPEST, STEEPEST)
    sideways = (CENTRE - column)[:, np.newaxis] - shear[:, np.newaxis] * away
    leaning = spread >= LEAST_SPREAD
    down = np.where(leaning, _within_rows(np.floor(CENTRE - row + 0.5).astype(np.int64), mass > 0), 0)
    return np.where(leaning[:, np.newaxis], _within_columns(sideways, images > 0), 0), down


def _within_rows(down: NDArray[np.int64], ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Shorten moves down where rows of ink, ``(n, 28)``, would leave the picture."""
    return np.clip(down, -ink.argmax(axis=1), ink[:, ::-1].argmax(axis=1))


def _within_columns(sideways: Floats, ink: NDArray[np.bool_]) -> Floats:
    """Shorten all moves of a digit by one factor, so that no ink leaves the picture and what is straight stays so."""
    room = np.where(sideways < 0, ink.argmax(axis=2), ink[:, :, ::-1].argmax(axis=2))
    far = np.abs(sideways)
    crossing = ink.any(axis=2) & (far > room)
    part = np.divide(room, far, out=np.ones_like(far), where=crossing).min(axis=1)
    return sideways * part[:, np.newaxis]


def _slid(images: Images, sideways: Floats) -> Images:
    """Move each row to the right, between the pixels. What leaves the picture is blank, so that it may come round."""
    whole = np.floor(sideways)
    between = (sideways - whole)[:, :, np.newaxis].astype(np.float32)
    columns = (PIXELS - whole[:, :, np.newaxis].astype(np.int64)) % SIDE
    near = np.take_along_axis(images, columns, axis=2)
    far = np.take_along_axis(images, columns - 1, axis=2)
    return np.rint(near * (1 - between) + far * between).astype(np.uint8)


def _lowered(images: Images, down: NDArray[np.int64]) -> Images:
    """Move each digit down by whole pixels. What leaves the picture is blank, so that it may come round."""
    rows = (PIXELS - down[:, np.newaxis]) % SIDE
    return np.take_along_axis(images, rows[:, :, np.newaxis], axis=1)
