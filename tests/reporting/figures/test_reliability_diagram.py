"""The reliability diagram draws the bins of a calibration and says its errors."""

import numpy as np
from figure_texts import texts
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from numpy.typing import NDArray

from experiments.evaluation import Calibration, calibration
from experiments.reporting.figures.reliability_diagram import reliability_diagram

# Five bins: two of 0.4 to 0.6 that are right by half, and two of 0.8 to 1 that are right.
EXAMPLE = Calibration(
    edges=np.linspace(0, 1, 6),
    counts=np.array([0, 0, 2, 0, 2]),
    confidence=np.array([np.nan, np.nan, 0.6, np.nan, 0.95]),
    accuracy=np.array([np.nan, np.nan, 0.5, np.nan, 1.0]),
    ece=0.075,
    mce=0.1,
)


def bars(axes: Axes, which: int) -> NDArray[np.float64]:
    """Return left edge, width, lower and upper end of each bar of a series."""
    series = [one for one in axes.containers if isinstance(one, BarContainer)][which]
    return np.array([(bar.get_x(), bar.get_width(), *sorted((bar.get_y(), bar.get_y() + bar.get_height())))
                     for bar in series])  # fmt: skip


def test_a_bar_shows_the_accuracy_of_each_bin_that_is_not_empty() -> None:
    upper = reliability_diagram(EXAMPLE, "mnist").axes[0]
    np.testing.assert_allclose(bars(upper, 0), [(0.4, 0.2, 0, 0.5), (0.8, 0.2, 0, 1)])


def test_the_gap_lies_between_accuracy_and_mean_confidence() -> None:
    upper = reliability_diagram(EXAMPLE, "mnist").axes[0]
    np.testing.assert_allclose(bars(upper, 1), [(0.4, 0.2, 0.5, 0.6), (0.8, 0.2, 0.95, 1)])


def test_the_lower_panel_counts_predictions() -> None:
    lower = reliability_diagram(EXAMPLE, "mnist").axes[1]
    assert bars(lower, 0)[:, 3].tolist() == EXAMPLE.counts.tolist()


def test_both_calibration_errors_are_said() -> None:
    assert "expected calibration error 7.50 %, maximum 10.00 %" in texts(reliability_diagram(EXAMPLE, "mnist"))


def test_a_certain_and_perfect_model_fills_the_last_bin() -> None:
    figure = reliability_diagram(calibration(np.arange(10), np.eye(10)), "mnist")
    assert len(bars(figure.axes[0], 0)) == 1
    assert "expected calibration error 0.00 %, maximum 0.00 %" in texts(figure)
