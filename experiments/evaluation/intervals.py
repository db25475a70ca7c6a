"""How far an accuracy measured on n images can be trusted."""

import math
from statistics import NormalDist


def wilson_interval(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion, without continuity correction.

    Unlike the normal approximation it stays in [0, 1] and has width where all `n` succeed, as happens
    with good networks on few images (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    successes
        How many succeeded, in [0, n].
    n
        Out of how many, >= 1; a fraction where images that are not independent weigh less than their number.
    confidence
        Coverage, in (0, 1).

    Returns
    -------
    tuple
        Lower and upper bound, in [0, 1].

    Raises
    ------
    ValueError
        For an argument outside its range.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"an interval needs n >= 1 and successes in 0..n, received {successes} of {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), received {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = share + z**2 / (2 * n)
    half_width = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    low = 0.0 if successes == 0 else (centre - half_width) / scale
    high = 1.0 if successes == n else (centre + half_width) / scale
    return low, high
