"""The shift between two domains in a model's feature space.

Networks have features of 64 to 4,096 dimensions on different scales. To make their shifts comparable, features are
centered on the mean of the source and divided by the root of the sum of its variances: one scale for all features,
since a scale per feature would emphasize units that are rarely active. The measures are then invariant to rotation and
scaling of the whole space, to duplication of every feature, and to constant features: a wide network has no larger
shift for its width.

A difference in class frequencies is part of a shift between domains, except in the class distances.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES

Array = NDArray[np.float32]

SAMPLE = 2000  # images of each domain for measures over all pairs
PERMUTATIONS = 999
CHANCE = 0.95  # quantile of the permutations
DIRECTIONS = 64  # the width of the narrowest network, so that the domain classifiers of all have the same size
LEAST_VARIANCE = 1e-5  # relative to the first direction; less is rounding error


@dataclass(frozen=True)
class Shift:
    """Measures of the shift from source to target in one model's feature space.

    Attributes
    ----------
    mmd
        Squared maximum mean discrepancy, unbiased, at most 2: around 0, possibly negative, for equal domains.
    mmd_chance
        95 % quantile of its permutation distribution.
    mmd_p_value
        p value of the permutation test, in [0.001, 1].
    coral
        Squared distance of the covariances over 4, >= 0.
    coral_chance
        Its mean between two samples of the source, as large as the domains.
    a_distance
        Proxy A-distance, in [0, 2]: 0 if a linear classifier cannot distinguish the domains, 2 if it always can.
    class_distances
        For each class, the distance between the means of its target and its source features, over the root mean
        squared distance of the source features from their mean. NaN if a class does not occur in the target, occurs
        once in the source or does not vary there, or without labels.
    sample
        Number of images of each domain behind `mmd` and `a_distance`.
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
    """Measure the shift between two domains in the feature space of one model.

    Parameters
    ----------
    source_features, target_features
        float32 (n, d) and (m, d), n >= 2 and m >= 2, finite.
    source_labels, target_labels
        int64 (n,) and (m,), in 0..9. Used for the class distances only.
    seed
        Seed of the samples, permutations and halves.

    Raises
    ------
    ValueError
        If the features have other shapes, are not finite or do not vary in the source, or labels have other shapes.
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
    """Center both on the mean of the source and scale them so that its variances sum to 1."""
    mean = source.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt(source.var(axis=0, dtype=np.float64, ddof=1).sum()))
    if not spread > 0:
        raise ValueError("features of the source must vary, received the same of every point")
    center, scale = mean.astype(np.float32), np.float32(spread)
    return (source - center) / scale, (target - center) / scale


def _mmd(pooled: Array, rng: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """Compute the squared MMD between the halves of points (2 s, d), and of `PERMUTATIONS` of them.

    Unbiased, with a Gaussian kernel as wide as the median distance (Gretton et al. 2012, lemma 6 and section 8). With
    signs +1 for one half and -1 for the other, only a quadratic form in the kernel depends on the halves.
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
    """Compute the kernel of all pairs of different points minus its mean; 0 on the diagonal.

    A constant adds nothing to an unbiased MMD; without it single precision suffices.
    """
    centered = points - points.mean(axis=0)
    lengths = (centered**2).sum(axis=1)
    squared = np.maximum(lengths[:, None] + lengths - 2 * (centered @ centered.T), 0)
    others = ~np.eye(len(points), dtype=bool)
    apart = squared[others]
    width = float(np.median(apart)) or float(apart.mean()) or 1.0  # if most points are the same; if all are
    kernel = np.exp(squared * np.float32(-0.5 / width))
    kernel -= np.float32(kernel[others].mean(dtype=np.float64))
    np.fill_diagonal(kernel, 0)
    return kernel


def _coral(source: Array, target: Array) -> tuple[float, float]:
    """Compute the CORAL distance of standardized points, and its mean if both domains are the source.

    Sun & Saenko (2016) have ||C_s - C_t||^2 / (4 d^2). Here the variances of the source sum to 1, not to d, which is
    the same as dividing by d. The expected squared error of a covariance of n points is E|x x^T - C|^2 / n.
    """
    covariances = [np.atleast_2d(np.cov(domain, rowvar=False, dtype=np.float32)) for domain in (source, target)]
    distance = float(((covariances[0] - covariances[1]) ** 2).sum(dtype=np.float64))
    fourth = float(((source**2).sum(axis=1, dtype=np.float64) ** 2).mean())
    one = max(0.0, fourth - float((covariances[0] ** 2).sum(dtype=np.float64)))
    return distance / 4, one * (1 / len(source) + 1 / len(target)) / 4


def _a_distance(pooled: Array, seed: int) -> float:
    """Compute the proxy A-distance between the halves of points (2 s, d) (Ben-David et al. 2007).

    2 (1 - 2 e), where e is the error of a logistic regression in two-fold cross-validation; 0 if worse than guessing.
    It sees the whitened directions of largest variance of the pooled points, so that it has the same capacity for wide
    and narrow networks.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    domain = np.repeat([0, 1], len(pooled) // 2)
    halves = StratifiedKFold(2, shuffle=True, random_state=seed)
    guesses = cross_val_predict(LogisticRegression(max_iter=1000), _whitened(pooled, seed), domain, cv=halves)
    return max(0.0, 2 * (1 - 2 * float((guesses != domain).mean())))


def _whitened(points: Array, seed: int) -> NDArray[Any]:
    """Project points on at most `DIRECTIONS` principal components, each scaled to variance 1."""
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
    """Compute the distance of the means over the spread of the source; NaN if undefined."""
    if len(source) < 2 or not len(target):
        return float("nan")
    mean = source.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt(((source - mean) ** 2).sum(axis=1).mean()))
    moved = float(np.linalg.norm(target.mean(axis=0, dtype=np.float64) - mean))
    return moved / spread if spread > 0 else float("nan")
