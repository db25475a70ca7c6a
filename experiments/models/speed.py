"""Inference speed of a network on this machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models.prediction import BATCH, predict

if TYPE_CHECKING:
    import keras

BUDGET = 0.8  # seconds of repeats, for single images and for batches each; two seconds in total with the warm-up
WARM_UP = 3  # predictions of one image that are not timed: the first one traces the graph
MAX_REPEATS, MIN_REPEATS = 50, 5  # for one image
MAX_BATCHES = 5  # for the throughput, if there is time


@dataclass(frozen=True)
class Speed:
    """Inference speed of a network; it depends on the machine and its load.

    Attributes
    ----------
    latency_ms
        Median time from the bytes of one image to its probabilities, in milliseconds.
    images_per_second
        Median throughput of a full batch.
    """

    latency_ms: float
    images_per_second: float


def predict_and_time(model: "keras.Model", split: Split) -> tuple[NDArray[np.float32], Speed]:
    """Predict as `predict` does, and measure the speed.

    The batches of the prediction itself are timed, and repeated only if there are too few. This takes at most two
    seconds more, or one batch if that is longer; a large network on many images needs no repeats except for single
    images.

    Parameters
    ----------
    model, split
        As for `predict`; at least one image.

    Raises
    ------
    ValueError
        If there is no image.
    """
    if not len(split):
        raise ValueError("the speed of no images cannot be measured")
    timings: list[tuple[int, float]] = []
    probabilities = predict(model, split, lambda images, seconds: timings.append((images, seconds)))
    full = split.take(range(min(BATCH, len(split))))
    # The first batch traces the graph and is not counted. At least one more is needed, however long it takes.
    batches = [seconds for images, seconds in timings if images == len(full)][1:]
    batches = _repeated(model, full, batches, most=MAX_BATCHES, fewest=1)
    one = split.take(range(1))
    for _ in range(WARM_UP):
        predict(model, one)
    singles = _repeated(model, one, [], most=MAX_REPEATS, fewest=MIN_REPEATS)
    return probabilities, Speed(1000 * median(singles), len(full) / median(batches))


def one_after_another(speeds: Iterable[Speed]) -> Speed:
    """Compute the speed of an ensemble whose networks predict the same images one after another."""
    members = tuple(speeds)
    return Speed(
        sum(speed.latency_ms for speed in members),
        1 / sum(1 / speed.images_per_second for speed in members),
    )


def _repeated(model: "keras.Model", images: Split, known: list[float], *, most: int, fewest: int) -> list[float]:
    """Time predictions of one batch until there are `most`, or `fewest` and `BUDGET` seconds have passed."""
    seconds = list(known)
    while len(seconds) < fewest or (len(seconds) < most and sum(seconds) < BUDGET):
        predict(model, images, lambda _, taken: seconds.append(taken))
    return seconds
