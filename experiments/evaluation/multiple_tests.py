"""P values of several tests that are made together."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar, overload

import numpy as np

Key = TypeVar("Key", bound=Hashable)


@overload
def holm(p_values: Mapping[Key, float]) -> dict[Key, float]: ...


@overload
def holm(p_values: Sequence[float]) -> list[float]: ...


def holm(p_values: Mapping[Key, float] | Sequence[float]) -> dict[Key, float] | list[float]:
    """Return p values adjusted by Holm's step-down method (Holm 1979), by the same keys or in the order given.

    Where all that is below a level is taken to be beyond chance, the probability that any of it is by chance is at
    most that level, however the tests depend on each other.

    Parameters
    ----------
    p_values
        In [0, 1], of all that is tested together; may be empty. NaN counts as a test and stays NaN.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    if isinstance(p_values, Mapping):
        return dict(zip(p_values, _adjusted(list(p_values.values())), strict=True))
    return _adjusted(p_values)


def _adjusted(p_values: Sequence[float]) -> list[float]:
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values)[order] * factors)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()
