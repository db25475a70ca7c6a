"""Figures of a feature space show what was found in it, and can be read."""

import io
import re
import time
from dataclasses import replace
from importlib.resources import files
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from examples import CLUSTERS, FLAT, IN_SPACE, LABELS, POINTS, RANDOM, SCORES, SHORT, cluster_counts
from figure_texts import texts
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ward
from scipy.stats import spearmanr

from experiments.analysis.centroids import centroids
from experiments.analysis.clusters import Tree
from experiments.analysis.confusing import MEASURES, Ranking
from experiments.reporting.figure_parts.style import GRAY, GROUP_COLORS, SHADES, group_color
from experiments.reporting.figures import FIGURES
from experiments.reporting.figures.centroid_distances import centroid_distances
from experiments.reporting.figures.contingency_heatmap import contingency_heatmap
from experiments.reporting.figures.feature_map import SCORE_SHADES, feature_map
from experiments.reporting.recorded.analysis import agreement_drawing, tree_drawing


def choice(last: int, best: int, elbow: int) -> Figure:
    return FIGURES["cluster_count"](*cluster_counts(last, best, elbow), SHORT)


def tree(points: NDArray[Any]) -> Tree:
    merges = ward(points)
    return Tree(merges[:, :2].astype(np.int64), merges[:, 2])


def draw_tree(found: Tree, labels: NDArray[np.int64], branches: int = 20) -> Figure:
    return tree_drawing(found, labels, SHORT, branches).draw()


def ranking() -> Ranking:
    measures = {name: RANDOM.normal(size=50) for name in MEASURES}
    pairs = combinations(measures, 2)
    found = {(a, b): float(spearmanr(measures[a], measures[b]).statistic) for a, b in pairs}
    return Ranking(measures, RANDOM.random(50), np.arange(50), found)


def contingency(counts: NDArray[np.int64]) -> Figure:
    return contingency_heatmap(counts, 0.5, 0.25, 0.3, SHORT)


TREE = tree(POINTS)
# Merges that lie below their parts, as they may in a tree in which only neighbors are joined.
UNEVEN = replace(TREE, heights=np.where(np.arange(299) % 7 == 3, TREE.heights / 2, TREE.heights))


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
        (axes,) = feature_map(FLAT, LABELS, "digits", SHORT).axes
        np.testing.assert_allclose(np.diff(drawn(axes), axis=0), np.diff(FLAT, axis=0), atol=1e-5)

    def test_a_cloud_is_seen_from_opposite_sides_without_perspective(self) -> None:
        ends = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
        front, back = feature_map(ends, np.zeros(6, np.int64), "digits", SHORT).axes
        for axes in (front, back):
            # An orthographic view is two orthonormal rows of a rotation.
            np.testing.assert_allclose(drawn(axes).T @ drawn(axes), 2 * np.eye(2), atol=1e-6)
        np.testing.assert_allclose(np.sort(drawn(front)[:, 0]), np.sort(-drawn(back)[:, 0]), atol=1e-6)

    def test_what_is_near_is_drawn_last_and_what_is_far_is_paler(self) -> None:
        line = np.array([[0, 0, 0], [4, 2, 0]], np.float32)  # away from the first view's side, toward the second's
        front, back = feature_map(line, np.array([0, 0]), "digits", SHORT).axes
        assert drawn(front)[0, 1] > drawn(front)[1, 1]  # seen from above, what is nearer lies lower
        assert drawn(back)[0, 1] > drawn(back)[1, 1]
        for axes in (front, back):
            far, near = (np.asarray(color)[:3] for color in np.asarray(dots(axes).get_facecolor()))
            np.testing.assert_allclose(near, to_rgb(group_color(0)))
            assert (far > near).all()

    def test_groups_have_their_color_and_name_at_their_median_and_others_none(self) -> None:
        flat = np.array([[0, 0], [1, 0], [5, 0], [90, 90], [91, 90]], np.float32)
        (axes,) = feature_map(flat, np.array([3, 3, 3, 7, 7]), "digits", SHORT).axes
        assert [text.get_text() for text in axes.texts] == ["3", "7"]
        three, seven = (np.array(text.get_position()) for text in axes.texts)
        np.testing.assert_allclose(seven - three, [89.5, 90])
        colors = [to_hex(color).upper() for color in np.asarray(dots(axes).get_facecolor())]
        assert colors == [group_color(3)] * 3 + [group_color(7)] * 2

    def test_clusters_cannot_be_taken_for_digits(self) -> None:
        (axes,) = feature_map(FLAT, np.arange(300) % 3, "clusters", SHORT).axes
        assert [text.get_text() for text in axes.texts] == ["c0", "c1", "c2"]

    @pytest.mark.parametrize("positions", [0 * IN_SPACE, IN_SPACE, FLAT])
    def test_names_and_their_frames_are_apart_and_on_the_map(self, positions: NDArray[Any]) -> None:
        figure = feature_map(positions, CLUSTERS, "clusters", SHORT)
        figure.draw_without_rendering()
        for axes in figure.axes:
            patches = [text.get_bbox_patch() for text in axes.texts]
            frames = [patch.get_window_extent() for patch in patches if patch]
            assert len(frames) == 20
            for i, one in enumerate(frames):
                assert not any(one.overlaps(other) for other in frames[:i])
                assert axes.bbox.padded(1).contains(one.x0, one.y0)
                assert axes.bbox.padded(1).contains(one.x1, one.y1)

    def test_the_most_confusing_lie_on_top_and_are_darkest(self) -> None:
        figure = feature_map(FLAT, SCORES, "scores", SHORT)
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
            feature_map(np.zeros(shape, np.float32), np.zeros(5, np.int64), "digits", SHORT)

    def test_all_of_mnist_is_drawn_in_five_seconds(self) -> None:
        many = np.random.default_rng(0).normal(size=(70_000, 3)).astype(np.float32)
        start = time.process_time()
        figure = feature_map(many, np.arange(70_000) % 10, "digits", SHORT)
        figure.savefig(io.BytesIO(), format="png", dpi=120)
        assert time.process_time() - start < 5
        assert all(dots(axes).get_rasterized() for axes in figure.axes)


class TestClusterCount:
    def test_names_what_is_chosen_why_and_what_else_it_could_be(self) -> None:
        said = texts(choice(20, best=12, elbow=5))
        assert "k = 12: chosen, as its silhouette is the largest (0.500)" in said
        assert any(line.startswith("k = 5: elbow") for line in said)
        assert "k = 10: as many as there are digits (silhouette 0.460)" in said

    def test_draws_both_curves(self) -> None:
        counts, *curves = cluster_counts(20, 10, 5)[:3]
        for axes, values in zip(choice(20, best=10, elbow=5).axes, curves, strict=True):
            np.testing.assert_array_equal(np.asarray(axes.lines[0].get_xydata()), np.c_[counts, values])

    def test_ten_is_not_marked_where_it_was_not_tried(self) -> None:
        assert not any("as many as there are digits" in line for line in texts(choice(5, best=3, elbow=3)))


class TestContingencyHeatmap:
    def test_columns_are_in_the_order_of_their_most_frequent_digit_the_larger_first(self) -> None:
        counts = np.zeros((10, 4), np.int64)
        counts[7, 0], counts[2, 1], counts[2, 2], counts[0, 3] = 4000, 10, 30, 1
        figure = contingency(counts)
        axes = figure.axes[0]
        heads = [label.get_text().split("\n") for label in axes.get_xticklabels()]
        assert heads == [
            ["c3", "1", "mostly 0"], ["c2", "30", "mostly 2"], ["c1", "10", "mostly 2"], ["c0", "4,000", "mostly 7"],
        ]  # fmt: skip
        assert cells(axes) == {(0, 0): "1\n100 %", (2, 1): "30\n75 %", (2, 2): "10\n25 %", (7, 3): "4,000\n100 %"}

    def test_a_share_that_rounds_to_nothing_is_not_written(self) -> None:
        counts = np.zeros((10, 2), np.int64)
        counts[5] = 7000, 3
        figure = contingency(counts)
        assert cells(figure.axes[0]) == {(5, 0): "7,000\n100 %", (5, 1): "3"}

    @pytest.mark.parametrize("k", [1, 2, 10, 20])
    def test_every_image_is_counted(self, k: int) -> None:
        counts = RANDOM.integers(0, 99, (10, k))
        found = cells(contingency(counts).axes[0])
        assert sum(int(text.split("\n")[0]) for text in found.values()) == counts.sum()


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
        found = self.leaves(draw_tree(TREE, LABELS, branches))
        cut = TREE.cut(branches)
        expected = []
        for cluster in range(branches):
            counts = np.bincount(LABELS[cut == cluster], minlength=10)
            share = f"{100 * counts.max() / counts.sum():.1f} %"
            expected.append((str(counts.argmax()), share, f"{counts.sum():,}"))
        assert sorted(found) == sorted(expected)

    def test_merges_are_as_high_as_in_the_tree(self) -> None:
        bars = self.lines(draw_tree(TREE, LABELS)).get_segments()[::3]
        np.testing.assert_allclose([bar[0][0] for bar in bars], TREE.heights[-19:])

    def test_lines_do_not_cross(self) -> None:
        figure = draw_tree(TREE, LABELS)
        arms = [tuple(map(tuple, line)) for line in self.lines(figure).get_segments() if line[0][1] == line[1][1]]
        bars = [tuple(map(tuple, line)) for line in self.lines(figure).get_segments() if line[0][1] != line[1][1]]
        for (low, y), (high, _) in arms:
            crossed = [x for (x, a), (_, b) in bars if low < x < high and min(a, b) < y < max(a, b)]
            assert crossed == []

    def test_a_branch_of_one_digit_has_its_color_and_others_are_gray(self) -> None:
        points = np.array([[0], [1], [2], [50], [51], [400], [401]], float)
        labels = np.array([4, 4, 4, 4, 4, 9, 9])
        lines = self.lines(draw_tree(tree(points), labels, 4))
        colors = [to_hex(color).upper() for color in np.asarray(lines.get_color())]
        assert colors[-3] == GRAY.upper()  # where all are joined
        assert set(colors) == {GRAY.upper(), group_color(4), group_color(9)}

    def test_a_leaf_in_which_no_digit_has_the_majority_is_gray(self) -> None:
        lines = self.lines(draw_tree(tree(np.arange(4.0)[:, None]), np.array([0, 1, 0, 1]), 2))
        assert {to_hex(color) for color in np.asarray(lines.get_color())} == {GRAY}

    def test_heights_never_fall_and_the_figure_says_what_was_raised(self) -> None:
        figure = draw_tree(UNEVEN, LABELS)
        raised = int((np.maximum.accumulate(UNEVEN.heights[-19:]) > UNEVEN.heights[-19:]).sum())
        assert f"Merges that are lower than one of their parts, drawn as high as it: {raised}." in texts(figure)
        bars = [line[0][0] for line in self.lines(figure).get_segments()][::3]
        assert (np.diff(bars) >= 0).all()
        assert not any("lower" in line for line in texts(draw_tree(TREE, LABELS)))

    def test_there_are_no_more_branches_than_points(self) -> None:
        assert len(self.leaves(draw_tree(tree(POINTS[:6]), LABELS[:6]))) == 6


class TestCentroidDistances:
    def test_cells_are_distances_and_the_diagonal_spreads(self) -> None:
        labels = np.array([2, 2, 5, 5, 9, 9])
        points = np.array([[0, 1], [0, -1], [30, 2], [30, -2], [0, 43], [0, 37]], np.float32)
        found = centroids(points, labels)
        figure = centroid_distances(found.digits, found.distances, found.spreads, SHORT)
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
        figure = centroid_distances(np.array([0, 1]), distances, np.zeros(2), SHORT)
        assert cells(figure.axes[0])[0, 1] == expected


def test_each_pair_of_measures_has_its_correlation_twice() -> None:
    found = ranking()
    figure = agreement_drawing(found, SHORT).draw()
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
