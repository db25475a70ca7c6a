"""Repulsion of t-SNE between all pairs of points, by a Fourier transform over a regular mesh.

Each pair of points repels by the gradient of one potential, w(r) = (1 + r^2 / v)^(-(v + 1) / 2), so the sum over all
pairs is a convolution. Points are spread over a mesh by quadratic splines, the mesh is convolved with w by a Fourier
transform, and the potential and its gradient are interpolated at the points by the same splines. This is the
particle-mesh method of physics (Hockney & Eastwood 1988; the splines are divided out as in Essmann et al. 1995).
FIt-SNE (Linderman et al. 2019) interpolates by polynomials instead. In three dimensions this costs one small transform.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SPACING = 0.7  # of the nodes of the mesh; w varies over a length of 1
LEAST_SPACING = 0.2  # below, the gradient is lost in single precision
LEAST_NODES = 16  # per axis
MOST_NODES = {2: 512, 3: 80}
SPLINE = 3  # nodes per axis that a point is spread over
THREADS = -1  # one per processor


@dataclass(frozen=True, eq=False)
class Potential:
    """The potential of a set of points on a mesh.

    Attributes
    ----------
    values
        Potential at each node, float32 (nodes, ..., nodes).
    origin, spacing
        Position of the first node, (d,), and distance between nodes.
    kernel
        Contribution of a node to the nodes 0, 1 and 2 steps away along each axis, float64 (3, ..., 3).
    """

    values: Array
    origin: Array
    spacing: float
    kernel: NDArray[np.float64]

    def at(self, positions: Array) -> tuple[Array, Array]:
        """Interpolate the potential (n,) and its gradient (n, d) at positions (n, d).

        Raises
        ------
        ValueError
            If a position lies outside the mesh.
        """
        return _Spread(positions, self.origin, self.spacing, self.values.shape).read(self.values)


def potential(positions: Array, freedom: float, around: Array | None = None) -> Potential:
    """Compute the sum over all points of w(distance), on a mesh that covers the points.

    Parameters
    ----------
    positions
        float32 (n, d), d = 2 or 3.
    freedom
        Degrees of freedom v of w, > 0.
    around
        More positions that the mesh must cover, float32 (m, d).
    """
    return _potential(positions, freedom, around)[0]


def repulsion(positions: Array, freedom: float) -> tuple[Array, Array]:
    """Compute for each point (n, d) the potential (n,) of all other points, and its gradient (n, d).

    The contribution of each point to itself through the mesh is known, and is subtracted.
    """
    field, spread = _potential(positions, freedom, None)
    (total, gradient), (own, own_gradient) = spread.read(field.values), spread.own(field.kernel)
    return total - own, gradient - own_gradient


def _potential(positions: Array, freedom: float, around: Array | None) -> "tuple[Potential, _Spread]":
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
    size = fft.next_fast_len(2 * nodes, real=True)  # padding: the transform is periodic
    kernel = _kernel(size, dimensions, spacing, freedom)
    transformed = fft.rfftn(spread.density(), (size,) * dimensions, workers=THREADS)
    transformed *= kernel
    values = fft.irfftn(transformed, (size,) * dimensions, workers=THREADS)
    return Potential(values[(slice(nodes),) * dimensions], origin, spacing, _near(kernel, size)), spread


def _kernel(size: int, dimensions: int, spacing: float, freedom: float) -> Array:
    """Compute the transform of w on the mesh, divided by that of the splines, for spreading and for reading."""
    from scipy import fft

    steps = fft.fftfreq(size, 1 / size).astype(np.float32) * spacing
    squared = sum(np.ix_(*[steps**2] * dimensions), np.float32(0))
    kernel = fft.rfftn((1 + squared / freedom) ** (-(freedom + 1) / 2), workers=THREADS).real  # w is even
    full, half = (np.sinc(frequencies) ** (2 * SPLINE) for frequencies in (fft.fftfreq(size), fft.rfftfreq(size)))
    for spline in np.ix_(*[full] * (dimensions - 1), half):
        kernel /= spline.astype(np.float32)
    return kernel


def _near(kernel: Array, size: int) -> NDArray[np.float64]:
    """Transform a kernel (size, ..., size // 2 + 1) back to space, at 0 to 2 nodes along each axis."""
    from scipy import fft

    steps = np.arange(SPLINE)
    full, half = (np.cos(2 * np.pi * np.outer(f, steps)) / size for f in (fft.fftfreq(size), fft.rfftfreq(size)))
    half[1 : (size + 1) // 2] *= 2  # frequencies omitted by a real transform
    near: NDArray[np.float64] = np.tensordot(kernel, half.astype(np.float32), 1)
    for _ in range(kernel.ndim - 1):
        near = np.tensordot(near, full, (0, 0))
    return near


class _Spread:
    """Quadratic spline weights of points (n, d) on the nodes of a mesh."""

    def __init__(self, positions: Array, origin: Array, spacing: float, shape: tuple[int, ...]) -> None:
        self._shape, self._spacing = shape, spacing
        place = (positions - origin) / np.float32(spacing)
        nearest = np.floor(place + np.float32(0.5))
        if not ((nearest >= 1) & (nearest <= shape[0] - 2)).all():
            raise ValueError("positions must lie within the mesh, and be finite")
        offset = (place - nearest).astype(np.float32).T[..., None]
        # (d, n, 3): weights of the nearest node, and of the ones before and after it.
        self._weights = np.concatenate([0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2], -1)
        self._gradients = np.concatenate([offset - 0.5, -2 * offset, offset + 0.5], -1)
        steps = np.array([shape[0] ** axis for axis in reversed(range(len(shape)))])
        offsets = [np.dot(node, steps) for node in itertools.product(range(SPLINE), repeat=len(shape))]
        first = (nearest.astype(np.int32) - 1) @ steps.astype(np.int32)
        self._nodes = first[:, None] + np.array(offsets, np.int32)
        self._matrix = self._weighted(None)

    def density(self) -> Array:
        """Sum the weights of all points on each node."""
        return np.asarray(self._matrix.T @ np.ones(len(self._nodes), np.float32)).reshape(self._shape)

    def read(self, values: Array) -> tuple[Array, Array]:
        """Interpolate values on the mesh, and their gradient, at the points."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        gradient = [self._weighted(axis) @ flat / self._spacing for axis in range(len(self._shape))]
        return self._matrix @ flat, np.stack(gradient, axis=1).astype(np.float32)

    def own(self, near: NDArray[np.float64]) -> tuple[Array, Array]:
        """Compute the part of `read` at each point that comes from the point itself.

        It is a multilinear form in the sums of products of two weights that lie m nodes apart along each axis. By
        symmetry, the gradient is half the gradient of the form.
        """
        (before, at, after), gradients = np.moveaxis(self._weights, -1, 0), np.moveaxis(self._gradients, -1, 0)
        products = np.stack([before**2 + at**2 + after**2, 2 * at * (before + after), 2 * before * after], -1)
        change = np.stack(
            [
                2 * (before * gradients[0] + at * gradients[1] + after * gradients[2]),
                2 * (gradients[1] * (before + after) + at * (gradients[0] + gradients[2])),
                2 * (gradients[0] * after + before * gradients[2]),
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
        gradient = [apply([(change if one == axis else products)[one] for one in axes]) for axis in axes]
        return apply(list(products)), np.stack(gradient, axis=1) / np.float32(2 * self._spacing)

    def _weighted(self, along: int | None) -> Any:
        """Build the sparse matrix (points, nodes) of weights, or of their derivatives along an axis."""
        from scipy.sparse import csr_array

        n, width = self._nodes.shape
        weights = np.ones((n, 1), np.float32)
        for axis in range(len(self._shape)):
            factor = (self._gradients if axis == along else self._weights)[axis]
            weights = (weights[:, :, None] * factor[:, None, :]).reshape(n, -1)
        ends = np.arange(0, n * width + 1, width, dtype=np.int32)
        return csr_array((weights.ravel(), self._nodes.ravel(), ends), shape=(n, int(np.prod(self._shape))))
