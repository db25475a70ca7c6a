"""A heatmap shows each count where it belongs, and its colors show the mistakes."""

from typing import Any

import numpy as np
import pytest
from figure_texts import texts
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.reporting.figures.confusion_heatmap import confusion_heatmap

DIAGONAL = np.eye(10, dtype=bool)


def confusion(mistakes: int) -> NDArray[np.int64]:
    """Return 1,000 images of each digit, of which `mistakes` are taken for the next one."""
    return (1000 - mistakes) * np.eye(10, dtype=np.int64) + mistakes * np.roll(np.eye(10, dtype=np.int64), 1, axis=1)


def written(figure: Figure) -> dict[tuple[int, int], str]:
    """Return the text in each cell, by row and column, of the cells that have one."""
    places = ((text.get_position(), text.get_text()) for text in figure.axes[0].texts)
    return {(int(y), int(x)): text for (x, y), text in places if text}


def meshes(figure: Figure) -> list[QuadMesh]:
    return [mesh for mesh in figure.axes[0].collections if isinstance(mesh, QuadMesh)]


def values(mesh: QuadMesh) -> np.ma.MaskedArray[Any, Any]:
    """Return the values that a mesh is colored by, masked where it has no cell."""
    return np.ma.asarray(mesh.get_array()).reshape(10, 10)


def drawn(figure: Figure) -> NDArray[np.float64]:
    """Return the values of all cells."""
    mistakes, hits = (values(mesh).filled(0) for mesh in meshes(figure))
    both: NDArray[np.float64] = np.add(mistakes, hits, dtype=np.float64)
    return both


def luminance(color: Any) -> float:
    """Return the relative luminance as WCAG 2.1 defines it."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_each_count_stands_in_the_row_of_the_true_and_the_column_of_the_predicted_digit() -> None:
    counts = np.zeros((10, 10), np.int64)
    counts[3, 5], counts[5, 3], counts[7, 7] = 12, 1, 1034
    figure = confusion_heatmap(counts, False, "mnist")
    assert written(figure) == {(3, 5): "12", (5, 3): "1", (7, 7): "1034"}
    np.testing.assert_array_equal(drawn(figure), counts)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("predicted digit", "true digit")
    assert texts(figure).count("0") >= 2


def test_normalised_rows_sum_to_100_per_cent() -> None:
    counts = np.random.default_rng(0).integers(1, 500, (10, 10))
    figure = confusion_heatmap(counts, True, "mnist")
    np.testing.assert_allclose(drawn(figure), 100 * counts / counts.sum(axis=1, keepdims=True))
    cells = written(figure)
    sums = [sum(float(cells[row, column]) for column in range(10)) for row in range(10)]
    np.testing.assert_allclose(sums, 100, atol=10 * 0.05)


def test_a_digit_that_does_not_occur_has_an_empty_row() -> None:
    counts = confusion(mistakes=5)
    counts[4] = 0
    figure = confusion_heatmap(counts, True, "own")
    assert {row for row, _ in written(figure)} == set(range(10)) - {4}
    assert drawn(figure)[4].tolist() == [0] * 10


@pytest.mark.parametrize("normalise", [False, True])
def test_a_perfect_model_has_numbers_on_the_diagonal_only(normalise: bool) -> None:
    figure = confusion_heatmap(confusion(mistakes=0), normalise, "mnist")
    assert written(figure) == {(digit, digit): "100.0" if normalise else "1000" for digit in range(10)}


def test_the_scale_spans_the_mistakes_and_not_the_diagonal() -> None:
    mistakes, hits = meshes(confusion_heatmap(confusion(mistakes=7), False, "mnist"))
    assert mistakes.get_clim() == (0, 7)
    np.testing.assert_array_equal(np.ma.getmaskarray(values(mistakes)), DIAGONAL)
    assert len(np.unique(np.asarray(hits.to_rgba(np.arange(900, 1000))), axis=0)) == 1


def test_more_mistakes_are_darker() -> None:
    mesh = meshes(confusion_heatmap(confusion(mistakes=9), False, "mnist"))[0]
    shades = [luminance(color[:3]) for color in np.asarray(mesh.to_rgba(np.arange(10)))]
    assert (np.diff(shades) < 0).all()


def test_numbers_stand_out_from_every_shade() -> None:
    figure = confusion_heatmap(confusion(mistakes=9), False, "mnist")
    ink = luminance(figure.axes[0].texts[0].get_color())
    for mesh in meshes(figure):
        for color in np.asarray(mesh.to_rgba(np.linspace(0, 9, 20))):
            assert (luminance(color[:3]) + 0.05) / (ink + 0.05) >= 4.5  # WCAG's level AA


def test_counts_have_a_scale_of_whole_numbers() -> None:
    scale = confusion_heatmap(confusion(mistakes=1), False, "mnist").axes[-1]
    assert [label.get_text() for label in scale.get_yticklabels()] == ["0", "1"]
