"""Reading of rows of digits: the best path over what a network reads in every segment of a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.inference.lattice import Edge, best_path, edge_posteriors, log_partition, log_string
from experiments.inference.readings import RowDigit, RowReading
from experiments.pictures.cuts import LINE_HEIGHT, Segment
from experiments.pictures.lines import TextLine, find_rows
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]
Float = NDArray[np.float64]


class Scorer(Protocol):
    """What reads the segments."""

    def scores(self, images: NDArray[np.float32]) -> Any:
        """Return an object with `logits` (n, 10), of float32 (n, 28, 28, 1) in [0, 1], white ink on black."""


@dataclass(frozen=True)
class Prices:
    """Weights of the terms of a segment's score, in natural logarithms.

    Attributes
    ----------
    evidence, softness
        Evidence (see `evidence`) at which half of the segments are digits, and the inverse of the slope there.
    digit
        Of each digit: what keeps a digit from being read as two.
    gap
        Of blank paper between the pieces of a digit, for a height of the line's digits.
    crossed
        Of each stroke that a cut crosses.
    mixed
        Of a digit that has several parts and is cut besides.
    low, flat
        Of each height of digits by which a segment is lower than `LOW`, or wider than high.
    skip
        Of a skipped piece as high as the line's digits; lower ones in proportion to the square of their size.
    """

    evidence: float = 0.7
    softness: float = 0.4
    digit: float = 0.1
    gap: float = 4.0
    crossed: float = 0.3
    mixed: float = 1.0
    low: float = 8.0
    flat: float = 8.0
    skip: float = 8.0


MAX_WORSE = 2.0  # nats for each digit: a line so much worse than another is no row of digits
LOW = 0.6  # of the height of a line's digits: lower segments are hardly digits
FLAT = 1.15  # width of a segment over its height: wider ones are hardly digits


@dataclass(frozen=True, eq=False)
class Lattice:
    """All ways to read a line.

    Attributes
    ----------
    row
        The line.
    edges
        Its segments read as digits, then those that may be skipped.
    segments
        The segment of each edge.
    """

    row: TextLine
    edges: tuple[Edge, ...]
    segments: tuple[Segment, ...]


def read_rows(
    picture: Image, network: Scorer, length: int | None = None, prices: Prices = Prices()
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
    lattices = keep_plausible(build_lattices(find_rows(picture), network, prices), length)
    readings = [read_lattice(lattice, length) for lattice in lattices]
    return [reading for reading in readings if reading is not None]


def keep_plausible(lattices: Sequence[Lattice], length: int | None) -> list[Lattice]:
    """Keep the lines that can be read, unless their best path is far worse than that of another line.

    Stamps, signatures and letters are lines too; they stand out if as many digits are forced on them.
    """
    weights = [mean_weight(lattice, length) for lattice in lattices]
    least = max(weights, default=0.0) - MAX_WORSE
    return [lattice for lattice, weight in zip(lattices, weights, strict=True) if -np.inf < weight >= least]


def mean_weight(lattice: Lattice, length: int | None) -> float:
    """Return the weight of the best path for each digit on it, -inf if there is no path, or no digit on it."""
    edges = lattice.edges
    path = best_path(edges, lattice.row.positions, length) or []
    digits = [read for index in path if (read := edges[index].digits) is not None]
    if not digits:
        return -np.inf
    total = sum(edges[index].weight for index in path) + sum(float(read.max()) for read in digits)
    return total / len(digits)


def build_lattices(rows: Sequence[TextLine], network: Scorer, prices: Prices) -> list[Lattice]:
    """Score all segments of all lines in one batch."""
    images = [fit_to_mnist(segment.ink) for row in rows for segment in candidates(row)]
    if not images:
        return []
    batch = np.stack(images).astype(np.float32)[..., None] / np.float32(255)
    logits = np.asarray(network.scores(batch).logits, np.float64)
    starts = np.cumsum([len(candidates(row)) for row in rows])[:-1]
    return [build_lattice(row, own, prices) for row, own in zip(rows, np.split(logits, starts), strict=True)]


def candidates(row: TextLine) -> list[Segment]:
    """Return the segments of a line that may be digits."""
    return [segment for segment in row.segments if segment.may_be_digit]


def build_lattice(row: TextLine, logits: Float, prices: Prices) -> Lattice:
    """Weigh the candidates of a line by their logits, float64 (candidates, 10)."""
    is_digit = -np.logaddexp(0, (prices.evidence - evidence(logits)) / prices.softness)
    read = candidates(row)
    geometry = [geometry_price(segment, prices) for segment in read]
    digits = [
        Edge(segment.start, segment.stop, float(weight), log_probabilities)
        for segment, weight, log_probabilities in zip(read, is_digit - geometry, log_softmax(logits), strict=True)
    ]
    skipped = [segment for segment in row.segments if segment.parts == 1]
    skips = [Edge(segment.start, segment.stop, -skip_price(segment, prices), None) for segment in skipped]
    return Lattice(row, (*digits, *skips), (*read, *skipped))


def log_softmax(logits: Float) -> Float:
    """Return log probabilities, float64 (n, 10)."""
    highest = logits.max(axis=1, keepdims=True)
    result: Float = logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
    return result


def evidence(logits: Float) -> Float:
    """Return how much speaks for a digit: the divergence of the probabilities from uniform ones, in nats, float64 (n,).

    It is the energy, the log-sum-exp of the logits (Liu et al. 2020, "Energy-based out-of-distribution detection"),
    less their mean and log 10. A network that is trained towards uniform probabilities on what is no digit
    (Hendrycks et al. 2019, "Deep anomaly detection with outlier exposure") leaves that mean undetermined.
    """
    result: Float = -log_softmax(logits).mean(axis=1) - np.log(logits.shape[1])
    return result


def geometry_price(segment: Segment, prices: Prices) -> float:
    """Return the price of a segment's shape and of the cuts beside it."""
    height, width = segment.ink.shape
    return (
        prices.digit
        + prices.gap * segment.gap / LINE_HEIGHT
        + prices.crossed * segment.crossed / 2
        + prices.mixed * (segment.parts > 1 and segment.crossed > 0)
        + prices.low * max(0.0, LOW - height / LINE_HEIGHT)
        + prices.flat * max(0.0, width / height - FLAT)
    )


def skip_price(segment: Segment, prices: Prices) -> float:
    """Return the price of a segment that is no digit."""
    size = min(1.0, max(segment.ink.shape) / LINE_HEIGHT)
    return prices.skip * size**2 + prices.crossed * segment.crossed / 2


def read_lattice(lattice: Lattice, length: int | None) -> RowReading | None:
    """Read a line by its best path; None if that has no digit, or no path has `length` digits."""
    edges, positions = lattice.edges, lattice.row.positions
    path = best_path(edges, positions, length)
    if path is None or all(edges[index].digits is None for index in path):
        return None
    posteriors = edge_posteriors(edges, positions, length)
    digits = []
    for index in path:
        read = edges[index].digits
        if read is not None:
            digit = int(np.argmax(read))
            probability = float(digit_probabilities(lattice, posteriors, index)[digit])
            digits.append(RowDigit(digit, probability, lattice.row.box(lattice.segments[index])))
    values = [digit.digit for digit in digits]
    share = np.exp(log_string(edges, positions, values) - log_partition(edges, positions, length))
    return RowReading("".join(map(str, values)), min(1.0, float(share)), tuple(digits))


def digit_probabilities(lattice: Lattice, posteriors: Float, index: int) -> Float:
    """Return the probability of each digit at the middle of an edge, over all edges that cover it.

    What is missing to 1 is the probability that there is no digit.

    Returns
    -------
    float64 (10,)
    """
    middle = _middle(lattice.segments[index])
    total = np.zeros(10)
    for edge, segment, posterior in zip(lattice.edges, lattice.segments, posteriors, strict=True):
        if edge.digits is not None and segment.x <= middle < segment.x + segment.ink.shape[1]:
            total += posterior * np.exp(edge.digits)
    return np.minimum(total, 1.0)


def _middle(segment: Segment) -> float:
    return segment.x + segment.ink.shape[1] / 2
