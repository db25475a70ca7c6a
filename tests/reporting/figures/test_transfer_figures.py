"""Figures of a transfer show its numbers, whatever is missing from them, and can be read."""

import io
import time
from math import nan

import numpy as np
import pytest
from examples import ALIGNMENTS, NO_INTERVAL, SHORT, accuracies, aligned, around, gains, placed
from figure_texts import texts
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from experiments.models import MODELS
from experiments.reporting.figure_parts.layout import in_percent, signed
from experiments.reporting.figure_parts.style import ORANGE, group_color, network_color
from experiments.reporting.figures import FIGURES
from experiments.reporting.figures.adaptation_curve import adaptation_curve
from experiments.reporting.figures.adaptation_gains import adaptation_gains
from experiments.reporting.figures.alignment_ablation import alignment_ablation
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.corruption_heatmap import corruption_heatmap
from experiments.reporting.figures.few_shot_curves import few_shot_curves
from experiments.reporting.figures.placed_map import placed_map
from experiments.reporting.figures.shift_chart import shift_chart
from experiments.reporting.figures.transfer_matrix import transfer_matrix

PAIR = accuracies("cnn on mnist", "lenet on usps")


def shades(axes: Axes) -> list[str]:
    """Return the colors of the cells, row by row, without those that have no value."""
    axes.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    return [to_hex(color).upper() for color in mesh.get_facecolors() if color[3]]  # type: ignore[attr-defined]


def test_the_matrix_writes_accuracy_and_interval_and_says_what_is_missing() -> None:
    rows = {"cnn on mnist": {"mnist": (0.9951, 0.9935, 0.9963), "usps": (0.5, 0.48, 0.52)}, "mlp on usps": {}}
    said = texts(transfer_matrix(rows, SHORT))
    assert {"99.51", "[99.35, 99.63]", "50.00", "[48.00, 52.00]", "cnn on mnist", "mlp on usps"} <= set(said)
    assert said.count("not tested") == 2
    assert said.index("mnist") < said.index("usps")


def test_the_matrix_frames_a_networks_own_source() -> None:
    figure = transfer_matrix(PAIR, SHORT)
    frames = [one.get_xy() for one in figure.axes[0].patches if isinstance(one, Rectangle) and not one.get_fill()]
    assert frames == [(0, 0), (1, 1)]
    assert "framed" in "".join(texts(figure))
    assert "framed" not in "".join(texts(transfer_matrix({"cnn": PAIR["cnn on mnist"]}, SHORT)))


def test_a_lower_accuracy_has_a_deeper_color() -> None:
    rows = {"cnn": {"mnist": around(1.0), "usps": around(0.9), "uci": around(0.4)}}
    white, pale, deep = shades(transfer_matrix(rows, SHORT).axes[0])
    assert (white, deep) == ("#FFFFFF", ORANGE)
    assert deep < pale < white


def test_a_ladder_is_drawn_in_its_networks_color_and_named_at_its_end() -> None:
    figure = alignment_ablation({"cnn": aligned(0.8), "lenet": aligned(0.7)}, SHORT)
    lines = [line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) == len(ALIGNMENTS)]
    assert [line.get_color() for line in lines] == [network_color("cnn"), network_color("lenet")]
    np.testing.assert_allclose(np.asarray(lines[0].get_ydata()), [80, 82, 84, 86, 88, 90])
    assert {*ALIGNMENTS, "cnn  90.00", "lenet  80.00"} <= set(texts(figure))


def test_ladders_show_the_rungs_that_were_climbed() -> None:
    figure = alignment_ablation({"cnn": {**aligned(0.8), "stroke": NO_INTERVAL}, "mlp": {}}, SHORT)
    assert "cnn  88.00" in texts(figure)
    assert not any("mlp" in text for text in texts(figure))


@pytest.mark.parametrize("trained_anew", [True, False])
def test_a_ladder_tells_of_another_network_only_where_there_is_one(trained_anew: bool) -> None:
    rungs = {rung: around(0.8) for rung in ALIGNMENTS if rung != "deskew" or trained_anew}
    shown = " ".join(" ".join(texts(alignment_ablation({"cnn": rungs}, SHORT))).split())
    assert ("trained on deskewed digits" in shown) is trained_anew


def test_names_at_the_ends_of_lines_are_apart_in_the_order_of_the_lines() -> None:
    names = {name: aligned(0.8 + 0.0001 * place) for place, name in enumerate(MODELS)}
    figure = alignment_ablation(names, SHORT)
    drawn = [text for text in figure.axes[0].texts if text.get_text()]
    ordered = sorted(drawn, key=lambda text: text.get_position()[1])
    assert [text.get_text().split()[0] for text in ordered] == list(MODELS)


def test_gains_are_written_with_their_sign_grouped_by_network() -> None:
    figure = adaptation_gains([*gains("cnn"), *gains("mlp")], SHORT)
    arrow, minus = "\N{RIGHTWARDS ARROW}", "\N{MINUS SIGN}"
    said = texts(figure)
    assert said.count(f"90.00 {arrow} 91.00, +1.00  [90.00, 92.00]") == 2
    assert said.count(f"90.00 {arrow} 88.00, {minus}2.00  [87.00, 89.00]") == 2
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["cnn", "AdaBN", "TENT", "SHOT", "mlp", "AdaBN", "TENT", "SHOT"]


def test_only_a_loss_is_dotted() -> None:
    lines = adaptation_gains(gains("cnn"), SHORT).axes[0].lines
    assert [line.get_linestyle() for line in lines if line.get_linewidth() == 2.5] == ["-", ":", "-"]


def test_each_method_has_a_row_of_panels_that_say_where_it_began_and_ended() -> None:
    figure = adaptation_curve(
        {"TENT": {"entropy": [0.5, nan, 0.25], "share_confident": [0.5, 0.75]}, "SHOT": {"loss": [-1, -2.0]}}, SHORT
    )
    arrow = "\N{NO-BREAK SPACE}\N{RIGHTWARDS ARROW}\N{NO-BREAK SPACE}"
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        f"TENT\nentropy: 0.5{arrow}0.25",
        f"TENT\nshare confident: 50{arrow}75\N{NO-BREAK SPACE}%",
        f"SHOT\nloss: \N{MINUS SIGN}1{arrow}\N{MINUS SIGN}2",
    ]
    np.testing.assert_array_equal(np.asarray(figure.axes[1].lines[0].get_ydata()), [50, 75])
    assert [axes.get_xlabel() for axes in figure.axes] == ["epoch"] * 3


def test_shots_show_mean_band_and_seeds() -> None:
    tuned, scratch = np.array([[0.8, 0.9], [0.9, 1.0]]), np.array([[0.2, 0.4], [nan, nan]])
    figure = few_shot_curves([5, "all"], tuned, scratch, 0.75, SHORT)
    axes = figure.axes[0]
    upper, lower = axes.lines[:2]
    np.testing.assert_allclose(np.asarray(upper.get_ydata(), float), [85, 95])
    np.testing.assert_allclose(np.asarray(lower.get_ydata(), float), [30])
    dots = [one for one in axes.collections if isinstance(one, PathCollection)]
    assert [np.sort(np.asarray(one.get_offsets())[:, 1]).round().tolist() for one in dots] == [
        [80, 90, 90, 100],
        [20, 40],
    ]
    assert {"5", "all", "no labeled digits: 75.00 %"} <= set(texts(figure))
    assert any("mean of 2 seeds" in text and "lowest to the highest" in text for text in texts(figure))


def test_corrupted_accuracies_stand_between_the_clean_one_and_the_mean_error() -> None:
    rows = {"cnn": {"shot_noise": 0.5, "fog": 0.25}, "mlp": {"fog": 0.125}}
    figure = corruption_heatmap(rows, {"cnn": 0.99}, {"cnn": 0.634, "mlp": 1}, SHORT)
    dash = "\N{EN DASH}"
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert cells == ["99.0", "50.0", "25.0", "63.4", dash, dash, "12.5", "100.0"]
    heads = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert heads == ["clean", "shot noise", "fog", "mean error,\n% of baseline"]


def test_the_mean_error_has_no_part_in_the_colors() -> None:
    for error in (0.1, 50.0):
        figure = corruption_heatmap({"cnn": {"fog": 0.8}}, {"cnn": 1}, {"cnn": error}, SHORT)
        assert shades(figure.axes[0]) == ["#FFFFFF", ORANGE]


def test_a_change_is_colored_by_its_sign_around_none() -> None:
    figure = class_changes({"cnn": [-0.1, 0.0, 0.05, 0.1, nan] + [0.0] * 5}, SHORT)
    lost, none, gained, most, *_ = shades(figure.axes[0])
    assert lost == ORANGE
    assert none in {"#FFFFFF", "#FEFEFF", "#FEFFFF"}
    assert none > gained > most
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert cells[:5] == ["\N{MINUS SIGN}10.0", "0.0", "+5.0", "+10.0", "\N{EN DASH}"]


def test_the_map_has_the_target_in_full_colors_and_the_misclassified_as_crosses() -> None:
    figure = FIGURES["placed_map"](*placed(50, 20, 2), SHORT)
    source, right, wrong = (one for one in figure.axes[0].collections if isinstance(one, PathCollection))
    assert [len(np.asarray(one.get_offsets())) for one in (source, right, wrong)] == [50, 15, 5]
    assert {to_hex(color).upper() for color in right.get_facecolors()} <= {  # type: ignore[attr-defined]
        group_color(digit) for digit in range(10)
    }
    assert np.shape(wrong.get_paths()[0].vertices) != np.shape(right.get_paths()[0].vertices)
    assert {"source (50)", "target, right (15)", "target, misclassified (5)"} <= set(texts(figure))


def test_source_and_target_lie_on_one_map() -> None:
    reference, target = np.array([[0, 0], [10, 4]], np.float32), np.array([[20, 8]], np.float32)
    figure = placed_map(reference, np.array([1, 2]), target, np.array([3]), np.array([False]), SHORT)
    shown = np.concatenate([np.asarray(one.get_offsets()) for one in figure.axes[0].collections])
    np.testing.assert_allclose(shown - shown[0], [[0, 0], [10, 4], [20, 8]])


def test_positions_of_different_dimensions_are_refused() -> None:
    none, in_space = np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
    with pytest.raises(ValueError, match=r"received \(0, 3\) and \(0, 2\)"):
        placed_map(in_space, none, in_space[:, :2], none, none.astype(bool), SHORT)


def test_a_map_of_all_digits_is_drawn_within_seconds_and_stays_small_in_print() -> None:
    start = time.perf_counter()
    page = io.BytesIO()
    FIGURES["placed_map"](*placed(70_000, 2_007, 3), SHORT).savefig(page, format="pdf")
    assert time.perf_counter() - start < 20
    assert len(page.getvalue()) < 1_500_000


def test_networks_stand_in_the_order_of_their_error_in_every_panel() -> None:
    rows = {name: {"MMD": mmd, "target error": error} for name, mmd, error in (("mlp", 0.1, 0.3), ("cnn", 0.2, 0.125))}
    rows["vgg"] = {"MMD": 0.3, "target error": nan}
    figure = shift_chart(rows, SHORT)
    distances, errors = figure.axes
    assert [label.get_text() for label in distances.get_yticklabels()] == ["cnn", "mlp", "vgg"]
    assert [text.get_text() for text in distances.texts] == ["0.2", "0.1", "0.3"]
    assert [text.get_text() for text in errors.texts] == ["12.50", "30.00", "not measured"]
    assert errors.get_title(loc="left") == "target error in percent"
    for axes in figure.axes:
        bars = [to_hex(patch.get_facecolor()).upper() for patch in axes.patches]
        assert bars == [network_color(name) for name in ("cnn", "mlp", "vgg")]


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
    assert [signed(value, 1) for value in (0.04, -0.04, 0.06, -0.06)] == ["0.0", "0.0", "+0.1", "\N{MINUS SIGN}0.1"]
