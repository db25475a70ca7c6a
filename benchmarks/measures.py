"""From seconds to rates, ratios and shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of several measurements with the lowest and the highest of them.

    ``format(spread, spec)`` formats all three by `spec`: ``2.10 (1.98 to 2.24)``, or just ``2.10`` if
    they are equal.
    """

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        if self.low == self.high:
            return f"{self.median:{spec}}"
        return f"{self.median:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the least and the greatest of `values`."""
    return Spread(median(values), min(values), max(values))


def images_per_second(images: int, epoch_seconds: Sequence[float]) -> float:
    """Return the rate over all epochs but the first, in which graphs are traced and caches filled.

    Parameters
    ----------
    images
        Trained on in each epoch.
    epoch_seconds
        Of each epoch in order.

    Raises
    ------
    ValueError
        When there is no second epoch.
    """
    counted = epoch_seconds[1:]
    if not counted:
        raise ValueError(f"the first epoch does not count, so two are needed. Received: {len(epoch_seconds)}")
    return images * len(counted) / sum(counted)


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Return the ratio of the medians, with the lowest and the highest ratio of two neighbours in time.

    Parameters
    ----------
    numerators, denominators
        One value a round each, in the order of the rounds.

    Raises
    ------
    ValueError
        When the numbers of rounds differ.
    """
    of_rounds = [above / below for above, below in zip(numerators, denominators, strict=True)]
    return Spread(median(numerators) / median(denominators), min(of_rounds), max(of_rounds))


def share(rates_with: Sequence[float], rates_without: Sequence[float]) -> Spread:
    """Return the share of the time that a part of the work takes, from the rates with and without that part."""
    left = ratio(rates_with, rates_without)
    return Spread(1 - left.median, 1 - left.high, 1 - left.low)
