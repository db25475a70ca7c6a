"""How fast a network reads digits on this machine."""

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

BUDGET = 0.8  # seconds that repeating takes, for one image and for batches each: with what warms up, two in all
WARM_UP = 3  # predictions of one image that do not count: the first one traces the graph
MOST, FEWEST = 50, 5  # repeats for one image
BATCHES = 5  # that the throughput is the median of, where there is time for them


@dataclass(frozen=True)
class Speed:
    """How fast a network is, above 0, where it was measured: another machine, or other work on it, gives others.

    Attributes
    ----------
    latency_ms
        Milliseconds from the bytes of one image to its probabilities, the median.
    images_per_second
        Of a full batch, the median.
    """

    latency_ms: float
    images_per_second: float


def predict_and_time(model: "keras.Model", split: Split) -> tuple[NDArray[np.float32], Speed]:
    """Return what `predict` returns, and how fast the network was.

    The batches of the prediction itself are timed, and repeated only where they are too few. It takes
    two seconds more at most, or one batch where that is longer; a large network on many images takes nothing more but
    a few images one by one.

    Parameters
    ----------
    model, split
        As for `predict`; at least one image.

    Raises
    ------
    ValueError
        When there is none.
    """
    if not len(split):
        raise ValueError("the speed of no images cannot be measured")
    timings: list[tuple[int, float]] = []
    probabilities = predict(model, split, lambda images, seconds: timings.append((images, seconds)))
    full = split.take(range(min(BATCH, len(split))))
    # The first one traces the graph. One that counts is needed, however long it takes.
    batches = [seconds for images, seconds in timings if images == len(full)][1:]
    batches = _repeated(model, full, batches, most=BATCHES, fewest=1)
    one = split.take(range(1))
    for _ in range(WARM_UP):
        predict(model, one)
    singles = _repeated(model, one, [], most=MOST, fewest=FEWEST)
    return probabilities, Speed(1000 * median(singles), len(full) / median(batches))


def one_after_another(speeds: Iterable[Speed]) -> Speed:
    """Return how fast several networks are that read the same digits in turn."""
    all_of_them = tuple(speeds)
    return Speed(
        sum(speed.latency_ms for speed in all_of_them),
        1 / sum(1 / speed.images_per_second for speed in all_of_them),
    )


def _repeated(model: "keras.Model", images: Split, known: list[float], *, most: int, fewest: int) -> list[float]:
    """Return the seconds of predictions of one batch: those known, and more up to `most` as long as there is time."""
    seconds = list(known)
    while len(seconds) < fewest or (len(seconds) < most and sum(seconds) < BUDGET):
        predict(model, images, lambda _, taken: seconds.append(taken))
    return seconds
