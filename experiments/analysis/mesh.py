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
    freedom
        Degrees of freedom v of the kernel.
    """

    values: Array
    origin: Array
    spacing: float
    freedom: float

    def at(self, positions: Array) -> tuple[Array, Array]:
        """Return the potential (n,) and its slope (n, d) at positions (n, d) within the mesh."""
        spread = _Spread(positions, self)
        return spread.read(self.values)


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
    from scipy import fft

    everything = positions if around is None else np.concatenate([positions, around])
    low, high = everything.min(axis=0), everything.max(axis=0)
    dimensions = positions.shape[1]
    span = float((high - low).max())
    nodes = int(np.clip(np.ceil(span / SPACING) + SPLINE + 1, LEAST_NODES, MOST_NODES[dimensions]))
    spacing = max(span, 1e-3) / (nodes - SPLINE - 1)
    origin = ((low + high) / 2 - spacing * (nodes - 1) / 2).astype(np.float32)
    mesh = Field(np.empty((nodes,) * dimensions, np.float32), origin, spacing, freedom)
    density = _Spread(positions, mesh).density()
    size = fft.next_fast_len(2 * nodes, real=True)  # so far apart that a point does not meet its image
    kernel = _kernel(size, dimensions, spacing, freedom)
    transformed = fft.rfftn(density, (size,) * dimensions, workers=THREADS)
    transformed *= kernel
    values = fft.irfftn(transformed, (size,) * dimensions, workers=THREADS)
    return Field(values[(slice(nodes),) * dimensions], origin, spacing, freedom)


def _kernel(size: int, dimensions: int, spacing: float, freedom: float) -> NDArray[np.complex64]:
    """Return the transform of w on a mesh, divided by the splines' own, for spreading and for reading."""
    from scipy import fft

    steps = fft.fftfreq(size, 1 / size).astype(np.float32) * spacing
    squared = sum(np.ix_(*[steps**2] * dimensions), np.float32(0))
    kernel = fft.rfftn((1 + squared / freedom) ** (-(freedom + 1) / 2), workers=THREADS)
    whole, half = (np.sinc(frequencies) ** (2 * SPLINE) for frequencies in (fft.fftfreq(size), fft.rfftfreq(size)))
    for spline in np.ix_(*[whole] * (dimensions - 1), half):
        kernel /= spline.astype(np.float32)
    return kernel


class _Spread:
    """Points as weights on the mesh's nodes."""

    def __init__(self, positions: Array, mesh: Field) -> None:
        self._shape = mesh.values.shape
        self._spacing = mesh.spacing
        place = (positions - mesh.origin) / np.float32(mesh.spacing)
        nearest = np.floor(place + np.float32(0.5))
        offset = (place - nearest).astype(np.float32)
        self._weights = np.stack(
            [0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2]
        )  # (3, n, d): of the node before the nearest, the nearest, the one after
        self._slopes = np.stack([offset - 0.5, -2 * offset, offset + 0.5])
        self._first = nearest.astype(np.int64) - 1

    def density(self) -> Array:
        """Return how much of the points lies on each node."""
        matrix = self._matrix(None)
        return np.asarray(matrix.T @ np.ones(matrix.shape[0], np.float32)).reshape(self._shape)

    def read(self, values: Array) -> tuple[Array, Array]:
        """Return what lies on the mesh, and its slope, at the points."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        slopes = [self._matrix(axis) @ flat / self._spacing for axis in range(len(self._shape))]
        return self._matrix(None) @ flat, np.stack(slopes, axis=1).astype(np.float32)

    def _matrix(self, along: int | None) -> Any:
        """Return the weights of the nodes (points, nodes), or their slopes along an axis."""
        from scipy.sparse import csr_array

        n, dimensions = self._first.shape
        steps = np.array([self._shape[0] ** (dimensions - 1 - axis) for axis in range(dimensions)])
        start = self._first @ steps
        indices = np.empty((n, SPLINE**dimensions), np.int32)
        weights = np.empty((n, SPLINE**dimensions), np.float32)
        for column, node in enumerate(itertools.product(range(SPLINE), repeat=dimensions)):
            indices[:, column] = start + np.dot(node, steps)
            factors = [(self._slopes if axis == along else self._weights)[k, :, axis] for axis, k in enumerate(node)]
            weights[:, column] = np.prod(factors, axis=0)
        ends = np.arange(0, n * SPLINE**dimensions + 1, SPLINE**dimensions, dtype=np.int32)
        return csr_array((weights.ravel(), indices.ravel(), ends), shape=(n, int(np.prod(self._shape))))
