"""Best path and probabilities in a lattice of segments, by dynamic programming.

A lattice has positions 0 to n between the pieces of a line. An edge from one position to a later one reads the pieces
between as one digit, or skips them. Forney (1973), "The Viterbi algorithm"; sums over paths as in
Sarawagi, Cohen (2004), "Semi-Markov conditional random fields".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Edge:
    """One way to explain the pieces from `start` to `stop`.

    Attributes
    ----------
    start, stop
        Positions, start below stop.
    weight
        Logarithm of its weight.
    digits
        Log probabilities of the ten digits, float64 (10,); None for a skipped piece.
    """

    start: int
    stop: int
    weight: float
    digits: Float | None


def best_path(edges: Sequence[Edge], positions: int, length: int | None = None) -> list[int] | None:
    """Return the path of greatest weight, each digit read as its most probable one.

    Parameters
    ----------
    positions
        The last position; the first is 0.
    length
        Number of digits on the path; any by default.

    Returns
    -------
    list or None
        The indices of its edges, in order; None if there is no path with that many digits.
    """
    states = (length or 0) + 1
    totals = np.full((positions + 1, states), -np.inf)
    totals[0, 0] = 0.0
    back: dict[tuple[int, int], int] = {}
    for index in sorted(range(len(edges)), key=lambda index: edges[index].stop):
        edge = edges[index]
        best = edge.weight + (0.0 if edge.digits is None else float(edge.digits.max()))
        step = _step(edge, length)
        for state in range(states - step):
            total = totals[edge.start, state] + best
            if total > totals[edge.stop, state + step]:
                totals[edge.stop, state + step] = total
                back[edge.stop, state + step] = index
    if totals[positions, -1] == -np.inf:
        return None
    path: list[int] = []
    position, state = positions, states - 1
    while position > 0:
        index = back[position, state]
        path.append(index)
        position, state = edges[index].start, state - _step(edges[index], length)
    return path[::-1]


def log_partition(edges: Sequence[Edge], positions: int, length: int | None = None) -> float:
    """Return the logarithm of the summed weights of all paths, over all digits."""
    return float(_forward(edges, positions, length)[positions, -1])


def log_string(edges: Sequence[Edge], positions: int, string: Sequence[int]) -> float:
    """Return the logarithm of the summed weights of all paths that read as these digits."""
    return float(_forward(edges, positions, len(string), string)[positions, -1])


def edge_posteriors(edges: Sequence[Edge], positions: int, length: int | None = None) -> Float:
    """Return the probability of each edge to lie on the path, float64 (edges,)."""
    forward = _forward(edges, positions, length)
    turned = [Edge(positions - edge.stop, positions - edge.start, edge.weight, edge.digits) for edge in edges]
    backward = _forward(turned, positions, length)[::-1, ::-1]
    whole = forward[positions, -1]
    posteriors = np.zeros(len(edges))
    for number, edge in enumerate(edges):
        step = _step(edge, length)
        before = forward[edge.start, : forward.shape[1] - step]
        with np.errstate(invalid="ignore"):
            posteriors[number] = np.exp(before + edge.weight + backward[edge.stop, step:] - whole).sum()
    return posteriors


def _forward(edges: Sequence[Edge], positions: int, length: int | None, string: Sequence[int] | None = None) -> Float:
    """Return the summed log weights of the paths to each position by digits read, (positions + 1, length + 1).

    Without a length there is one state for any number of digits.
    """
    states = (length or 0) + 1
    totals = np.full((positions + 1, states), -np.inf)
    totals[0, 0] = 0.0
    for edge in sorted(edges, key=lambda edge: edge.stop):
        step = _step(edge, length)
        gained = totals[edge.start, : states - step] + edge.weight
        if string is not None and edge.digits is not None:
            gained = gained + edge.digits[np.asarray(string, int)]
        totals[edge.stop, step:] = np.logaddexp(totals[edge.stop, step:], gained)
    return totals


def _step(edge: Edge, length: int | None) -> int:
    """Return by how many digits an edge moves the count."""
    return int(length is not None and edge.digits is not None)
