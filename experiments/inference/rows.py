"""Reading of rows of digits: the best path over what a network reads in every segment of a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from experiments.errors import UsageError
from experiments.inference.lattice import Edge, best_path, edge_posteriors, log_partition, log_string
from experiments.inference.readings import Box, RowDigit, RowReading
from experiments.pictures.cuts import LINE_HEIGHT, Piece
from experiments.pictures.lines import Row, find_rows
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]
Float = NDArray[np.float64]

MAX_WIDTH = 1.7  # of a digit, in heights of the line's digits
MAX_HEIGHT = 2.0
MAX_PIECES = 9  # of one digit
MAX_GAP = 0.35  # between the pieces of one digit, in heights of the line's digits


class Network(Protocol):
    """What reads the segments."""

    def scores(self, images: NDArray[np.float32]) -> Any:
        """Return an object with `logits` (n, 10), of float32 (n, 28, 28, 1) in [0, 1], white ink on black."""


@dataclass(frozen=True)
class Prices:
    """Weights of the terms of a segment's score, in natural logarithms.

    Attributes
    ----------
    energy, energy_scale
        Log-sum-exp of the logits at which half of the segments are digits, and the inverse of the slope there.
    digit
        Of each digit: what keeps a digit from being read as two.
    gap
        Of blank paper between the pieces of a digit, for a height of the line's digits.
    crossed
        Of each stroke that a cut crosses.
    low, flat
        Of each height of digits by which a segment is lower than `LOW`, or wider than high.
    skip
        Of a skipped piece as high as the line's digits; lower ones in proportion to the square of their size.
    """

    energy: float = 6.0
    energy_scale: float = 1.5
    digit: float = 0.3
    gap: float = 4.0
    crossed: float = 0.3
    low: float = 8.0
    flat: float = 5.0
    skip: float = 8.0


LOW = 0.6  # of the height of a line's digits: lower segments are hardly digits
FLAT = 1.15  # width of a segment over its height: wider ones are hardly digits


@dataclass(frozen=True, eq=False)
class Lattice:
    """All ways to read a line.

    Attributes
    ----------
    row
        The line's pieces.
    edges
        Segments read as a digit, and skipped pieces.
    """

    row: Row
    edges: tuple[Edge, ...]


def read_rows(
    picture: Image, network: Network, length: int | None = None, prices: Prices = Prices()
) -> list[RowReading]:
    """Read all rows of digits in a picture, from top to bottom.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)`` of any size.
    length
        Number of digits in each row; any by default. Lines that cannot hold so many are left out.

    Raises
    ------
    UsageError
        If `length` is less than 1.
    """
    if length is not None and length < 1:
        raise UsageError(f"the length of a row must be at least 1, received {length}")
    readings = [read_lattice(lattice, length) for lattice in build_lattices(find_rows(picture), network, prices)]
    return [reading for reading in readings if reading is not None]


def build_lattices(rows: Sequence[Row], network: Network, prices: Prices) -> list[Lattice]:
    """Score all segments of all lines in one batch."""
    spans = [segments(row.pieces) for row in rows]
    images = [render(row.pieces[start:stop]) for row, pairs in zip(rows, spans, strict=True) for start, stop in pairs]
    if not images:
        return []
    batch = np.stack(images).astype(np.float32)[..., None] / np.float32(255)
    logits = np.asarray(network.scores(batch).logits, np.float64)
    lattices, first = [], 0
    for row, pairs in zip(rows, spans, strict=True):
        own = logits[first : first + len(pairs)]
        first += len(pairs)
        digits = [
            Edge(start, stop, float(weight), log_probabilities)
            for (start, stop), weight, log_probabilities in zip(
                pairs, segment_weights(row.pieces, pairs, own, prices), log_softmax(own, axis=1), strict=True
            )
        ]
        skips = [Edge(at, at + 1, -skip_price(piece, prices), None) for at, piece in enumerate(row.pieces)]
        lattices.append(Lattice(row, (*digits, *skips)))
    return lattices


def segments(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return which pieces may form a digit: pairs of the first and the one behind the last."""
    pairs = []
    for start in range(len(pieces)):
        for stop in range(start + 1, min(start + MAX_PIECES, len(pieces)) + 1):
            chosen = pieces[start:stop]
            if stop > start + 1 and (
                _width(chosen) > MAX_WIDTH * LINE_HEIGHT or max(_gaps(chosen)) > MAX_GAP * LINE_HEIGHT
            ):
                break
            if _height(chosen) <= MAX_HEIGHT * LINE_HEIGHT:
                pairs.append((start, stop))
    return pairs


def render(pieces: Sequence[Piece]) -> Image:
    """Bring the pieces of a digit into the form of MNIST's images, ``uint8 (28, 28)``."""
    return fit_to_mnist(compose(pieces))


def compose(pieces: Sequence[Piece]) -> Image:
    """Put pieces together, ``uint8 (height, width)``."""
    left, top, width, height = bounding_box(pieces)
    canvas = np.zeros((height, width), np.uint8)
    for piece in pieces:
        rows, columns = piece.ink.shape
        view = canvas[piece.y - top : piece.y - top + rows, piece.x - left : piece.x - left + columns]
        np.maximum(view, piece.ink, out=view)
    return canvas


def bounding_box(pieces: Sequence[Piece]) -> Box:
    """Return x, y, width and height of pieces, in pixels of the line."""
    left, top = min(p.x for p in pieces), min(p.y for p in pieces)
    right = max(p.x + p.ink.shape[1] for p in pieces)
    return left, top, right - left, max(p.y + p.ink.shape[0] for p in pieces) - top


def segment_weights(pieces: Sequence[Piece], pairs: Sequence[tuple[int, int]], logits: Float, prices: Prices) -> Float:
    """Return the log weights of segments as digits, float64 (n,): the network's score less what makes them unlikely."""
    energy = logsumexp(logits, axis=1)
    is_digit = -np.logaddexp(0, (prices.energy - energy) / prices.energy_scale)
    return is_digit - np.array([_geometry(pieces, start, stop, prices) for start, stop in pairs])


def _geometry(pieces: Sequence[Piece], start: int, stop: int, prices: Prices) -> float:
    chosen = pieces[start:stop]
    _, _, width, height = bounding_box(chosen)
    gaps = sum(max(0.0, gap) for gap in _gaps(chosen)) / LINE_HEIGHT
    after = pieces[stop].crossed if stop < len(pieces) else 0.0
    return (
        prices.digit
        + prices.gap * gaps
        + prices.crossed * (pieces[start].crossed + after) / 2
        + prices.low * max(0.0, LOW - height / LINE_HEIGHT)
        + prices.flat * max(0.0, width / height - FLAT)
    )


def skip_price(piece: Piece, prices: Prices) -> float:
    """Return the price of a piece that is no digit."""
    size = min(1.0, max(piece.ink.shape) / LINE_HEIGHT)
    return prices.skip * size**2


def read_lattice(lattice: Lattice, length: int | None) -> RowReading | None:
    """Read a line by its best path; None if that has no digit, or no path has `length` digits."""
    edges, positions = lattice.edges, len(lattice.row.pieces)
    path = best_path(edges, positions, length)
    if path is None or all(edge.digits is None for edge in path):
        return None
    posteriors = edge_posteriors(edges, positions, length)
    digits = []
    for edge in path:
        if edge.digits is not None:
            digit = int(np.argmax(edge.digits))
            probability = float(digit_probabilities(lattice, posteriors, edge)[digit])
            digits.append(RowDigit(digit, probability, picture_box(lattice.row, edge)))
    values = [digit.digit for digit in digits]
    share = np.exp(log_string(edges, positions, values) - log_partition(edges, positions, length))
    return RowReading("".join(map(str, values)), min(1.0, float(share)), tuple(digits))


def digit_probabilities(lattice: Lattice, posteriors: Float, edge: Edge) -> Float:
    """Return the probability of each digit at the middle of a segment, over all segments that cover it.

    What is missing to 1 is the probability that there is no digit.

    Returns
    -------
    float64 (10,)
    """
    middle = (edge.start + edge.stop - 1) / 2
    total = np.zeros(10)
    for other, posterior in zip(lattice.edges, posteriors, strict=True):
        if other.digits is not None and other.start <= middle <= other.stop - 1:
            total += posterior * np.exp(other.digits)
    return np.minimum(total, 1.0)


def picture_box(row: Row, edge: Edge) -> Box:
    """Return the box of a segment in pixels of the picture."""
    x, y, width, height = bounding_box(row.pieces[edge.start : edge.stop])
    left, top = round(row.left + x * row.scale), round(row.top + y * row.scale)
    return left, top, max(1, round(width * row.scale)), max(1, round(height * row.scale))


def _width(pieces: Sequence[Piece]) -> float:
    return max(p.end for p in pieces) - min(p.start for p in pieces)


def _height(pieces: Sequence[Piece]) -> int:
    return bounding_box(pieces)[3]


def _gaps(pieces: Sequence[Piece]) -> list[float]:
    """Return the blank distances between neighbors along the line, in pixels."""
    ends = np.maximum.accumulate([p.end for p in pieces])
    return [float(p.start - end) for p, end in zip(pieces[1:], ends, strict=False)]
