"""Hyperparameters of a search, as figures draw them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VALUE = "validation accuracy"
TOO_FEW = "fewer than two trials were complete"
MANY = 10  # trials, from which the worst are no longer worth their room


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter in n trials.

    Attributes
    ----------
    tried
        Its value in each trial, (n,).
    low, high
        Ends of its range.
    log
        Whether it was searched on a logarithmic scale.
    """

    tried: Sequence[float]
    low: float
    high: float
    log: bool

    def places(self) -> NDArray[np.float64]:
        """Return the position of each value in the range, in [0, 1] on its scale, (n,)."""
        scale = np.log if self.log else np.asarray
        tried, low, high = (scale(values) for values in (self.tried, self.low, self.high))
        return (tried - low) / (high - low) if high > low else np.full(len(self.tried), 0.5)


def set_scale(axes: "Axes", axis: Literal["x", "y"], parameter: Hyperparameter) -> None:
    """Set an axis to the range of a hyperparameter with a margin at both ends."""
    from matplotlib.ticker import NullFormatter

    low, high = parameter.low, parameter.high
    scale, limit = (axes.set_xscale, axes.set_xlim) if axis == "x" else (axes.set_yscale, axes.set_ylim)
    if parameter.log:
        scale("log")
        (axes.xaxis if axis == "x" else axes.yaxis).set_minor_formatter(NullFormatter())
        room = (high / low) ** 0.04
        limit(low / room, high * room)
    else:
        room = (high - low) * 0.04 or 0.5
        limit(low - room, high + room)


def focus(axes: "Axes", values: NDArray[np.float64]) -> None:
    """Limit the y axis to the good trials: very bad ones may lie below it, so that the others can be distinguished."""
    top, low = values.max(), lower_limit(values)
    room = max(top - low, 1e-3) * 0.15
    axes.set_ylim(low - room, top + room)


def lower_limit(values: NDArray[np.float64]) -> float:
    """Return the lowest value to distinguish: of many trials the lowest tenth may lie below."""
    return float(np.quantile(values, 0.1) if len(values) >= MANY else values.min())
