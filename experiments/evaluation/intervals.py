"""Confidence intervals of proportions, such as an accuracy on n images."""

import math
from statistics import NormalDist


def wilson_interval(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Compute Wilson's score interval of a proportion, without continuity correction.

    Unlike the normal approximation it stays in [0, 1] and does not collapse if all `n` succeed, as happens with good
    networks on few images (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    successes
        Number of successes, in [0, n].
    n
        Number of trials, >= 1; an effective number, which may be a fraction, if the trials are not independent.
    confidence
        Coverage probability, in (0, 1).

    Returns
    -------
    tuple
        Lower and upper bound, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"an interval needs n >= 1 and successes in 0..n, received {successes} of {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), received {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    proportion = successes / n
    center = proportion + z**2 / (2 * n)
    half_width = z * math.sqrt(proportion * (1 - proportion) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    low = 0.0 if successes == 0 else (center - half_width) / scale
    high = 1.0 if successes == n else (center + half_width) / scale
    return low, high
