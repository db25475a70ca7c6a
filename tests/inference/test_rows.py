"""Rows of printed digits are read from pictures of any color, size and slant."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from printed_digits import TemplateNetwork, printed_digits

from benchmarks.synthetic_rows import RowStyle, synthetic_rows
from experiments.errors import UsageError
from experiments.inference.annotation import annotate_rows
from experiments.inference.rows import Prices, build_lattices, read_rows
from experiments.pictures.lines import find_rows

EVEN = RowStyle(touching=0.0, slant=0.0, jitter=0.02, slope=0.02, heights=(36, 60))


def strings(picture: NDArray[np.uint8], length: int | None = None) -> list[str]:
    return [reading.string for reading in read_rows(picture, TemplateNetwork(), length)]


def test_rows_with_their_boxes() -> None:
    right = 0
    for seed in range(10):
        row = synthetic_rows(printed_digits(), EVEN, seed)
        (reading,) = read_rows(row.picture, TemplateNetwork())
        right += reading.string == row.strings[0]
        assert 0 < reading.probability <= min(digit.probability for digit in reading.digits) + 1e-9
        assert "".join(str(digit.digit) for digit in reading.digits) == reading.string
        np.testing.assert_allclose([digit.box for digit in reading.digits], row.boxes[0], atol=4)
    assert right >= 9


def test_digits_that_touch() -> None:
    style = RowStyle(touching=1.0, slant=0.0, jitter=0.02, slope=0.0, heights=(40, 60), plain=True)
    rows = [synthetic_rows(printed_digits(), style, seed) for seed in range(6)]
    read = [strings(row.picture, 5) for row in rows]
    assert sum(row.touching for row in rows) >= 10
    assert [len(found) for found in read] == [1] * 6
    digits = [
        a == b for row, (found,) in zip(rows, read, strict=True) for a, b in zip(row.strings[0], found, strict=True)
    ]
    assert np.mean(digits) >= 0.7


def test_several_lines_and_groups() -> None:
    style = RowStyle(lines=3, touching=0.0, groups=True, slant=0.0, jitter=0.02, slope=0.02, heights=(36, 60))
    page = synthetic_rows(printed_digits(), style, 1)
    assert strings(page.picture) == list(page.strings)
    network = TemplateNetwork()
    read_rows(page.picture, network)
    assert len(network.batches) == 1


def test_polarity_and_size() -> None:
    row = synthetic_rows(printed_digits(), EVEN, 2)
    pictures = [255 - row.picture]
    for factor in (0.6, 3):
        size = (round(row.picture.shape[1] * factor), round(row.picture.shape[0] * factor))
        pictures.append(np.asarray(Image.fromarray(row.picture).resize(size, Image.Resampling.LANCZOS)))
    assert [strings(picture) for picture in pictures] == [list(row.strings)] * 3


@pytest.mark.parametrize("length", [2, 4, 5, 6])
def test_known_length(length: int) -> None:
    row = synthetic_rows(printed_digits(), EVEN, 0)
    for reading in read_rows(row.picture, TemplateNetwork(), length):
        assert len(reading.string) == len(reading.digits) == length
    assert (strings(row.picture, length) == list(row.strings)) == (length == 5)


def test_a_length_below_one() -> None:
    with pytest.raises(UsageError, match="at least 1, received 0"):
        read_rows(np.zeros((40, 40, 3), np.uint8), TemplateNetwork(), 0)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (60, 200)])
def test_blank(shape: tuple[int, int], level: int) -> None:
    assert read_rows(np.full((*shape, 3), level, np.uint8), TemplateNetwork()) == []


def test_annotation_shows_picture_and_lines() -> None:
    page = synthetic_rows(printed_digits(), RowStyle(lines=2, touching=0.5), 3)
    lattices = build_lattices(find_rows(page.picture), TemplateNetwork(), Prices())
    annotated = annotate_rows(page.picture, lattices)
    assert annotated.dtype == np.uint8
    assert annotated.shape[0] > page.picture.shape[0]
    assert annotated.shape[1] >= page.picture.shape[1]
    blank = np.full((40, 50, 3), 255, np.uint8)
    assert annotate_rows(blank, []).shape[2] == 3
