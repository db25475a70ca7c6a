"""Figures of datasets, trainings and evaluations show their numbers."""

import re
from typing import Any

import numpy as np
import pytest
from examples import CALIBRATION, CONFUSION, COSTS, FEW_MISTAKES, history
from figure_texts import TITLE, cells, draw, in_hex, texts
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from experiments.evaluation import Calibration, calibration, measure
from experiments.models import MODELS
from experiments.reporting.figure_parts.confusion_cells import percentages
from experiments.reporting.figure_parts.style import PALE, RED, network_color
from experiments.reporting.recorded.evaluation import accuracy_interval

DIAGONAL = np.eye(10, dtype=bool)


def bars(axes: Axes, which: int) -> list[Rectangle]:
    """Return the bars of a series."""
    return list([one for one in axes.containers if isinstance(one, BarContainer)][which])


class TestClassDistribution:
    @pytest.mark.parametrize(
        ("splits", "highest"), [(("train",), 2), (("train", "test"), 9), (("train", "validation", "test"), 7000)]
    )
    def test_each_split_has_a_color_a_bar_for_each_digit_and_its_total(
        self, splits: tuple[str, ...], highest: int
    ) -> None:
        counts = {split: np.random.default_rng(len(split)).integers(0, highest, 10, endpoint=True) for split in splits}
        counts["train"][1] = 0
        figure = draw("class_distribution", counts)
        axes = figure.axes[0]
        for series, split in enumerate(splits):
            drawn = bars(axes, series)
            assert [bar.get_height() for bar in drawn] == counts[split].tolist()
            assert set(in_hex([bar.get_facecolor() for bar in drawn])) == {("#0072B2", "#E69F00", "#009E73")[series]}
        assert {f"{split} ({counts[split].sum():,})" for split in splits} <= set(texts(figure))
        assert [text.get_text() for text in axes.texts] == [f"{n:,}" for one in counts.values() for n in one]
        assert all(tick == int(tick) for tick in axes.get_yticks())


class TestTrainingCurves:
    @pytest.mark.parametrize("epochs", [1, 2, 30])
    def test_each_series_is_drawn_against_epochs_from_1_in_the_color_of_its_split(self, epochs: int) -> None:
        record = history(epochs)
        figure = draw("training_curves", record)
        panels = figure.axes
        assert figure.get_suptitle() == (
            f"{TITLE}, 1 epoch in 2 s" if epochs == 1 else f"{TITLE}, {epochs} epochs in {2 * epochs} s"
        )
        assert panels[2].get_ylim()[0] == 0 < panels[2].get_ylim()[1]
        pairs = (("loss", "val_loss"), ("accuracy", "val_accuracy"), ("learning_rate",))
        for axes, names in zip(panels, pairs, strict=True):
            for line, name in zip(axes.lines, names, strict=False):
                np.testing.assert_array_equal(np.asarray(line.get_xydata()).T, [np.arange(1, epochs + 1), record[name]])
            low, high = axes.get_xlim()
            ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
            assert ticks == [int(tick) for tick in ticks] != []
        (training, validation), others = ([line.get_color() for line in axes.lines[:2]] for axes in panels[:2])
        assert [training, validation] == others
        assert training != validation

    def test_the_best_epoch_is_the_first_of_lowest_validation_loss(self) -> None:
        record = {**history(4), "val_loss": [0.5, 0.2, 0.2, 0.3], "val_accuracy": [0.7, 0.91, 0.92, 0.93]}
        panels = draw("training_curves", record).axes[:2]
        for axes, value in zip(panels, ("0.2000", "0.9100"), strict=True):
            assert axes.get_title(loc="left").endswith(f", {value} in validation at epoch 2")
            assert set(np.asarray(axes.lines[2].get_xdata())) == {2}


def mistaken(mistakes: int) -> NDArray[np.int64]:
    """Return the confusion of 1,000 images of each digit, of which `mistakes` are taken for the next one."""
    return (1000 - mistakes) * np.eye(10, dtype=np.int64) + mistakes * np.roll(np.eye(10, dtype=np.int64), 1, axis=1)


def meshes(figure: Figure) -> list[QuadMesh]:
    """Return the cells of the mistakes, and the gray ones."""
    return [mesh for mesh in figure.axes[0].collections if isinstance(mesh, QuadMesh)]


def drawn_values(figure: Figure) -> NDArray[np.float64]:
    values = [np.ma.asarray(mesh.get_array(), np.float64).reshape(10, 10).filled(0) for mesh in meshes(figure)]
    both: NDArray[np.float64] = np.sum(values, axis=0)
    return both


def luminance(color: Any) -> float:
    """Return the relative luminance as WCAG 2.1 defines it."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


class TestConfusionHeatmap:
    def test_each_count_is_in_the_row_of_the_true_and_the_column_of_the_predicted_digit(self) -> None:
        counts = np.zeros((10, 10), np.int64)
        counts[3, 5], counts[5, 3], counts[7, 7] = 12, 1, 1034
        figure = draw("confusion_heatmap", counts, False)
        assert cells(figure) == {(3, 5): "12", (5, 3): "1", (7, 7): "1034"}
        np.testing.assert_array_equal(drawn_values(figure), counts)
        axes = figure.axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted digit", "true digit")
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [label.get_text() for label in labels] == [str(digit) for digit in range(10)]
        scale = draw("confusion_heatmap", mistaken(1), False).axes[-1]
        assert [label.get_text() for label in scale.get_yticklabels()] == ["0", "1"]

    def test_normalized_rows_sum_to_100_percent_and_are_empty_without_images(self) -> None:
        counts = np.random.default_rng(0).integers(1, 500, (10, 10))
        counts[4] = 0
        figure = draw("confusion_heatmap", counts, True)
        found = np.zeros((10, 10))
        for place, text in cells(figure).items():
            found[place] = float(text)
        expected = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        np.testing.assert_allclose(drawn_values(figure), expected)
        np.testing.assert_allclose(found, expected, atol=0.0501)

    @pytest.mark.parametrize("normalize", [False, True])
    def test_a_perfect_model_has_numbers_on_the_diagonal_only(self, normalize: bool) -> None:
        figure = draw("confusion_heatmap", mistaken(0), normalize)
        assert cells(figure) == {(digit, digit): "100.0" if normalize else "1000" for digit in range(10)}

    def test_more_mistakes_are_darker_on_a_scale_without_the_diagonal(self) -> None:
        figure = draw("confusion_heatmap", mistaken(9), False)
        mistakes, hits = meshes(figure)
        assert mistakes.get_clim() == (0, 9)
        np.testing.assert_array_equal(np.ma.getmaskarray(np.ma.asarray(mistakes.get_array())).reshape(10, 10), DIAGONAL)
        shades = [luminance(color[:3]) for color in np.asarray(mistakes.to_rgba(np.arange(10)))]
        assert (np.diff(shades) < 0).all()
        grays = [luminance(color) for color in np.unique(np.asarray(hits.to_rgba(np.arange(1000)))[:, :3], axis=0)]
        assert len(grays) == 1
        ink = luminance(figure.axes[0].texts[0].get_color())
        assert (min(shades + grays) + 0.05) / (ink + 0.05) >= 4.5  # WCAG's level AA


class TestConfusionPanels:
    def test_each_cell_has_its_percentage_in_the_panel_of_its_network(self) -> None:
        matrices = {name: np.roll(CONFUSION, place, axis=1) for place, name in enumerate(list(MODELS)[:6])}
        sheet = draw("confusion_panels", matrices).axes[0]
        found = {
            (int(y), int(x)): float(str(line.get_label()))
            for line in sheet.lines
            for x, y in np.asarray(line.get_xydata())
            if x % 1 == y % 1 == 0.5
        }
        names = {text.get_text(): text.get_position() for text in sheet.texts}
        for name, confusion in matrices.items():
            left, top = int(names[name][0]), round(names[name][1] + 0.25)
            for (row, column), value in np.ndenumerate(percentages(confusion)):
                assert found.get((top + row, left + column), 0) == round(float(f"{value:.1f}"), 1)
        assert len({round(y) for _, y in names.values()}) == 2  # rows of at most four panels

    def test_mistakes_are_colored_on_one_scale_and_the_diagonal_is_gray(self) -> None:
        matrices = {"cnn": FEW_MISTAKES, "mlp": CONFUSION}
        (squares,) = (
            one for one in draw("confusion_panels", matrices).axes[0].collections if isinstance(one, PolyCollection)
        )
        shades = np.array(in_hex(squares.get_facecolor())).reshape(2, 10, 10)
        mistakes = np.stack([percentages(confusion) for confusion in matrices.values()])
        assert set(shades[:, DIAGONAL].ravel()) == {PALE}
        assert set(shades[(mistakes == mistakes[:, ~DIAGONAL].max()) & ~DIAGONAL]) == {RED}
        assert set(shades[(mistakes == 0) & ~DIAGONAL]) == {"#FFFFFF"}


class TestReliability:
    # Five bins: two of 0.4 to 0.6 that are right by half, and two of 0.8 to 1 that are right.
    FOUR = Calibration(
        edges=np.linspace(0, 1, 6),
        counts=np.array([0, 0, 2, 0, 2]),
        confidence=np.array([np.nan, np.nan, 0.6, np.nan, 0.95]),
        accuracy=np.array([np.nan, np.nan, 0.5, np.nan, 1.0]),
        ece=0.075,
        mce=0.1,
    )

    def test_the_diagram_has_accuracy_gap_and_count_of_each_bin_and_both_errors(self) -> None:
        figure = draw("reliability_diagram", self.FOUR)
        upper, lower = figure.axes
        expected: tuple[Any, ...] = ([(0, 0.5), (0, 1)], [(0.5, 0.6), (0.95, 1)])
        for drawn, between in zip((bars(upper, 0), bars(upper, 1)), expected, strict=True):
            ends = [sorted((bar.get_y(), bar.get_y() + bar.get_height())) for bar in drawn]
            np.testing.assert_allclose(ends, between)
            np.testing.assert_allclose([(bar.get_x(), bar.get_width()) for bar in drawn], [(0.4, 0.2), (0.8, 0.2)])
        assert [bar.get_height() for bar in bars(lower, 0)] == [0, 0, 2, 0, 2]
        assert re.findall(r"\S+ %", upper.get_title(loc="left")) == ["7.50 %", "10.00 %"]

    def test_a_certain_and_perfect_model_fills_the_last_bin(self) -> None:
        upper = draw("reliability_diagram", calibration(np.arange(10), np.eye(10))).axes[0]
        assert len(bars(upper, 0)) == 1
        assert re.findall(r"\S+ %", upper.get_title(loc="left")) == ["0.00 %", "0.00 %"]

    def test_panels_have_the_calibration_of_each_network(self) -> None:
        names = ("cnn", "mlp (tuned)")
        figure = draw("reliability_panels", dict.fromkeys(names, CALIBRATION))
        ece, mce = 100 * CALIBRATION.ece, 100 * CALIBRATION.mce
        assert texts(figure).count(f"ECE {ece:.2f} %, MCE {mce:.2f} %") == 2
        assert {*names, f"{CALIBRATION.counts.max():,}"} <= set(texts(figure))
        drawn = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
        filled = CALIBRATION.counts > 0
        gap = np.abs(CALIBRATION.confidence - CALIBRATION.accuracy)
        for series, expected in zip(drawn, (CALIBRATION.accuracy, gap), strict=False):
            heights = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in series.get_paths()]
            np.testing.assert_allclose(heights, expected[filled], atol=1e-9)


def test_the_best_model_is_on_top_with_its_color_accuracy_and_wilson_interval() -> None:
    labels, accuracies = np.arange(200) % 10, {}
    for name, wrong in {"mlp": 20, "cnn": 2, "lenet": 9}.items():
        accuracies[name] = accuracy_interval(measure(labels, np.eye(10)[(labels + (np.arange(200) < wrong)) % 10]))
    figure = draw("model_comparison", accuracies)
    ticks = sorted(figure.axes[0].get_yticklabels(), key=lambda label: -label.get_position()[1])
    assert [tick.get_text() for tick in ticks] == ["cnn", "lenet", "mlp"]
    points = [one for one in figure.axes[0].containers if isinstance(one, ErrorbarContainer)][::-1]
    assert [one.lines[0].get_color() for one in points] == [network_color(name) for name in ("cnn", "lenet", "mlp")]
    # By R 4's binom::binom.wilson(c(198, 180), 200).
    assert {"99.00  [96.43, 99.73]", "90.00  [85.06, 93.43]"} <= set(texts(figure))
    for one, expected in zip(points[::2], [(96.43, 99, 99.73), (85.06, 90, 93.43)], strict=True):
        (start, end), (value,) = one.lines[2][0].get_segments()[0][:, 0], np.asarray(one.lines[0].get_xdata())
        np.testing.assert_allclose((start, value, end), expected, atol=0.005)


def test_learning_curves_have_the_accuracy_of_each_epoch() -> None:
    curves = {"cnn": [0.5, 0.9, 0.95], "mlp": [0.6, 0.8]}
    axes = draw("learning_curves", curves).axes[0]
    for line, (name, values) in zip(axes.lines, curves.items(), strict=True):
        assert line.get_color() == network_color(name)
        expected = [(epoch, 100 * value) for epoch, value in enumerate(values, start=1)]
        np.testing.assert_allclose(np.asarray(line.get_xydata()), expected)


def test_a_trade_off_has_a_point_and_an_interval_for_each_network() -> None:
    axes = draw("trade_off", COSTS, "parameters").axes[0]
    points = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    for point, (name, one) in zip(points, COSTS.items(), strict=True):
        assert point.lines[0].get_color() == network_color(name)
        np.testing.assert_allclose(np.asarray(point.lines[0].get_xydata()), [(one.cost, 100 * one.accuracy)])
        np.testing.assert_allclose(point.lines[2][0].get_segments()[0][:, 1], [100 * one.low, 100 * one.high])
