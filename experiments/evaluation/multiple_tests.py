"""Correction of p values for multiple tests."""

from collections.abc import Sequence

import numpy as np

SIGNIFICANT = 0.01  # p value, after Holm's correction


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values by Holm's step-down method (Holm 1979).

    It controls the family-wise error rate: if all tests with an adjusted p value below a level are called significant,
    the probability of any false positive is at most that level, whatever the dependence between the tests.

    Parameters
    ----------
    p_values
        P values of all tests of the family, in [0, 1]; may be empty. NaN counts as a test and stays NaN.

    Returns
    -------
    list
        The adjusted p values, in the same order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values)[order] * factors)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()
