"""Runs record the digits of a gallery with their place in the data."""

import numpy as np

from experiments.analysis.digits import AnalyzedDigits
from experiments.analysis.duplicates import Duplicates
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.digit_images import DigitImages
from experiments.reporting.recorded.analysis import duplicates_drawing, outliers_drawing

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)

# Three digits of the training split and two of the test split.
DIGITS = AnalyzedDigits(IMAGES, np.array([7, 8, 9, 4, 5]), np.array([100, 200, 300, 10, 20]), 3)


def expect(digits: DigitImages, names: list[str], places: list[int]) -> None:
    assert list(digits.names()) == names
    np.testing.assert_array_equal(digits.images, IMAGES[places])


def test_outliers_come_in_the_order_of_their_scores() -> None:
    drawing = outliers_drawing(DIGITS, np.array([0.5, 3.0, -1.0, 4.0, 0.0]), "")
    data = Drawing.from_npz(drawing.to_npz()).data
    names = ["test 10 (4)", "train 200 (8)", "train 100 (7)", "test 20 (5)", "train 300 (9)"]
    expect(data["digits"], names, [3, 1, 0, 4, 2])
    assert data["scores"].tolist() == [4.0, 3.0, 0.5, 0.0, -1.0]


def test_duplicates_are_counted_within_their_splits() -> None:
    distances = np.array([0.25, 0.5], np.float32)
    pairs = Duplicates(np.array([1, 0]), np.array([0, 2]), distances, 0.5, 2.0, np.array([True, True]))
    data = Drawing.from_npz(duplicates_drawing(DIGITS, pairs, "").to_npz()).data
    expect(data["left"], ["test 20 (5)", "test 10 (4)"], [4, 3])
    expect(data["right"], ["train 100 (7)", "train 300 (9)"], [0, 2])
    assert data["distances"].tolist() == [0.25, 0.5]
