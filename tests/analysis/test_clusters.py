"""Clusters are those of scikit-learn and SciPy, and so is their agreement with the classes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import ward as exact_ward
from sklearn import metrics as reference
from sklearn.cluster import KMeans
from sklearn.metrics.cluster import contingency_matrix

from experiments.analysis.cluster_metrics import ClusterMetrics, cluster_metrics
from experiments.analysis.clusters import Tree, agreement_with_exact, by_size, elbow, kmeans, ward
from experiments.analysis.neighbors import nearest

SEEDS = st.integers(0, 2**32)
Groups = NDArray[np.int64]


def cloud(n: int, dimensions: int = 4, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)


def blobs(sizes: list[int], apart: float = 30.0) -> tuple[NDArray[np.float32], Groups]:
    """Return blobs far from each other, and which blob each point is of, in a shuffled order."""
    which = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (cloud(len(which)) + apart * np.eye(len(sizes), 4)[which]).astype(np.float32), which


def test_each_count_is_scikit_learns_kmeans() -> None:
    points, _ = blobs([40, 30, 20], apart=4)
    reported: list[tuple[int, int]] = []
    found = kmeans(points, [2, 3, 5], lambda *step: reported.append(step))
    assert found.counts == (2, 3, 5, 10)
    assert reported == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for count, silhouette, inertia in zip(found.counts, found.silhouettes, found.inertias, strict=True):
        groups = found.groupings[count]
        centers = np.stack([points[groups == group].mean(axis=0) for group in range(count)])
        assert ((points - centers[groups]) ** 2).sum() == pytest.approx(inertia, rel=1e-4)
        assert inertia <= 1.05 * KMeans(count, n_init=20, random_state=1).fit(points).inertia_
        assert silhouette == pytest.approx(reference.silhouette_score(points, groups), abs=1e-5)
        sizes = np.bincount(groups, minlength=count)
        assert (np.diff(sizes) <= 0).all()
        assert sizes[-1] > 0


@pytest.mark.parametrize("clusters", [2, 4])
def test_the_number_of_blobs_is_found_each_time(clusters: int) -> None:
    points, which = blobs([40, 30, 20, 10][:clusters])
    found, again = (kmeans(points, range(2, 6)) for _ in range(2))
    assert found.best == found.counts[int(np.argmax(found.silhouettes))] == clusters
    np.testing.assert_array_equal(found.groupings[clusters], which)  # the largest blob is 0
    assert (found.silhouettes, found.inertias) == (again.silhouettes, again.inertias)


@pytest.mark.parametrize(("n", "counts"), [(2, (1,)), (3, (2,)), (5, (2, 3, 4)), (12, tuple(range(2, 12)))])
def test_a_few_points_are_put_into_fewer_groups(n: int, counts: tuple[int, ...]) -> None:
    found = kmeans(cloud(n))
    assert found.counts == counts
    assert found.best in counts


def test_there_are_no_more_groups_than_different_points() -> None:
    points = np.concatenate([np.zeros((300, 4), np.float32), np.repeat(cloud(4), 5, axis=0)])
    assert kmeans(points).counts == (2, 3, 4, 5)
    equal = np.ones((30, 4), np.float32)
    found = kmeans(equal)
    assert (found.counts, found.best, found.elbow) == ((1,), 1, 1)
    assert found.groupings[1].tolist() == [0] * 30
    assert len(np.unique(ward(equal, nearest(equal, 10)).cut(3))) == 3


@given(st.integers(1, 8), st.floats(2, 100))
def test_the_elbow_is_the_corner(corner: int, steepness: float) -> None:
    counts = list(range(2, 12))
    falling = [steepness * max(corner - i, 0) - i for i in range(len(counts))]
    assert elbow(counts, falling) == counts[corner]


@pytest.mark.parametrize(("counts", "inertias"), [([4], [1.0]), ([4, 6], [9.0, 1.0]), ([4, 5, 6], [0.0, 0.0, 0.0])])
def test_a_curve_without_a_corner_has_its_elbow_at_the_start(counts: list[int], inertias: list[float]) -> None:
    assert elbow(counts, inertias) == 4


def exact(points: NDArray[np.float32]) -> tuple[NDArray[np.float64], Tree]:
    links = exact_ward(points.astype(np.float64))
    return links, Tree(links[:, :2].astype(np.int64), links[:, 2])


@settings(max_examples=30)
@given(SEEDS, st.integers(2, 40), st.data())
def test_a_tree_is_cut_as_scipy_cuts_it(seed: int, n: int, data: st.DataObject) -> None:
    links, tree = exact(cloud(n, seed=seed))
    count = data.draw(st.integers(1, n))
    clusters = tree.cut(count)
    assert sorted(set(clusters.tolist())) == list(range(count))
    assert (np.diff(np.bincount(clusters)) <= 0).all()
    assert reference.adjusted_rand_score(fcluster(links, count, "maxclust"), clusters) == 1
    finer = tree.branches(n)
    np.testing.assert_array_equal(finer, np.arange(n))
    for merge, (left, right) in enumerate(tree.children):
        coarser = tree.branches(n - 1 - merge)
        np.testing.assert_array_equal(coarser, np.where(np.isin(finer, [left, right]), n + merge, finer))
        finer = coarser


@settings(max_examples=30)
@given(SEEDS, st.integers(2, 11))
def test_where_all_are_neighbours_ward_is_exact(seed: int, n: int) -> None:
    points = cloud(n, seed=seed)
    links, full = exact(points)
    tree = ward(points, nearest(points, n - 1))
    np.testing.assert_allclose(tree.heights, links[:, 2], rtol=1e-4)
    for count in range(1, n + 1):
        np.testing.assert_array_equal(tree.cut(count), full.cut(count))
    assert agreement_with_exact(points) == (1.0, n)


def test_ward_joins_blobs_that_no_neighbour_joins() -> None:
    points, which = blobs([40, 30, 20])
    tree = ward(points, nearest(points, 10))
    assert tree.children.shape == (89, 2)
    assert tree.heights.shape == (89,)
    np.testing.assert_array_equal(tree.cut(3), which)
    assert tree.cut(1).tolist() == [0] * 90
    # Ten neighbors are used, and left alone.
    more = nearest(points, 30)
    before = more.indices.copy()
    np.testing.assert_array_equal(ward(points, more).children, tree.children)
    np.testing.assert_array_equal(more.indices, before)


@pytest.mark.parametrize("count", [0, 6])
def test_a_tree_is_not_cut_into_more_clusters_than_points(count: int) -> None:
    points = cloud(5)
    with pytest.raises(ValueError, match=f"1 to 5 .*{count}"):
        ward(points, nearest(points, 4)).cut(count)


def test_agreement_with_exact_ward_is_that_of_the_two_trees() -> None:
    points = cloud(300, 8)
    value, size = agreement_with_exact(points)
    links, _ = exact(points)
    own = ward(points, nearest(points, 10)).cut(10)
    assert size == 300
    assert value == pytest.approx(reference.adjusted_rand_score(fcluster(links, 10, "maxclust"), own), abs=1e-6)
    assert 0 < value < 1


@given(st.lists(st.integers(-3, 9), min_size=1, max_size=50))
def test_groups_are_numbered_by_size(groups: list[int]) -> None:
    numbered = by_size(np.array(groups)).tolist()
    sizes = [numbered.count(group) for group in range(len(set(groups)))]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(zip(groups, numbered, strict=True))) == len(set(groups)) == len(set(numbered))


@st.composite
def groupings(draw: st.DrawFn) -> tuple[Groups, Groups, int]:
    """Draw labels, and clusters that follow them more or less; some digits and clusters may not occur."""
    generator = np.random.default_rng(draw(SEEDS))
    n, digits, k = draw(st.integers(1, 80)), draw(st.integers(1, 10)), draw(st.integers(1, 12))
    labels = generator.integers(0, digits, n)
    chance = generator.random(n) < draw(st.floats(0, 1))
    return labels, np.where(chance, generator.integers(0, k, n), labels % k), k


@settings(max_examples=50)
@given(groupings())
def test_agreement_with_classes_is_scikit_learns(drawn: tuple[Groups, Groups, int]) -> None:
    labels, clusters, k = drawn
    ours = cluster_metrics(labels, clusters, k)
    assert ours.ari == pytest.approx(reference.adjusted_rand_score(labels, clusters))
    assert ours.ami == pytest.approx(reference.adjusted_mutual_info_score(labels, clusters))
    assert ours.homogeneity == pytest.approx(reference.homogeneity_score(labels, clusters))
    assert ours.completeness == pytest.approx(reference.completeness_score(labels, clusters))
    assert ours.v_measure == pytest.approx(reference.v_measure_score(labels, clusters))
    found = ours.contingency[np.ix_(np.unique(labels), np.unique(clusters))]
    np.testing.assert_array_equal(found, contingency_matrix(labels, clusters))
    assert ours.contingency.shape == (10, k)
    assert ours.contingency.sum() == len(labels)
    named = np.array([np.bincount(labels[clusters == cluster], minlength=10).argmax() for cluster in range(k)])
    np.testing.assert_array_equal(ours.majority, named)
    assert ours.purity == pytest.approx(np.mean(named[clusters] == labels))
    if k <= 4:
        best = max(ours.contingency[digits, range(k)].sum() for digits in permutations(range(10), k))
        assert ours.matched_accuracy == pytest.approx(best / len(labels))


@settings(max_examples=30)
@given(st.permutations(range(10)), SEEDS)
def test_clusters_that_are_the_classes_match_under_any_numbers(order: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(10), 3))
    ours = cluster_metrics(labels, np.array(order)[labels], 10)
    scores = ours.scalars()
    assert ours.k == 10
    assert scores == pytest.approx(dict.fromkeys(scores, 1.0))
    assert len(scores) == 7
    assert (ours.shared, ours.split) == ((), ())


def of(contingency: list[list[int]]) -> ClusterMetrics:
    """Return the agreement of as many points as the table says, rows being the digits from 0."""
    counts = np.array(contingency)
    labels = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    clusters = np.concatenate([np.repeat(np.arange(len(row)), row) for row in counts])
    return cluster_metrics(labels, clusters, counts.shape[1])


def test_clusters_with_several_digits_are_shared_and_digits_in_several_are_split() -> None:
    ours = of([[90, 10, 0], [5, 0, 60], [5, 0, 40]])
    assert ours.shared == ((2, (1, 2)),)
    assert ours.split == ((0, (0, 1)), (2, (2, 0)))
    assert ours.majority.tolist() == [0, 0, 1]
    equal = of([[0, 10], [4, 10]])
    assert equal.shared == ((1, (0, 1)),)
    assert equal.split == ((1, (1, 0)),)
    one = of([[6, 4]])
    assert (one.purity, one.matched_accuracy, one.split) == (1, 0.6, ((0, (0, 1)),))


def test_a_cluster_without_digits_is_no_trouble() -> None:
    ours = cluster_metrics(np.array([3, 3, 4]), np.array([0, 0, 2]), 4)
    assert ours.contingency[:, [1, 3]].sum() == 0
    assert (ours.purity, ours.matched_accuracy, ours.shared) == (1, 1, ())
