"""The repulsion of all pairs of points at once, over a regular mesh and a Fourier transform.

Every pair of points of a t-SNE map repels by the gradient of one potential, w(r) = (1 + r^2 / v)^(-(v + 1) / 2). So
the sum over all pairs is a convolution: the points are spread over a mesh by quadratic splines, the mesh is convolved
with w by a Fourier transform, and field and slope are read off at the points by the same splines. This is the
particle-mesh method of physics (Hockney & Eastwood 1988; the splines are divided out as in Essmann et al. 1995), where
FIt-SNE (Linderman et al. 2019) interpolates by polynomials; its cost in three dimensions is that of a small transform.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SPACING = 0.7  # of the mesh; w varies over a length of 1
LEAST_SPACING = 0.2  # below, single precision loses the slope
LEAST_NODES = 16  # along an axis
MOST_NODES = {2: 512, 3: 80}
SPLINE = 3  # nodes along an axis that a point is spread over
THREADS = -1  # as many as there are processors


@dataclass(frozen=True, eq=False)
class Field:
    """The potential of a set of points, on a mesh.

    Attributes
    ----------
    values
        float32 (nodes, ..., nodes), a node an entry.
    origin, spacing
        Where the first node is, (d,), and how far the next.
    own
        float64 (3, ..., 3): what a point spread over the mesh does to a node 0, 1 or 2 nodes away along each axis.
    """

    values: Array
    origin: Array
    spacing: float
    own: NDArray[np.float64]

    def at(self, positions: Array) -> tuple[Array, Array]:
        """Return the potential (n,) and its slope (n, d) at positions (n, d).

        Raises
        ------
        ValueError
            When a position lies outside the mesh.
        """
        return _Spread(positions, self.origin, self.spacing, self.values.shape).read(self.values)


def potential(positions: Array, freedom: float, around: Array | None = None) -> Field:
    """Return the sum over all points of w(distance), on a mesh over the points.

    Parameters
    ----------
    positions
        float32 (n, d), d = 2 or 3.
    freedom
        Degrees of freedom v of the kernel, > 0.
    around
        float32 (m, d): more positions at which the field will be asked for.
    """
    return _potential(positions, freedom, around)[0]


def repulsion(positions: Array, freedom: float) -> tuple[Array, Array]:
    """Return for each point (n, d) the potential (n,) of all others, and its slope (n, d).

    What a point's own weights on the mesh do to itself is known, and taken off.
    """
    field, spread = _potential(positions, freedom, None)
    (whole, slope), (own, own_slope) = spread.read(field.values), spread.own(field.own)
    return whole - own, slope - own_slope


def _potential(positions: Array, freedom: float, around: Array | None) -> "tuple[Field, _Spread]":
    from scipy import fft

    everything = positions if around is None else np.concatenate([positions, around])
    low, high = everything.min(axis=0), everything.max(axis=0)
    dimensions = positions.shape[1]
    span = float((high - low).max())
    nodes = int(np.clip(np.ceil(span / SPACING) + SPLINE + 1, LEAST_NODES, MOST_NODES[dimensions]))
    spacing = max(span / (nodes - SPLINE - 1), LEAST_SPACING)
    origin = ((low + high) / 2 - spacing * (nodes - 1) / 2).astype(np.float32)
    shape = (nodes,) * dimensions
    spread = _Spread(positions, origin, spacing, shape)
    size = fft.next_fast_len(2 * nodes, real=True)  # so far apart that a point does not meet its image
    kernel = _kernel(size, dimensions, spacing, freedom)
    transformed = fft.rfftn(spread.density(), (size,) * dimensions, workers=THREADS)
    transformed *= kernel
    values = fft.irfftn(transformed, (size,) * dimensions, workers=THREADS)
    return Field(values[(slice(nodes),) * dimensions], origin, spacing, _near(kernel, size)), spread


def _kernel(size: int, dimensions: int, spacing: float, freedom: float) -> Array:
    """Return the transform of w on a mesh, divided by the splines' own, for spreading and for reading."""
    from scipy import fft

    steps = fft.fftfreq(size, 1 / size).astype(np.float32) * spacing
    squared = sum(np.ix_(*[steps**2] * dimensions), np.float32(0))
    kernel = fft.rfftn((1 + squared / freedom) ** (-(freedom + 1) / 2), workers=THREADS).real  # w is even
    whole, half = (np.sinc(frequencies) ** (2 * SPLINE) for frequencies in (fft.fftfreq(size), fft.rfftfreq(size)))
    for spline in np.ix_(*[whole] * (dimensions - 1), half):
        kernel /= spline.astype(np.float32)
    return kernel


def _near(kernel: Array, size: int) -> NDArray[np.float64]:
    """Return a kernel (size, ..., size // 2 + 1) back in space, at 0 to 2 nodes along each axis."""
    from scipy import fft

    away = np.arange(SPLINE)
    whole, half = (np.cos(2 * np.pi * np.outer(f, away)) / size for f in (fft.fftfreq(size), fft.rfftfreq(size)))
    half[1 : (size + 1) // 2] *= 2  # the frequencies that a real transform leaves out
    near: NDArray[np.float64] = np.tensordot(kernel, half.astype(np.float32), 1)
    for _ in range(kernel.ndim - 1):
        near = np.tensordot(near, whole, (0, 0))
    return near


class _Spread:
    """Points (n, d) as weights on the nodes of a mesh, by quadratic splines."""

    def __init__(self, positions: Array, origin: Array, spacing: float, shape: tuple[int, ...]) -> None:
        self._shape, self._spacing = shape, spacing
        place = (positions - origin) / np.float32(spacing)
        nearest = np.floor(place + np.float32(0.5))
        if not ((nearest >= 1) & (nearest <= shape[0] - 2)).all():
            raise ValueError("positions must lie within the mesh, and be finite")
        offset = (place - nearest).astype(np.float32).T[..., None]
        # (d, n, 3): of the node before the nearest, the nearest, the one after.
        self._weights = np.concatenate([0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2], -1)
        self._slopes = np.concatenate([offset - 0.5, -2 * offset, offset + 0.5], -1)
        steps = np.array([shape[0] ** axis for axis in reversed(range(len(shape)))])
        offsets = [np.dot(node, steps) for node in itertools.product(range(SPLINE), repeat=len(shape))]
        first = (nearest.astype(np.int32) - 1) @ steps.astype(np.int32)
        self._nodes = first[:, None] + np.array(offsets, np.int32)
        self._matrix = self._weighted(None)

    def density(self) -> Array:
        """Return how much of the points lies on each node."""
        return np.asarray(self._matrix.T @ np.ones(len(self._nodes), np.float32)).reshape(self._shape)

    def read(self, values: Array) -> tuple[Array, Array]:
        """Return what lies on the mesh, and its slope, at the points."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        slopes = [self._weighted(axis) @ flat / self._spacing for axis in range(len(self._shape))]
        return self._matrix @ flat, np.stack(slopes, axis=1).astype(np.float32)

    def own(self, near: NDArray[np.float64]) -> tuple[Array, Array]:
        """Return what `read` finds, at each point, of that point alone.

        Two weights of a point that lie m nodes apart along an axis meet as often as the products of such weights add
        up to; what is read is a form in these sums, and its slope, by symmetry, half the form's own.
        """
        (before, at, after), slopes = np.moveaxis(self._weights, -1, 0), np.moveaxis(self._slopes, -1, 0)
        met = np.stack([before**2 + at**2 + after**2, 2 * at * (before + after), 2 * before * after], -1)
        change = np.stack(
            [
                2 * (before * slopes[0] + at * slopes[1] + after * slopes[2]),
                2 * (slopes[1] * (before + after) + at * (slopes[0] + slopes[2])),
                2 * (slopes[0] * after + before * slopes[2]),
            ],
            -1,
        )
        form = near.astype(np.float32)

        def apply(factors: list[Array]) -> Array:
            partial: Array = factors[0] @ form.reshape(SPLINE, -1)
            for factor in factors[1:]:
                parts = partial.reshape(len(factor), SPLINE, -1)
                partial = np.add.reduce([factor[:, i, None] * parts[:, i] for i in range(SPLINE)])
            return partial[:, 0]

        axes = range(len(self._shape))
        slope = [apply([(change if one == axis else met)[one] for one in axes]) for axis in axes]
        return apply(list(met)), np.stack(slope, axis=1) / np.float32(2 * self._spacing)

    def _weighted(self, along: int | None) -> Any:
        """Return the weights of the nodes (points, nodes), or their slopes along an axis."""
        from scipy.sparse import csr_array

        n, width = self._nodes.shape
        weights = np.ones((n, 1), np.float32)
        for axis in range(len(self._shape)):
            factor = (self._slopes if axis == along else self._weights)[axis]
            weights = (weights[:, :, None] * factor[:, None, :]).reshape(n, -1)
        ends = np.arange(0, n * width + 1, width, dtype=np.int32)
        return csr_array((weights.ravel(), self._nodes.ravel(), ends), shape=(n, int(np.prod(self._shape))))
