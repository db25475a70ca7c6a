"""How far two domains lie apart in what a network makes of their digits.

Networks have features of 64 to 4,096 dimensions, in units of their own. So that their shifts can be compared, features
are centred on the mean of the source and divided by its whole spread, the root of the sum of its variances: one scale
for all, since a scale for each would make most of the units that are hardly ever on. Then no number here changes
where a space is turned or scaled as a whole, where every feature is there twice, or where one is added that is always
the same: that a network is wide is not in itself a shift.

A difference in how often the classes occur is part of a shift between domains, except in the distances by class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES

Array = NDArray[np.float32]

SAMPLE = 2000  # of each domain, where all pairs are compared
PERMUTATIONS = 999
CHANCE = 0.95  # quantile of what permutations give
DIRECTIONS = 64  # as many as the narrowest network has, so that all domains are told apart by classifiers of one size
LEAST_VARIANCE = 1e-5  # of that along the first direction; below, it is rounding


@dataclass(frozen=True)
class Shift:
    """How far the target lies from the source in one network's features.

    Attributes
    ----------
    mmd
        Squared maximum mean discrepancy, unbiased, at most 2: around 0 where the domains are the same, by chance below
        it too.
    mmd_chance
        What 95 % of the permutations of the two domains stay below.
    mmd_p_value
        In [0.001, 1]: share of the permutations, with the domains as they are among them, that reach `mmd`.
    coral
        Squared distance of the covariances over 4, >= 0.
    coral_chance
        Its mean where two samples of the source, as large as the domains, are compared.
    a_distance
        Proxy A-distance, in [0, 2]: 0 where a linear classifier cannot tell the domains apart, 2 where it always can.
    class_distances
        Ten numbers, one for each digit: how far the mean of its target features lies from that of its source
        features, over the root mean squared distance of the latter from their mean. NaN where a digit does not occur
        in the target, occurs once in the source or does not vary there, or where labels are not given.
    sample
        Points of each domain that `mmd` and `a_distance` were taken on.
    """

    mmd: float
    mmd_chance: float
    mmd_p_value: float
    coral: float
    coral_chance: float
    a_distance: float
    class_distances: tuple[float, ...]
    sample: int


def shift(
    source_features: Array,
    target_features: Array,
    source_labels: NDArray[np.int64] | None = None,
    target_labels: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Shift:
    """Measure how far two domains lie apart in the features of one network.

    Parameters
    ----------
    source_features, target_features
        float32 (n, d) and (m, d), n >= 2 and m >= 2, finite.
    source_labels, target_labels
        int64 (n,) and (m,), in 0..9. Used for the distances by class and for nothing else.
    seed
        Of the samples, permutations and halves.

    Raises
    ------
    ValueError
        For features of other shapes, not finite, or that do not vary in the source; for labels of other shapes.
    """
    _check(source_features, target_features, source_labels, target_labels)
    source, target = _standardised(source_features, target_features)
    rng = np.random.default_rng(seed)
    size = min(len(source), len(target), SAMPLE)
    pooled = np.concatenate([domain[rng.permutation(len(domain))[:size]] for domain in (source, target)])
    mmd, permuted = _mmd(pooled, rng)
    distance, distance_by_chance = _coral(source, target)
    return Shift(
        mmd=mmd,
        mmd_chance=float(np.quantile(permuted, CHANCE)),
        mmd_p_value=(1 + int((permuted >= mmd).sum())) / (1 + PERMUTATIONS),
        coral=distance,
        coral_chance=distance_by_chance,
        a_distance=_a_distance(pooled, seed),
        class_distances=_class_distances(source, target, source_labels, target_labels),
        sample=size,
    )


def _check(source: Array, target: Array, *labels: NDArray[np.int64] | None) -> None:
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise ValueError(f"features must have shapes (n, d) and (m, d), received {source.shape} and {target.shape}")
    if len(source) < 2 or len(target) < 2:
        raise ValueError(f"a shift needs 2 points of each domain, received {len(source)} and {len(target)}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("features must be finite")
    for features, given in zip((source, target), labels, strict=True):
        if given is not None and given.shape != (len(features),):
            raise ValueError(f"labels of {len(features)} points must have shape (n,), received {given.shape}")


def _standardised(source: Array, target: Array) -> tuple[Array, Array]:
    """Return both, centred on the mean of the source and with its variances summing to 1."""
    mean = source.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt(source.var(axis=0, dtype=np.float64, ddof=1).sum()))
    if not spread > 0:
        raise ValueError("features of the source must vary, received the same of every point")
    centre, scale = mean.astype(np.float32), np.float32(spread)
    return (source - centre) / scale, (target - centre) / scale


def _mmd(pooled: Array, rng: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """Return the squared MMD of the first half of points (2 s, d) from the second, and that of `PERMUTATIONS`.

    Unbiased, with a Gaussian kernel as wide as the median distance (Gretton et al. 2012, lemma 6 and section 8). With
    signs +1 for one half and -1 for the other all that changes with the halves is one quadratic form in the kernel.
    """
    size = len(pooled) // 2
    kernel = _kernel(pooled)
    signs = np.repeat(np.array([1, -1], np.float32), size)
    all_signs = np.stack([signs, *(rng.permutation(signs) for _ in range(PERMUTATIONS))], axis=1)
    forms = ((kernel @ all_signs) * all_signs).sum(axis=0, dtype=np.float64)
    total = kernel.sum(dtype=np.float64)
    within, across = (total + forms) / 2, (total - forms) / 2
    squared = within / (size * (size - 1)) - across / size**2
    return float(squared[0]), squared[1:]


def _kernel(points: Array) -> Array:
    """Return the kernel of all pairs of different points, less its mean; 0 on the diagonal.

    A constant adds nothing to an unbiased MMD; without it single precision is enough.
    """
    centred = points - points.mean(axis=0)
    lengths = (centred**2).sum(axis=1)
    squared = np.maximum(lengths[:, None] + lengths - 2 * (centred @ centred.T), 0)
    others = ~np.eye(len(points), dtype=bool)
    apart = squared[others]
    width = float(np.median(apart)) or float(apart.mean()) or 1.0  # where most points are the same; where all are
    kernel = np.exp(squared * np.float32(-0.5 / width))
    kernel -= np.float32(kernel[others].mean(dtype=np.float64))
    np.fill_diagonal(kernel, 0)
    return kernel


def _coral(source: Array, target: Array) -> tuple[float, float]:
    """Return the CORAL distance of standardised points, and its mean where both domains are the source.

    Sun & Saenko (2016) have ||C_s - C_t||^2 / (4 d^2). Here the variances of the source sum to 1, not to d, which is
    the same as dividing by d. By chance each covariance of n points is off by E|x x^T - C|^2 / n, in squared norm.
    """
    covariances = [np.atleast_2d(np.cov(domain, rowvar=False, dtype=np.float32)) for domain in (source, target)]
    distance = float(((covariances[0] - covariances[1]) ** 2).sum(dtype=np.float64))
    fourth = float(((source**2).sum(axis=1, dtype=np.float64) ** 2).mean())
    one = max(0.0, fourth - float((covariances[0] ** 2).sum(dtype=np.float64)))
    return distance / 4, one * (1 / len(source) + 1 / len(target)) / 4


def _a_distance(pooled: Array, seed: int) -> float:
    """Return the proxy A-distance of the first half of points (2 s, d) from the second (Ben-David et al. 2007).

    2 (1 - 2 e), where e is the error of a logistic regression on the half of the points it has not learned from, each
    half in turn; 0 where it does worse than guessing. It sees the directions in which the pooled points vary most, all
    as wide as each other, so that it is as strong in wide networks as in narrow ones.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    domain = np.repeat([0, 1], len(pooled) // 2)
    halves = StratifiedKFold(2, shuffle=True, random_state=seed)
    guesses = cross_val_predict(LogisticRegression(max_iter=1000), _whitened(pooled, seed), domain, cv=halves)
    return max(0.0, 2 * (1 - 2 * float((guesses != domain).mean())))


def _whitened(points: Array, seed: int) -> NDArray[Any]:
    """Return points along at most `DIRECTIONS` principal components, each of variance 1."""
    from sklearn.decomposition import PCA

    directions = min(DIRECTIONS, *points.shape)
    solver = "covariance_eigh" if points.shape[1] <= 1000 else "randomized"
    components = PCA(directions, svd_solver=solver, random_state=seed)
    along = components.fit_transform(points)
    variances = components.explained_variance_
    real = variances > LEAST_VARIANCE * variances[0]
    return along[:, real] / np.sqrt(variances[real])


def _class_distances(
    source: Array,
    target: Array,
    source_labels: NDArray[np.int64] | None,
    target_labels: NDArray[np.int64] | None,
) -> tuple[float, ...]:
    if source_labels is None or target_labels is None:
        return (float("nan"),) * CLASSES
    return tuple(
        _mean_distance(source[source_labels == digit], target[target_labels == digit]) for digit in range(CLASSES)
    )


def _mean_distance(source: Array, target: Array) -> float:
    """Return how far the means lie apart, over the spread of the source; NaN where that is not defined."""
    if len(source) < 2 or not len(target):
        return float("nan")
    mean = source.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt(((source - mean) ** 2).sum(axis=1).mean()))
    moved = float(np.linalg.norm(target.mean(axis=0, dtype=np.float64) - mean))
    return moved / spread if spread > 0 else float("nan")
