"""Figures of a transfer show its numbers, whatever is missing from them."""

from math import nan

import numpy as np
import pytest
from examples import ALIGNMENTS, NO_INTERVAL, accuracies, aligned, around, gains, placed
from figure_texts import draw, in_hex, texts
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.patches import Rectangle

from experiments.models import MODELS
from experiments.reporting.figure_parts.layout import in_percent, signed
from experiments.reporting.figure_parts.style import ORANGE, group_color, network_color

ARROW, MINUS, DASH, SPACE = "\N{RIGHTWARDS ARROW}", "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"


def shades(axes: Axes) -> list[str]:
    """Return the colors of the cells, row by row, without those that have no value."""
    axes.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    return in_hex([color for color in mesh.get_facecolors() if color[3]])  # type: ignore[attr-defined]


def points(axes: Axes) -> list[PathCollection]:
    return [one for one in axes.collections if isinstance(one, PathCollection)]


class TestTransferMatrix:
    def test_cells_have_accuracy_and_interval_or_say_what_is_missing(self) -> None:
        rows = {"cnn on mnist": {"mnist": (0.9951, 0.9935, 0.9963), "usps": (0.5, 0.48, 0.52)}, "mlp on usps": {}}
        said = texts(draw("transfer_matrix", rows))
        assert {"99.51", "[99.35, 99.63]", "50.00", "[48.00, 52.00]", "cnn on mnist", "mlp on usps"} <= set(said)
        assert said.count("not tested") == 2
        assert said.index("mnist") < said.index("usps")

    def test_the_source_of_a_network_is_framed(self) -> None:
        pair = accuracies("cnn on mnist", "lenet on usps")
        figure = draw("transfer_matrix", pair)
        frames = [one.get_xy() for one in figure.axes[0].patches if isinstance(one, Rectangle) and not one.get_fill()]
        assert frames == [(0, 0), (1, 1)]
        assert "framed" in "".join(texts(figure))
        assert "framed" not in "".join(texts(draw("transfer_matrix", {"cnn": pair["cnn on mnist"]})))

    def test_a_lower_accuracy_has_a_deeper_color(self) -> None:
        rows = {"cnn": {"mnist": around(1.0), "usps": around(0.9), "uci": around(0.4)}}
        white, pale, deep = shades(draw("transfer_matrix", rows).axes[0])
        assert (white, deep) == ("#FFFFFF", ORANGE)
        assert deep < pale < white


class TestAlignmentAblation:
    def test_each_network_has_a_line_in_its_color_and_its_last_accuracy(self) -> None:
        rows = {"cnn": aligned(0.8), "lenet": {**aligned(0.7), "stroke": NO_INTERVAL}, "mlp": {}}
        figure = draw("alignment_ablation", rows)
        first, second = [line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) > 1]
        assert [first.get_color(), second.get_color()] == [network_color("cnn"), network_color("lenet")]
        np.testing.assert_allclose(np.asarray(first.get_ydata()), [80, 82, 84, 86, 88, 90])
        np.testing.assert_allclose(np.asarray(second.get_ydata()), [70, 72, 74, 76, 78])
        assert {*ALIGNMENTS, "cnn  90.00", "lenet  78.00"} <= set(texts(figure))
        assert not any("mlp" in text for text in texts(figure))
        deskewed = "trained on deskewed digits"
        assert deskewed in " ".join(" ".join(texts(figure)).split())
        assert deskewed not in " ".join(
            " ".join(texts(draw("alignment_ablation", {"cnn": {"box": around(0.8)}}))).split()
        )

    def test_names_are_in_the_order_of_the_ends_of_their_lines(self) -> None:
        figure = draw("alignment_ablation", {name: aligned(0.8 + 0.0001 * i) for i, name in enumerate(MODELS)})
        names = [text for text in figure.axes[0].texts if text.get_text()]
        names.sort(key=lambda text: text.get_position()[1])
        assert [text.get_text().split()[0] for text in names] == list(MODELS)


class TestAdaptation:
    def test_gains_are_grouped_by_network_and_losses_dotted(self) -> None:
        figure = draw("adaptation_gains", [*gains("cnn"), *gains("mlp")])
        said = texts(figure)
        assert said.count(f"90.00 {ARROW} 91.00, +1.00  [90.00, 92.00]") == 2
        assert said.count(f"90.00 {ARROW} 88.00, {MINUS}2.00  [87.00, 89.00]") == 2
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels == ["cnn", "AdaBN", "TENT", "SHOT", "mlp", "AdaBN", "TENT", "SHOT"]
        lines = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.5]
        assert [line.get_linestyle() for line in lines] == ["-", ":", "-"] * 2
        assert [line.get_color() for line in lines[::3]] == [network_color("cnn"), network_color("mlp")]
        np.testing.assert_allclose(np.asarray(lines[1].get_xdata()), [90, 88])

    def test_each_method_has_a_row_of_panels_with_its_first_and_last_values(self) -> None:
        curves = {"TENT": {"entropy": [0.5, nan, 0.25], "share_confident": [0.5, 0.75]}, "SHOT": {"loss": [-1, -2.0]}}
        figure = draw("adaptation_curve", curves)
        arrow = f"{SPACE}{ARROW}{SPACE}"
        assert [axes.get_title(loc="left") for axes in figure.axes] == [
            f"TENT\nentropy: 0.5{arrow}0.25",
            f"TENT\nshare confident: 50{arrow}75{SPACE}%",
            f"SHOT\nloss: {MINUS}1{arrow}{MINUS}2",
        ]
        np.testing.assert_array_equal(np.asarray(figure.axes[1].lines[0].get_xydata()), [(1, 50), (2, 75)])
        assert [axes.get_xlabel() for axes in figure.axes] == ["epoch"] * 3


def test_few_shot_learning_has_mean_band_and_seeds() -> None:
    tuned, scratch = np.array([[0.8, 0.9], [0.9, 1.0]]), np.array([[0.2, 0.4], [nan, nan]])
    figure = draw("few_shot_curves", [5, "all"], tuned, scratch, 0.75)
    axes = figure.axes[0]
    upper, lower = axes.lines[:2]
    np.testing.assert_allclose(np.asarray(upper.get_ydata(), float), [85, 95])
    np.testing.assert_allclose(np.asarray(lower.get_ydata(), float), [30])
    seeds = [np.sort(np.asarray(one.get_offsets())[:, 1]).round().tolist() for one in points(axes)]
    assert seeds == [[80, 90, 90, 100], [20, 40]]
    assert {"5", "all"} <= set(texts(figure))
    assert any("75.00 %" in text for text in texts(figure))
    assert any("2 seeds" in text for text in texts(figure))


class TestCorruptionHeatmap:
    def test_accuracies_stand_between_the_clean_one_and_the_mean_error(self) -> None:
        rows = {"cnn": {"shot_noise": 0.5, "fog": 0.25}, "mlp": {"fog": 0.125}}
        axes = draw("corruption_heatmap", rows, {"cnn": 0.99}, {"cnn": 0.634, "mlp": 1}).axes[0]
        cells = [text.get_text() for text in axes.texts]
        assert cells == ["99.0", "50.0", "25.0", "63.4", DASH, DASH, "12.5", "100.0"]
        heads = [label.get_text() for label in axes.get_xticklabels()]
        assert heads == ["clean", "shot noise", "fog", "mean error,\n% of baseline"]

    def test_the_mean_error_has_no_part_in_the_colors(self) -> None:
        for error in (0.1, 50.0):
            figure = draw("corruption_heatmap", {"cnn": {"fog": 0.8}}, {"cnn": 1}, {"cnn": error})
            assert shades(figure.axes[0]) == ["#FFFFFF", ORANGE]


def test_a_change_is_colored_by_its_sign_around_none() -> None:
    axes = draw("class_changes", {"cnn": [-0.1, 0.0, 0.05, 0.1, nan] + [0.0] * 5}).axes[0]
    lost, none, gained, most, *_ = shades(axes)
    assert lost == ORANGE
    assert none in {"#FFFFFF", "#FEFEFF", "#FEFFFF"}
    assert none > gained > most
    assert [text.get_text() for text in axes.texts[:5]] == [f"{MINUS}10.0", "0.0", "+5.0", "+10.0", DASH]


class TestPlacedMap:
    def test_the_target_has_full_colors_and_misclassified_digits_are_crosses(self) -> None:
        figure = draw("placed_map", *placed(50, 20, 2))
        source, right, wrong = points(figure.axes[0])
        assert [len(np.asarray(one.get_offsets())) for one in (source, right, wrong)] == [50, 15, 5]
        assert set(in_hex(right.get_facecolor())) <= {group_color(digit) for digit in range(10)}
        assert set(in_hex(source.get_facecolor())).isdisjoint(group_color(digit) for digit in range(10))
        assert np.shape(wrong.get_paths()[0].vertices) != np.shape(right.get_paths()[0].vertices)
        assert {"source (50)", "target, right (15)", "target, misclassified (5)"} <= set(texts(figure))
        assert all(one.get_rasterized() for one in (source, right, wrong))  # 70,000 would be a large file in print

    def test_source_and_target_lie_on_one_map(self) -> None:
        reference, target = np.array([[0, 0], [10, 4]], np.float32), np.array([[20, 8]], np.float32)
        figure = draw("placed_map", reference, np.array([1, 2]), target, np.array([3]), np.array([False]))
        shown = np.concatenate([np.asarray(one.get_offsets()) for one in points(figure.axes[0])])
        np.testing.assert_allclose(shown - shown[0], [[0, 0], [10, 4], [20, 8]])

    def test_positions_of_different_dimensions_are_refused(self) -> None:
        none, in_space = np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
        with pytest.raises(ValueError, match=r"\(0, 3\) and \(0, 2\)"):
            draw("placed_map", in_space, none, in_space[:, :2], none, none.astype(bool))


def test_networks_are_in_the_order_of_their_error_in_every_panel_of_a_shift() -> None:
    rows = {name: {"MMD": mmd, "target error": error} for name, mmd, error in (("mlp", 0.1, 0.3), ("cnn", 0.2, 0.125))}
    rows["vgg"] = {"MMD": 0.3, "target error": nan}
    distances, errors = draw("shift_chart", rows).axes
    assert [label.get_text() for label in distances.get_yticklabels()] == ["cnn", "mlp", "vgg"]
    assert [text.get_text() for text in distances.texts] == ["0.2", "0.1", "0.3"]
    assert [text.get_text() for text in errors.texts] == ["12.50", "30.00", "not measured"]
    assert errors.get_title(loc="left") == "target error in percent"
    for axes in (distances, errors):
        colors = in_hex([patch.get_facecolor() for patch in axes.patches])
        assert colors == [network_color(name) for name in ("cnn", "mlp", "vgg")]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("share_confident", [0.0, 1.0, nan], True),
        ("pseudo_labelled", [0.5], True),
        ("Target error", [0.2], True),
        ("squared error", [1.5], False),
        ("share", [-0.1], False),
        ("entropy", [0.5], False),
    ],
)
def test_shares_are_known_by_their_name_and_range(name: str, values: list[float], expected: bool) -> None:
    assert in_percent(name, values) == expected


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(value, 1) for value in (0.04, -0.04, 0.06, -0.06)] == ["0.0", "0.0", "+0.1", f"{MINUS}0.1"]
