"""Figures of a feature space show what was found in it, and can be read."""

import io
import re
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from figure_texts import texts, unreadable
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ward
from scipy.stats import spearmanr

from experiments.analysis.centroids import Centroids, centroids
from experiments.analysis.cluster_metrics import ClusterMetrics, cluster_metrics
from experiments.analysis.clusters import CountChoice, Tree, elbow
from experiments.analysis.confusing import MEASURES, Ranking
from experiments.reporting.figures.cluster_count import cluster_count
from experiments.reporting.figures.dendrogram import dendrogram
from experiments.reporting.figures.feature_heatmaps import centroid_distances, contingency_heatmap, measure_agreement
from experiments.reporting.figures.feature_map import SCORE_SHADES, feature_map
from experiments.reporting.figures.style import GREY, GROUP_COLORS, SHADES, group_color

SHORT = "mnist-lenet v3 on mnist"
LONG = " on ".join(["models:/a-folder-of-my-own-digits-with-a-very-long-name-alexnet227@champion"] * 2)

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 10, 300)
MEANS = 6 * RANDOM.normal(size=(10, 5))
POINTS = (MEANS[LABELS] + RANDOM.normal(size=(300, 5))).astype(np.float32)
CLUSTERS = RANDOM.integers(0, 20, 300)
IN_SPACE, FLAT = POINTS[:, :3], POINTS[:, :2]
SCORES = RANDOM.random(300)


def choice(counts: range, best: int) -> CountChoice:
    silhouettes = tuple(0.5 - abs(count - best) / 50 for count in counts)
    inertias = tuple(90_000 / count for count in counts)
    return CountChoice(tuple(counts), silhouettes, inertias, best, elbow(counts, inertias), {})


def tree(points: NDArray[Any]) -> Tree:
    merges = ward(points)
    return Tree(merges[:, :2].astype(np.int64), merges[:, 2])


def ranking(n: int = 50) -> Ranking:
    measures = {name: RANDOM.normal(size=n) for name in MEASURES}
    names = list(measures)
    found = {
        (a, b): float(spearmanr(measures[a], measures[b]).statistic) if n else 0.0
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    return Ranking(measures, RANDOM.random(n), np.arange(n), found)


def grouped(k: int) -> ClusterMetrics:
    return cluster_metrics(LABELS, np.arange(300) % k, k)


TREE = tree(POINTS)
# Merges that lie below their parts, as they may in a tree in which only neighbors are joined.
UNEVEN = replace(TREE, heights=np.where(np.arange(299) % 7 == 3, TREE.heights / 2, TREE.heights))
NOWHERE = Centroids(np.arange(0), np.zeros((0, 0)), np.zeros(0))
NO_IMAGES = replace(grouped(3), contingency=np.zeros((10, 3), np.int64))

FIGURES: dict[str, Callable[[str], Figure]] = {
    "digits in space": lambda title: feature_map(IN_SPACE, LABELS, title, "digits"),
    "flat clusters": lambda title: feature_map(FLAT, CLUSTERS, title, "clusters"),
    "clusters at one place": lambda title: feature_map(0 * IN_SPACE, CLUSTERS, title, "clusters"),
    "scores": lambda title: feature_map(IN_SPACE, SCORES, title, "scores"),
    "one score": lambda title: feature_map(IN_SPACE[:1], SCORES[:1], title, "scores"),
    "no points": lambda title: feature_map(IN_SPACE[:0], LABELS[:0], title, "digits"),
    "count": lambda title: cluster_count(choice(range(2, 21), 12), title),
    "one count": lambda title: cluster_count(choice(range(2, 3), 2), title),
    "no count": lambda title: cluster_count(replace(choice(range(2, 3), 2), counts=()), title),
    "one cluster": lambda title: contingency_heatmap(grouped(1), title),
    "twenty clusters": lambda title: contingency_heatmap(grouped(20), title),
    "large clusters": lambda title: contingency_heatmap(
        replace(grouped(20), contingency=np.full((10, 20), 99_999)), title
    ),
    "no clusters": lambda title: contingency_heatmap(NO_IMAGES, title),
    "tree": lambda title: dendrogram(TREE, LABELS, title),
    "uneven tree": lambda title: dendrogram(UNEVEN, LABELS, title, branches=40),
    "tree of two": lambda title: dendrogram(tree(POINTS[:2]), LABELS[:2], title),
    "tree of the same": lambda title: dendrogram(tree(0 * POINTS), LABELS, title, branches=4),
    "no tree": lambda title: dendrogram(Tree(np.zeros((0, 2), np.int64), np.zeros(0)), LABELS[:1], title),
    "centroids": lambda title: centroid_distances(centroids(POINTS, LABELS), title),
    "one centroid": lambda title: centroid_distances(centroids(POINTS[:1], LABELS[:1]), title),
    "the same centroids": lambda title: centroid_distances(centroids(0 * POINTS, LABELS), title),
    "no centroids": lambda title: centroid_distances(NOWHERE, title),
    "measures": lambda title: measure_agreement(ranking(), title),
    "no measures": lambda title: measure_agreement(ranking(0), title),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("title", [SHORT, LONG], ids=["short title", "long title"])
def test_every_figure_can_be_read(name: str, title: str) -> None:
    figure = FIGURES[name](title)
    assert unreadable(figure) == []
    assert figure.get_suptitle().replace("\n", "").replace(" ", "") == title.replace(" ", "")
    assert min(float(text.get_fontsize()) for text in figure.findobj(Text) if text.get_text()) >= 8


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("no ")])
def test_where_there_is_nothing_the_figure_says_so(name: str) -> None:
    figure = FIGURES[name](SHORT)
    assert len(figure.axes) == 1
    assert len(texts(figure)) == 2


def dots(axes: Axes) -> PathCollection:
    (points,) = (one for one in axes.collections if isinstance(one, PathCollection))
    return points


def drawn(axes: Axes) -> NDArray[np.float64]:
    """Return the points, (n, 2), the first drawn first."""
    return np.asarray(dots(axes).get_offsets())


def cells(axes: Axes) -> dict[tuple[int, int], str]:
    """Return the text in each cell of a heatmap, by row and column, of the cells that have one."""
    places = ((text.get_position(), text.get_text()) for text in axes.texts)
    return {(int(y), int(x)): text for (x, y), text in places if text}


class TestFeatureMap:
    def test_a_flat_map_has_one_panel_with_the_points_where_they_are(self) -> None:
        (axes,) = feature_map(FLAT, LABELS, SHORT, "digits").axes
        np.testing.assert_allclose(np.diff(drawn(axes), axis=0), np.diff(FLAT, axis=0), atol=1e-5)

    def test_a_cloud_is_seen_from_opposite_sides_without_perspective(self) -> None:
        ends = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
        front, back = feature_map(ends, np.zeros(6, np.int64), SHORT, "digits").axes
        for axes in (front, back):
            # An orthographic view is two orthonormal rows of a rotation.
            np.testing.assert_allclose(drawn(axes).T @ drawn(axes), 2 * np.eye(2), atol=1e-6)
        np.testing.assert_allclose(np.sort(drawn(front)[:, 0]), np.sort(-drawn(back)[:, 0]), atol=1e-6)

    def test_what_is_near_is_drawn_last_and_what_is_far_is_paler(self) -> None:
        line = np.array([[0, 0, 0], [4, 2, 0]], np.float32)  # away from the first view's side, toward the second's
        front, back = feature_map(line, np.array([0, 0]), SHORT, "digits").axes
        assert drawn(front)[0, 1] > drawn(front)[1, 1]  # seen from above, what is nearer lies lower
        assert drawn(back)[0, 1] > drawn(back)[1, 1]
        for axes in (front, back):
            far, near = (np.asarray(color)[:3] for color in np.asarray(dots(axes).get_facecolor()))
            np.testing.assert_allclose(near, to_rgb(group_color(0)))
            assert (far > near).all()

    def test_groups_have_their_color_and_name_at_their_median_and_others_none(self) -> None:
        flat = np.array([[0, 0], [1, 0], [5, 0], [90, 90], [91, 90]], np.float32)
        (axes,) = feature_map(flat, np.array([3, 3, 3, 7, 7]), SHORT, "digits").axes
        assert [text.get_text() for text in axes.texts] == ["3", "7"]
        three, seven = (np.array(text.get_position()) for text in axes.texts)
        np.testing.assert_allclose(seven - three, [89.5, 90])
        colors = [to_hex(color).upper() for color in np.asarray(dots(axes).get_facecolor())]
        assert colors == [group_color(3)] * 3 + [group_color(7)] * 2

    def test_clusters_cannot_be_taken_for_digits(self) -> None:
        (axes,) = feature_map(FLAT, np.arange(300) % 3, SHORT, "clusters").axes
        assert [text.get_text() for text in axes.texts] == ["c0", "c1", "c2"]

    @pytest.mark.parametrize("positions", [0 * IN_SPACE, IN_SPACE, FLAT])
    def test_names_and_their_frames_are_apart_and_on_the_map(self, positions: NDArray[Any]) -> None:
        figure = feature_map(positions, CLUSTERS, SHORT, "clusters")
        for axes in figure.axes:
            patches = [text.get_bbox_patch() for text in axes.texts]
            frames = [patch.get_window_extent() for patch in patches if patch]
            assert len(frames) == 20
            for i, one in enumerate(frames):
                assert not any(one.overlaps(other) for other in frames[:i])
                assert axes.bbox.padded(1).contains(one.x0, one.y0)
                assert axes.bbox.padded(1).contains(one.x1, one.y1)

    def test_the_most_confusing_lie_on_top_and_are_darkest(self) -> None:
        figure = feature_map(FLAT, SCORES, SHORT, "scores")
        values = np.asarray(dots(figure.axes[0]).get_array())
        assert (np.diff(values) >= 0).all()
        shades = [sum(to_rgb(shade)) for shade in SCORE_SHADES]
        assert all(a > b for a, b in pairwise(shades))
        assert "confusion score" in texts(figure)

    def test_the_page_has_the_same_colors(self) -> None:
        page = (files("experiments.reporting.explorer") / "assets" / "colors.js").read_text(encoding="utf-8")
        (ramp,) = re.findall(r"const light = \[(.*)\]", page)
        assert tuple(re.findall(r"#\w{6}", ramp)) == SCORE_SHADES
        (shades,) = re.findall(r"const SHADES = \[(.*)\]", page)
        assert tuple(float(shade) for shade in shades.split(",")) == SHADES

    def test_thirty_groups_have_colors_of_their_own(self) -> None:
        colors = [group_color(group) for group in range(30)]
        assert tuple(colors[:10]) == GROUP_COLORS
        assert len(set(colors)) == 30
        assert all(re.fullmatch("#[0-9A-F]{6}", color) for color in colors)

    @pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 1)])
    def test_other_positions_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=re.escape(f"received {shape}")):
            feature_map(np.zeros(shape, np.float32), np.zeros(5, np.int64), SHORT, "digits")

    def test_all_of_mnist_is_drawn_in_five_seconds(self) -> None:
        many = np.random.default_rng(0).normal(size=(70_000, 3)).astype(np.float32)
        start = time.process_time()
        figure = feature_map(many, np.arange(70_000) % 10, SHORT, "digits")
        figure.savefig(io.BytesIO(), format="png", dpi=120)
        assert time.process_time() - start < 5
        assert all(dots(axes).get_rasterized() for axes in figure.axes)


class TestClusterCount:
    def test_says_what_is_chosen_why_and_what_else_it_could_be(self) -> None:
        found = choice(range(2, 21), 12)
        said = texts(cluster_count(found, SHORT))
        assert "k = 12: chosen, as its silhouette is the largest (0.500)" in said
        assert any(line.startswith(f"k = {found.elbow}: elbow") for line in said)
        assert "k = 10: as many as there are digits (silhouette 0.460)" in said

    def test_draws_both_curves(self) -> None:
        found = choice(range(2, 21), 10)
        upper, lower = cluster_count(found, SHORT).axes
        for axes, values in ((upper, found.silhouettes), (lower, found.inertias)):
            np.testing.assert_array_equal(np.asarray(axes.lines[0].get_xydata()), np.c_[found.counts, values])

    def test_ten_is_not_marked_where_it_was_not_tried(self) -> None:
        said = texts(cluster_count(choice(range(2, 6), 3), SHORT))
        assert not any("as many as there are digits" in line for line in said)


class TestContingencyHeatmap:
    def test_columns_are_in_the_order_of_their_most_frequent_digit_the_larger_first(self) -> None:
        counts = np.zeros((10, 4), np.int64)
        counts[7, 0], counts[2, 1], counts[2, 2], counts[0, 3] = 4000, 10, 30, 1
        figure = contingency_heatmap(replace(grouped(4), contingency=counts), SHORT)
        axes = figure.axes[0]
        heads = [label.get_text().split("\n") for label in axes.get_xticklabels()]
        assert heads == [
            ["c3", "1", "mostly 0"], ["c2", "30", "mostly 2"], ["c1", "10", "mostly 2"], ["c0", "4,000", "mostly 7"],
        ]  # fmt: skip
        assert cells(axes) == {(0, 0): "1\n100 %", (2, 1): "30\n75 %", (2, 2): "10\n25 %", (7, 3): "4,000\n100 %"}

    def test_a_share_that_rounds_to_nothing_is_not_written(self) -> None:
        counts = np.zeros((10, 2), np.int64)
        counts[5] = 7000, 3
        figure = contingency_heatmap(replace(grouped(2), contingency=counts), SHORT)
        assert cells(figure.axes[0]) == {(5, 0): "7,000\n100 %", (5, 1): "3"}

    @pytest.mark.parametrize("k", [1, 2, 10, 20])
    def test_every_image_is_counted(self, k: int) -> None:
        found = cells(contingency_heatmap(grouped(k), SHORT).axes[0])
        assert sum(int(text.split("\n")[0]) for text in found.values()) == 300


class TestDendrogram:
    def leaves(self, figure: Figure) -> list[tuple[str, str, str]]:
        """Return digit, share and images of each leaf, from the uppermost down."""
        written = [text.get_text() for text in figure.axes[0].texts]
        rows = len(written) // 3
        digits, shares, images = (written[start * rows : (start + 1) * rows] for start in range(3))
        assert (digits[0], shares[0], images[0]) == ("digit", "share", "images")
        return list(zip(digits[1:], shares[1:], images[1:], strict=True))

    def lines(self, figure: Figure) -> LineCollection:
        (lines,) = (one for one in figure.axes[0].collections if isinstance(one, LineCollection))
        return lines

    @pytest.mark.parametrize("branches", [2, 10, 20])
    def test_leaves_are_the_clusters_that_the_tree_is_cut_into(self, branches: int) -> None:
        found = self.leaves(dendrogram(TREE, LABELS, SHORT, branches))
        cut = TREE.cut(branches)
        expected = []
        for cluster in range(branches):
            counts = np.bincount(LABELS[cut == cluster], minlength=10)
            share = f"{100 * counts.max() / counts.sum():.1f} %"
            expected.append((str(counts.argmax()), share, f"{counts.sum():,}"))
        assert sorted(found) == sorted(expected)

    def test_merges_are_as_high_as_in_the_tree(self) -> None:
        bars = self.lines(dendrogram(TREE, LABELS, SHORT)).get_segments()[::3]
        np.testing.assert_allclose([bar[0][0] for bar in bars], TREE.heights[-19:])

    def test_lines_do_not_cross(self) -> None:
        figure = dendrogram(TREE, LABELS, SHORT)
        arms = [tuple(map(tuple, line)) for line in self.lines(figure).get_segments() if line[0][1] == line[1][1]]
        bars = [tuple(map(tuple, line)) for line in self.lines(figure).get_segments() if line[0][1] != line[1][1]]
        for (low, y), (high, _) in arms:
            crossed = [x for (x, a), (_, b) in bars if low < x < high and min(a, b) < y < max(a, b)]
            assert crossed == []

    def test_a_branch_of_one_digit_has_its_color_and_others_are_grey(self) -> None:
        points = np.array([[0], [1], [2], [50], [51], [400], [401]], float)
        labels = np.array([4, 4, 4, 4, 4, 9, 9])
        lines = self.lines(dendrogram(tree(points), labels, SHORT, 4))
        colors = [to_hex(color).upper() for color in np.asarray(lines.get_color())]
        assert colors[-3] == GREY.upper()  # where all are joined
        assert set(colors) == {GREY.upper(), group_color(4), group_color(9)}

    def test_a_leaf_in_which_no_digit_has_the_majority_is_grey(self) -> None:
        lines = self.lines(dendrogram(tree(np.arange(4.0)[:, None]), np.array([0, 1, 0, 1]), SHORT, 2))
        assert {to_hex(color) for color in np.asarray(lines.get_color())} == {GREY}

    def test_heights_never_fall_and_the_figure_says_what_was_raised(self) -> None:
        figure = dendrogram(UNEVEN, LABELS, SHORT)
        raised = int((np.maximum.accumulate(UNEVEN.heights[-19:]) > UNEVEN.heights[-19:]).sum())
        assert f"Merges that are lower than one of their parts, drawn as high as it: {raised}." in texts(figure)
        bars = [line[0][0] for line in self.lines(figure).get_segments()][::3]
        assert (np.diff(bars) >= 0).all()
        assert not any("lower" in line for line in texts(dendrogram(TREE, LABELS, SHORT)))

    def test_there_are_no_more_branches_than_points(self) -> None:
        assert len(self.leaves(dendrogram(tree(POINTS[:6]), LABELS[:6], SHORT))) == 6


class TestCentroidDistances:
    def test_cells_are_distances_and_the_diagonal_spreads(self) -> None:
        labels = np.array([2, 2, 5, 5, 9, 9])
        points = np.array([[0, 1], [0, -1], [30, 2], [30, -2], [0, 43], [0, 37]], np.float32)
        figure = centroid_distances(centroids(points, labels), SHORT)
        axes = figure.axes[0]
        assert cells(axes) == {
            (0, 0): "1.0", (1, 1): "2.0", (2, 2): "3.0",
            (0, 1): "30.0", (1, 0): "30.0", (0, 2): "40.0", (2, 0): "40.0", (1, 2): "50.0", (2, 1): "50.0",
        }  # fmt: skip
        assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "5", "9"]
        assert "The closest pairs: 2 and 5 (30.0), 2 and 9 (40.0), 5 and 9 (50.0)." in texts(figure)

    @pytest.mark.parametrize(("scale", "expected"), [(1e-3, "0.0300"), (1, "30.0"), (100, "3,000")])
    def test_numbers_have_three_digits_or_more(self, scale: float, expected: str) -> None:
        distances = np.array([[0, 30], [30, 0]]) * scale
        figure = centroid_distances(Centroids(np.array([0, 1]), distances, np.zeros(2)), SHORT)
        assert cells(figure.axes[0])[0, 1] == expected


def test_each_pair_of_measures_has_its_correlation_twice() -> None:
    found = ranking()
    figure = measure_agreement(found, SHORT)
    names = list(found.measures)
    written = cells(figure.axes[0])
    assert len(written) == 12
    for (first, second), value in found.correlations.items():
        i, j = names.index(first), names.index(second)
        assert written[i, j] == written[j, i] == f"{value:.3f}"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "ratio", "margin", "label error", "cluster disagreement",
    ]  # fmt: skip
    assert all(any(meaning in line for line in texts(figure)) for meaning in MEASURES.values())
