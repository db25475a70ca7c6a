"""The curve of an adaptation: numbers per epoch or step that need no labels."""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray

from experiments.training import DivergedError
from experiments.transfer.predictions import mean_entropy

CONFIDENT = 0.968  # the threshold of French, Mackiewicz & Fisher (2018)
STATE = ("entropy", "confident")  # series that start with the unadapted model


class AdaptationCurve:
    """Collects numbers epoch by epoch."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, **numbers: float) -> None:
        """Append a value to each of the named series.

        Raises
        ------
        DivergedError
            If a value is not finite.
        """
        for name, value in numbers.items():
            if not np.isfinite(value):
                raise DivergedError(f"the adaptation diverged: its {name} is not finite; try another method")
            self._values.setdefault(name, []).append(float(value))

    def add_predictions(self, probabilities: NDArray[np.float32]) -> None:
        """Append the mean entropy and the confident proportion of predictions (n, 10)."""
        self.add(
            entropy=mean_entropy(probabilities),
            confident=float((probabilities.max(axis=1) > CONFIDENT).mean()),
        )

    def series(self) -> dict[str, tuple[float, ...]]:
        """Return all series by name."""
        return {name: tuple(values) for name, values in self._values.items()}


def align_series(curve: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Align the series of a curve: all of one length, index 0 for the unadapted model, NaN where nothing was measured.

    A series of `STATE` has a value for index 0 already, or only the first and the last value.
    """
    last = max((len(values) for name, values in curve.items() if name not in STATE), default=1)
    aligned = {}
    for name, values in curve.items():
        row = [nan] * (last + 1)
        if name not in STATE:
            row[1:] = values
        elif len(values) == last + 1:
            row = list(values)
        else:
            row[0], row[-1] = values[0], values[-1]
        aligned[name] = row
    return aligned
