"""Figures of a feature space show what was found in it."""

import re
from dataclasses import replace
from importlib.resources import files
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from examples import CLUSTERS, FLAT, IN_SPACE, LABELS, POINTS, RANDOM, SCORES, cluster_counts
from figure_texts import TITLE, cells, draw, in_hex, texts
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ward
from scipy.stats import spearmanr

from experiments.analysis.centroids import centroids
from experiments.analysis.clusters import Tree
from experiments.analysis.confusing import MEASURES, Ranking
from experiments.reporting.figure_parts.style import GRAY, GROUP_COLORS, SHADES, group_color
from experiments.reporting.figures.feature_map import SCORE_SHADES
from experiments.reporting.recorded.analysis import agreement_drawing, tree_drawing


def dots(axes: Axes) -> PathCollection:
    (points,) = (one for one in axes.collections if isinstance(one, PathCollection))
    return points


def drawn(axes: Axes) -> NDArray[np.float64]:
    """Return the points, (n, 2), the first drawn first."""
    return np.asarray(dots(axes).get_offsets())


class TestFeatureMap:
    def test_a_flat_map_has_one_panel_with_the_points_where_they_are(self) -> None:
        (axes,) = draw("feature_map", FLAT, LABELS, "digits").axes
        np.testing.assert_allclose(np.diff(drawn(axes), axis=0), np.diff(FLAT, axis=0), atol=1e-5)
        assert dots(axes).get_rasterized()  # all of MNIST would be a large file in print

    def test_a_cloud_is_seen_from_opposite_sides_without_perspective(self) -> None:
        ends = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
        front, back = draw("feature_map", ends, np.zeros(6, np.int64), "digits").axes
        for axes in (front, back):
            # An orthographic view is two orthonormal rows of a rotation.
            np.testing.assert_allclose(drawn(axes).T @ drawn(axes), 2 * np.eye(2), atol=1e-6)
        np.testing.assert_allclose(np.sort(drawn(front)[:, 0]), np.sort(-drawn(back)[:, 0]), atol=1e-6)

    def test_what_is_near_is_drawn_last_and_what_is_far_is_paler(self) -> None:
        line = np.array([[0, 0, 0], [4, 2, 0]], np.float32)  # away from the first view's side, toward the second's
        for axes in draw("feature_map", line, np.array([0, 0]), "digits").axes:
            assert drawn(axes)[0, 1] > drawn(axes)[1, 1]  # seen from above, what is nearer lies lower
            far, near = np.asarray(dots(axes).get_facecolor())[:, :3]
            np.testing.assert_allclose(near, to_rgb(group_color(0)))
            assert (far > near).all()

    def test_groups_have_their_color_and_name_at_their_median_and_others_none(self) -> None:
        flat = np.array([[0, 0], [1, 0], [5, 0], [90, 90], [91, 90]], np.float32)
        (axes,) = draw("feature_map", flat, np.array([3, 3, 3, 7, 7]), "digits").axes
        assert [text.get_text() for text in axes.texts] == ["3", "7"]
        three, seven = (np.array(text.get_position()) for text in axes.texts)
        np.testing.assert_allclose(seven - three, [89.5, 90])
        assert in_hex(dots(axes).get_facecolor()) == [group_color(3)] * 3 + [group_color(7)] * 2
        (axes,) = draw("feature_map", flat, np.array([3, 3, 3, 7, 7]), "clusters").axes
        assert [text.get_text() for text in axes.texts] == ["c3", "c7"]

    @pytest.mark.parametrize("positions", [0 * FLAT, IN_SPACE])
    def test_names_and_their_frames_are_apart_and_on_the_map(self, positions: NDArray[Any]) -> None:
        figure = draw("feature_map", positions, CLUSTERS, "clusters")
        figure.draw_without_rendering()
        for axes in figure.axes:
            frames = [patch.get_window_extent() for text in axes.texts if (patch := text.get_bbox_patch())]
            assert len(frames) == 20
            assert not any(one.overlaps(other) for one, other in combinations(frames, 2))
            for x, y in np.concatenate([frame.get_points() for frame in frames]):
                assert axes.bbox.padded(1).contains(x, y)

    def test_the_most_confusing_lie_on_top_and_are_darkest(self) -> None:
        figure = draw("feature_map", FLAT, SCORES, "scores")
        assert (np.diff(np.asarray(dots(figure.axes[0]).get_array())) >= 0).all()
        assert all(a > b for a, b in pairwise(sum(to_rgb(shade)) for shade in SCORE_SHADES))
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
        assert in_hex(colors) == colors

    @pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 1)])
    def test_other_positions_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=re.escape(f"received {shape}")):
            draw("feature_map", np.zeros(shape, np.float32), np.zeros(5, np.int64), "digits")


class TestClusterCount:
    def test_draws_both_curves_and_marks_the_chosen_number_the_elbow_and_ten(self) -> None:
        counts, *curves = cluster_counts(20, 12, 5)[:3]
        figure = draw("cluster_count", *cluster_counts(20, best=12, elbow=5))
        for axes, values in zip(figure.axes, curves, strict=True):
            np.testing.assert_array_equal(np.asarray(axes.lines[0].get_xydata()), np.c_[counts, values])
        marks = [line for line in texts(figure) if line.startswith("k = ")]
        assert [re.findall(r"k = \d+|\d\.\d+", mark) for mark in marks] == [
            ["k = 12", "0.500"], ["k = 5", "0.360"], ["k = 10", "0.460"]
        ]  # fmt: skip
        assert not any("k = 10" in line for line in texts(draw("cluster_count", *cluster_counts(5, 3, 3))))  # untried


class TestContingencyHeatmap:
    def test_columns_are_in_the_order_of_their_most_frequent_digit_the_larger_first(self) -> None:
        counts = np.zeros((10, 4), np.int64)
        counts[7, 0], counts[2, 1], counts[2, 2], counts[0, 3], counts[7, 3] = 7000, 10, 30, 5, 3
        figure = draw("contingency_heatmap", counts, 0.5, 0.25, 0.3)
        heads = [label.get_text().split("\n") for label in figure.axes[0].get_xticklabels()]
        assert heads == [
            ["c3", "8", "mostly 0"], ["c2", "30", "mostly 2"], ["c1", "10", "mostly 2"], ["c0", "7,000", "mostly 7"],
        ]  # fmt: skip
        assert cells(figure) == {
            (0, 0): "5\n100 %", (2, 1): "30\n75 %", (2, 2): "10\n25 %", (7, 3): "7,000\n100 %",
            (7, 0): "3",  # a share that rounds to nothing is not written
        }  # fmt: skip
        assert re.findall(r"0\.\d+", texts(figure)[-1]) == ["0.500", "0.250", "0.300"]


def tree(points: NDArray[Any]) -> Tree:
    merges = ward(points)
    return Tree(merges[:, :2].astype(np.int64), merges[:, 2])


def draw_tree(found: Tree, labels: NDArray[np.int64], branches: int = 20) -> Figure:
    return tree_drawing(found, labels, TITLE, branches).draw()


TREE = tree(POINTS)


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
        cut, expected = TREE.cut(branches), []
        for cluster in range(branches):
            counts = np.bincount(LABELS[cut == cluster], minlength=10)
            share = f"{100 * counts.max() / counts.sum():.1f} %"
            expected.append((str(counts.argmax()), share, f"{counts.sum():,}"))
        assert sorted(self.leaves(draw_tree(TREE, LABELS, branches))) == sorted(expected)

    def test_there_are_no_more_branches_than_points(self) -> None:
        assert len(self.leaves(draw_tree(tree(POINTS[:6]), LABELS[:6]))) == 6

    def test_merges_are_as_high_as_in_the_tree_and_their_lines_do_not_cross(self) -> None:
        segments = self.lines(draw_tree(TREE, LABELS)).get_segments()
        np.testing.assert_allclose([bar[0][0] for bar in segments[::3]], TREE.heights[-19:])
        for (low, y), (high, _) in (line for line in segments if line[0][1] == line[1][1]):
            bars = [line for line in segments if line[0][1] != line[1][1]]
            assert not [x for (x, a), (_, b) in bars if low < x < high and min(a, b) < y < max(a, b)]

    @pytest.mark.parametrize(
        ("points", "labels", "branches", "colors"),
        [
            ([0, 1, 2, 50, 51, 400, 401], [4, 4, 4, 4, 4, 9, 9], 4, {GRAY, group_color(4), group_color(9)}),
            ([0, 1, 2, 3], [0, 1, 0, 1], 2, {GRAY}),  # no majority in a leaf
        ],
    )
    def test_a_branch_of_one_digit_has_its_color_and_others_are_gray(
        self, points: list[float], labels: list[int], branches: int, colors: set[str]
    ) -> None:
        found = in_hex(self.lines(draw_tree(tree(np.c_[points]), np.array(labels), branches)).get_color())
        assert found[-3] == GRAY  # where all are joined
        assert set(found) == colors

    def test_heights_never_fall_and_the_figure_says_how_many_were_raised(self) -> None:
        # Merges that lie below their parts, as they may in a tree in which only neighbors are joined.
        uneven = replace(TREE, heights=np.where(np.arange(299) % 7 == 3, TREE.heights / 2, TREE.heights))
        figure = draw_tree(uneven, LABELS)
        raised = int((np.maximum.accumulate(uneven.heights[-19:]) > uneven.heights[-19:]).sum())
        assert any(line.startswith("Merges") and line.endswith(f" {raised}.") for line in texts(figure))
        assert (np.diff([line[0][0] for line in self.lines(figure).get_segments()][::3]) >= 0).all()
        assert not any(line.startswith("Merges") for line in texts(draw_tree(TREE, LABELS)))


class TestCentroidDistances:
    def test_cells_are_distances_and_the_diagonal_spreads(self) -> None:
        labels = np.array([2, 2, 5, 5, 9, 9])
        points = np.array([[0, 1], [0, -1], [30, 2], [30, -2], [0, 43], [0, 37]], np.float32)
        found = centroids(points, labels)
        figure = draw("centroid_distances", found.digits, found.distances, found.spreads)
        assert cells(figure) == {
            (0, 0): "1.0", (1, 1): "2.0", (2, 2): "3.0",
            (0, 1): "30.0", (1, 0): "30.0", (0, 2): "40.0", (2, 0): "40.0", (1, 2): "50.0", (2, 1): "50.0",
        }  # fmt: skip
        assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["2", "5", "9"]
        assert any("2 and 5 (30.0), 2 and 9 (40.0), 5 and 9 (50.0)" in line for line in texts(figure))

    @pytest.mark.parametrize(("scale", "expected"), [(1e-3, "0.0300"), (1, "30.0"), (100, "3,000")])
    def test_numbers_have_three_digits_or_more(self, scale: float, expected: str) -> None:
        distances = np.array([[0, 30], [30, 0]]) * scale
        assert cells(draw("centroid_distances", np.array([0, 1]), distances, np.zeros(2)))[0, 1] == expected


def test_each_pair_of_measures_has_its_correlation_twice() -> None:
    measures = {name: RANDOM.normal(size=50) for name in MEASURES}
    pairs = list(combinations(measures, 2))
    correlations = {(a, b): float(spearmanr(measures[a], measures[b]).statistic) for a, b in pairs}
    ranking = Ranking(measures, RANDOM.random(50), np.arange(50), correlations)
    figure = agreement_drawing(ranking, TITLE).draw()
    names = list(measures)
    expected = {(names.index(a), names.index(b)): f"{value:.3f}" for (a, b), value in correlations.items()}
    assert cells(figure) == expected | {(j, i): value for (i, j), value in expected.items()}
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown == [name.replace("_", " ") for name in MEASURES]
    assert all(any(meaning in line for line in texts(figure)) for meaning in MEASURES.values())
