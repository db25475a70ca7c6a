"""The best path and the probabilities of a lattice agree with a search through all paths."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from experiments.inference.lattice import Edge, best_path, edge_posteriors, log_partition, log_string

LENGTHS = [None, 1, 2, 3, 4]


def random_lattice(seed: int, positions: int = 6) -> list[Edge]:
    rng = np.random.default_rng(seed)
    edges = []
    for start in range(positions):
        for stop in range(start + 1, positions + 1):
            if rng.random() < 0.7 or stop == start + 1:
                edges.append(Edge(start, stop, rng.normal(0, 2), log_softmax(rng.normal(0, 2, 10))))
            if rng.random() < 0.3:
                edges.append(Edge(start, stop, rng.normal(-2, 2), None))
    return [edges[index] for index in rng.permutation(len(edges))]


def all_paths(edges: list[Edge], start: int, end: int) -> Iterator[list[int]]:
    if start == end:
        yield []
    for index, edge in enumerate(edges):
        if edge.start == start:
            yield from ([index, *rest] for rest in all_paths(edges, edge.stop, end))


def weight(edges: list[Edge], path: list[int], string: list[int] | None = None) -> float:
    """Return the log weight of a path: of its best string, or of a string of its length."""
    total = sum(edges[index].weight for index in path)
    read = [digits for index in path if (digits := edges[index].digits) is not None]
    if string is None:
        return total + sum(float(digits.max()) for digits in read)
    return total + sum(float(digits[value]) for digits, value in zip(read, string, strict=True))


def paths_of(edges: list[Edge], positions: int, length: int | None) -> list[list[int]]:
    paths = all_paths(edges, 0, positions)
    return [path for path in paths if length in {None, sum(edges[index].digits is not None for index in path)}]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("seed", range(4))
def test_sums_and_best_path(seed: int, length: int | None) -> None:
    edges = random_lattice(seed)
    paths = paths_of(edges, 6, length)
    best = best_path(edges, 6, length)
    assert best == max(paths, key=lambda path: weight(edges, path))
    plain = np.array([sum(edges[index].weight for index in path) for path in paths])
    assert log_partition(edges, 6, length) == pytest.approx(logsumexp(plain))
    shares = np.exp(plain - logsumexp(plain))
    expected = [sum(share for share, path in zip(shares, paths, strict=True) if i in path) for i in range(len(edges))]
    np.testing.assert_allclose(edge_posteriors(edges, 6, length), expected, atol=1e-9)


@pytest.mark.parametrize("string", [[7], [0, 3], [4, 4, 9]])
def test_weight_of_a_string(string: list[int]) -> None:
    edges = random_lattice(9)
    weights = [weight(edges, path, string) for path in paths_of(edges, 6, len(string))]
    assert log_string(edges, 6, string) == pytest.approx(logsumexp(weights))


def test_no_path_of_that_length() -> None:
    edges = random_lattice(0)
    assert best_path(edges, 6, 7) is None
    assert best_path([edge for edge in edges if edge.stop != 6], 6) is None
