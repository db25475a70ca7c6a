"""Accuracy and time of readers of digits on the same pictures."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.picture_sets import Example, PictureSet
from benchmarks.readers import DigitReader, bare
from benchmarks.report import Finding, Report
from experiments.evaluation.intervals import wilson_interval

MEGABYTE = 1e6
# Least accuracy of the first network: on finished digits without, on pictures with their preparation.
EXPECTED = {"mnist": 0.995, "usps": 0.975, "mnist-c": 0.95, "rows": 0.94, "rows-5": 0.97}


@dataclass(frozen=True, eq=False)
class Readings:
    """What one reader made of the pictures of a set.

    Attributes
    ----------
    right
        Whether all digits were read right, by picture.
    seconds
        By picture.
    origins
        As `Example.origin`.
    mistakes
        Name, truth and what was read of each picture that was read wrong.
    """

    right: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    mistakes: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, example: Example, text: str, seconds: float) -> None:
        """Record a reading."""
        self.right.append(text == example.truth)
        self.seconds.append(seconds)
        self.origins.append(example.origin)
        if text != example.truth:
            self.mistakes.append((example.name, example.truth, text))

    @property
    def accuracy(self) -> float:
        """Proportion of pictures that were read right."""
        return sum(self.right) / len(self.right)

    @property
    def milliseconds(self) -> float:
        """Median for one picture."""
        return 1000 * median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as one JSON object."""
        low, high = interval(self.right, self.origins)
        return {
            "n": len(self.right),
            "accuracy": self.accuracy,
            "interval": [low, high],
            "milliseconds": self.milliseconds,
            "seconds": self.seconds,
            "mistakes": self.mistakes,
        }


def measure(sets: Sequence[PictureSet], readers: Sequence[DigitReader], say: Callable[[str], None]) -> Report:
    """Let all readers read all pictures."""
    found = {}
    for pictures in sets:
        say(f"read {pictures.name}")
        found[pictures.name] = read_in_turns(pictures, [reader for reader in readers if pictures.suits(reader)])
    return report(found, readers)


def read_in_turns(pictures: PictureSet, readers: Iterable[DigitReader]) -> dict[str, Readings]:
    """Let the readers read each picture one after the other, so that what else the machine does falls on all of them.

    The first picture is read once more before, without the clock: networks are loaded and caches filled then.
    """
    readings = {reader: Readings() for reader in readers}
    for number, example in enumerate(pictures.examples()):
        if number == 0:
            for reader in readings:
                pictures.read(reader, example.picture)
        for reader, one in readings.items():
            start = perf_counter()
            text = pictures.read(reader, example.picture)
            one.add(example, text, perf_counter() - start)
    return {reader.name: one for reader, one in readings.items() if one.right}


def interval(right: Sequence[bool], origins: Sequence[int]) -> tuple[float, float]:
    """Compute the 95 % interval of an accuracy.

    Pictures that are made of the same image count for less than one each: as many as give the mean the same variance
    (Kish's effective sample size).
    """
    n, outcomes = len(right), np.asarray(right, float)
    _, groups = np.unique(origins, return_inverse=True)
    count = int(groups.max()) + 1
    accuracy = float(outcomes.mean())
    effective = float(count)
    if 0 < accuracy < 1 and 1 < count < n:
        sums = np.bincount(groups, outcomes - accuracy)
        variance = count / (count - 1) * float((sums**2).sum()) / n**2
        effective = min(n, max(1.0, accuracy * (1 - accuracy) / variance)) if variance else n
    return wilson_interval(accuracy * effective, effective)


def report(found: dict[str, dict[str, Readings]], readers: Sequence[DigitReader]) -> Report:
    """Put the readings of all sets into one table."""
    sizes = {reader.name: reader.size for reader in readers}
    rows = []
    for name, readings in found.items():
        for number, (reader, one) in enumerate(readings.items()):
            low, high = interval(one.right, one.origins)
            rows.append(
                (
                    f"{name}, n = {len(one.right):,}" if number == 0 else "",
                    reader,
                    f"{one.accuracy:.2%}",
                    f"{low:.1%} to {high:.1%}",
                    _digits(one.milliseconds),
                    f"{sizes[reader] / MEGABYTE:.2f}",
                )
            )
    return Report(
        title="Pictures that are read right, rows as a whole; milliseconds are medians for one picture on one thread",
        headers=("pictures", "reader", "right", "95 % interval", "ms", "MB"),
        rows=tuple(rows),
        findings=tuple(_findings(found, readers)),
        numbers={
            "readers": {one.name: {"version": one.version, "bytes": one.size} for one in readers},
            "sets": {name: {one: r.as_json() for one, r in readings.items()} for name, readings in found.items()},
        },
    )


def _findings(found: dict[str, dict[str, Readings]], readers: Sequence[DigitReader]) -> Iterable[Finding]:
    first = readers[0].name
    for name, least in EXPECTED.items():
        readings = found.get(name, {})
        one = readings.get(bare(first), readings.get(first))
        if one:
            text = f"{bare(first) if bare(first) in readings else first} on {name}: {one.accuracy:.2%}"
            yield Finding(text, f"at least {least:.1%}", one.accuracy >= least)


def _digits(value: float) -> str:
    """Format a number to two digits or more."""
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}" if value > 0 else "0"
