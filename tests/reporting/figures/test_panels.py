"""Panels show the numbers of each network, as single figures do."""

import numpy as np
from examples import BAD_CONFUSION, CALIBRATION, GOOD_CONFUSION, SHORT
from figure_texts import texts
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.models import MODELS
from experiments.reporting.figure_parts.confusion_cells import percentages
from experiments.reporting.figure_parts.style import PALE, RED
from experiments.reporting.figures.confusion_panels import confusion_panels
from experiments.reporting.figures.reliability_panels import reliability_panels

DIAGONAL = np.eye(10, dtype=bool)


def numbers(figure: Figure) -> dict[tuple[int, int], float]:
    """Return the percentage in each cell of a sheet that has one, by row and column."""
    cells = {}
    for line in figure.axes[0].lines:
        for x, y in np.asarray(line.get_xydata()):
            if x % 1 == y % 1 == 0.5:
                cells[int(y), int(x)] = float(str(line.get_label()))
    return cells


def colors(figure: Figure) -> NDArray[np.str_]:
    """Return the colors of the cells of all panels, (n, 10, 10)."""
    (cells,) = (one for one in figure.axes[0].collections if isinstance(one, PolyCollection))
    return np.array([to_hex(color).upper() for color in np.asarray(cells.get_facecolor())]).reshape(-1, 10, 10)


def test_each_cell_has_its_percentage_in_the_panel_of_its_network() -> None:
    matrices = {name: np.roll(BAD_CONFUSION, place, axis=1) for place, name in enumerate(list(MODELS)[:6])}
    figure = confusion_panels(matrices, SHORT)
    found = numbers(figure)
    names = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    for name, confusion in matrices.items():
        left, top = int(names[name][0]), round(names[name][1] + 0.25)
        for (row, column), value in np.ndenumerate(percentages(confusion)):
            assert found.get((top + row, left + column), 0) == round(float(f"{value:.1f}"), 1)
    assert len({round(y) for _, y in names.values()}) == 2  # rows of at most four panels


def test_mistakes_are_colored_on_one_scale_and_the_diagonal_is_gray() -> None:
    shades = colors(confusion_panels({"cnn": GOOD_CONFUSION, "mlp": BAD_CONFUSION}, SHORT))
    mistakes = np.stack([percentages(confusion) for confusion in (GOOD_CONFUSION, BAD_CONFUSION)])
    assert set(shades[:, DIAGONAL].ravel()) == {PALE}
    highest = mistakes[:, ~DIAGONAL].max()
    assert set(shades[(mistakes == highest) & ~DIAGONAL]) == {RED}
    assert set(shades[(mistakes == 0) & ~DIAGONAL]) == {"#FFFFFF"}


def test_each_network_has_its_calibration() -> None:
    names = ("cnn", "mlp (tuned)")
    figure = reliability_panels(dict.fromkeys(names, CALIBRATION), SHORT)
    ece, mce = 100 * CALIBRATION.ece, 100 * CALIBRATION.mce
    assert texts(figure).count(f"ECE {ece:.2f} %, MCE {mce:.2f} %") == 2
    assert {*names, f"{CALIBRATION.counts.max():,}"} <= set(texts(figure))
    bars = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    filled = CALIBRATION.counts > 0
    accuracy = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in bars[0].get_paths()]
    np.testing.assert_allclose(accuracy, CALIBRATION.accuracy[filled], atol=1e-9)
    gap = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in bars[1].get_paths()]
    np.testing.assert_allclose(gap, np.abs(CALIBRATION.confidence - CALIBRATION.accuracy)[filled], atol=1e-9)
