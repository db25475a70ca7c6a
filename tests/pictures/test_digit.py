"""The digit of a picture becomes a digit of MNIST, whatever is around it."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from picture_writer import Color, likeness, on_paper
from PIL import Image, ImageDraw
from printed_digits import printed_digits

from experiments.datasets.idx import read
from experiments.pictures.digit import DigitPicture, find_digit

Rgb = NDArray[np.uint8]

DIGITS = printed_digits().images
CROPPED = [image[4:24, image.any(axis=0)] for image in DIGITS]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def found(picture: Rgb) -> DigitPicture:
    digit = find_digit(picture)
    assert digit is not None
    return digit


def overlap(box: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the intersection of two boxes (x, y, width, height) over their union."""
    sides = [max(0, min(box[i] + box[i + 2], other[i] + other[i + 2]) - max(box[i], other[i])) for i in (0, 1)]
    common = sides[0] * sides[1]
    return common / (box[2] * box[3] + other[2] * other[3] - common)


@pytest.mark.parametrize("digit", range(10))
def test_any_color_gives_the_same_digit(digit: int) -> None:
    image = DIGITS[digit]
    plain = found(on_paper(image))
    assert likeness(plain.views[0], image) > 0.95
    pens: list[tuple[Color, Color]] = [
        (WHITE, BLACK),
        ((30, 40, 160), (240, 235, 200)),
        ((250, 230, 60), (20, 40, 120)),
    ]
    for color, paper in pens:
        other = found(on_paper(image, color=color, paper=paper))
        assert np.abs(other.views[0].astype(int) - plain.views[0]).max() <= 25
        assert overlap(other.box, plain.box) > 0.9


@pytest.mark.parametrize("side", [20, 28, 60, 120, 121, 300, 1500])
@pytest.mark.parametrize("digit", [0, 1, 4, 5, 7])
def test_any_size_gives_the_same_digit(side: int, digit: int) -> None:
    assert likeness(found(on_paper(DIGITS[digit], side, 0.9)).views[0], DIGITS[digit]) > (0.85 if side < 28 else 0.92)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.3, 0.6), (0.7, 0.35)])
@pytest.mark.parametrize(("side", "size"), [(120, 0.5), (600, 0.5), (1200, 0.12)])
def test_the_box_is_in_pixels_of_the_picture(place: tuple[float, float], side: int, size: float) -> None:
    picture = on_paper(DIGITS[3], side, size, place=place)
    rows, columns = (np.flatnonzero((picture[..., 0] < 128).any(axis=axis)) for axis in (1, 0))
    digit = found(picture)
    left, top, right, bottom = (int(one) for one in (columns[0], rows[0], columns[-1], rows[-1]))
    wanted = left, top, right - left + 1, bottom - top + 1
    assert overlap(digit.box, wanted) > 0.85
    assert likeness(digit.views[0], DIGITS[3]) > 0.95
    assert all(type(number) is int for number in digit.box)
    assert digit.steps["picture"].shape[2] == 3
    np.testing.assert_array_equal(digit.steps["28x28"], digit.views[0])


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("digit", [1, 2, 4, 7, 8])
@pytest.mark.parametrize("side", [110, 330])
def test_ruled_and_squared_paper(squared: bool, digit: int, side: int) -> None:
    page = Image.new("RGB", (side, side), WHITE)
    pen = ImageDraw.Draw(page)
    for place in (0.06, 0.94):
        pen.line([(0, place * side), (side, place * side)], (90, 110, 190), max(2, side // 40))
        if squared:
            pen.line([(place * side, 0), (place * side, side)], (90, 110, 190), max(2, side // 40))
    picture = np.minimum(np.asarray(page), on_paper(DIGITS[digit], side))
    assert likeness(found(picture).views[0], DIGITS[digit]) > 0.93


@pytest.mark.parametrize("digit", [1, 7])
@pytest.mark.parametrize("margin", [0, 1, 6])
def test_a_tight_seven_keeps_its_bar_and_a_lone_one_stays(digit: int, margin: int) -> None:
    tight = np.asarray(Image.fromarray(CROPPED[digit]).resize((60, 100)))
    tight = tight if digit == 7 else np.pad(np.full((100, 8), 255, np.uint8), ((0, 0), (2, 2)))
    dark = np.pad(255 - tight, margin, constant_values=255)
    view = found(dark[..., None].repeat(3, axis=2)).views[0]
    if digit == 7:
        assert likeness(view, DIGITS[7]) > 0.8
    else:
        assert np.ptp(np.flatnonzero(view.any(axis=1))) >= 18
        assert np.ptp(np.flatnonzero(view.any(axis=0))) <= 6


def test_a_digit_in_several_pieces_is_kept_whole() -> None:
    for digit, gap in ((5, slice(9, 10)), (2, slice(14, 15)), (3, slice(12, 13)), (8, slice(14, 15))):
        broken = DIGITS[digit].copy()
        broken[gap] = 0
        whole = found(on_paper(broken, 140))
        assert likeness(whole.views[0], broken) > 0.93


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("digit", [0, 3, 6, 9])
def test_parts_of_neighbors_at_the_edge_are_dropped(side: int, digit: int) -> None:
    alone = on_paper(DIGITS[digit], 120, 0.75)
    beside = on_paper(DIGITS[(digit + 4) % 10], 120, 0.75, place=(0.5 + 0.55 * side, 0.5))
    crowded = found(np.minimum(alone, beside))
    assert overlap(crowded.box, found(alone).box) > 0.9
    assert max(likeness(view, DIGITS[digit]) for view in crowded.views) > 0.93
    assert likeness(crowded.views[int(crowded.prices.argmin())], DIGITS[digit]) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_specks_are_dropped(seed: int) -> None:
    clean = on_paper(DIGITS[4], 120, 0.7)
    dirty, random = clean.copy(), np.random.default_rng(seed)
    for row, column in random.integers(0, 118, (12, 2)):
        if (clean[max(0, row - 4) : row + 6, max(0, column - 4) : column + 6] > 200).all():
            dirty[row : row + 2, column : column + 2] = 60
    assert overlap(found(dirty).box, found(clean).box) > 0.95
    assert likeness(found(dirty).views[0], found(clean).views[0]) > 0.98


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (150, 400)])
def test_a_picture_without_ink_has_no_digit(level: int, shape: tuple[int, int]) -> None:
    assert find_digit(np.full((*shape, 3), level, np.uint8)) is None
    grain = np.random.default_rng(0).normal(level, 6, (*shape, 3))
    assert find_digit(np.clip(grain, 0, 255).astype(np.uint8)) is None


SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))
PICTURES = st.one_of(
    arrays(np.uint8, SHAPES), arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 0, 0, 130, 255]), fill=st.nothing())
)


@settings(max_examples=60)
@given(picture=PICTURES, larger=st.sampled_from([1, 1, 5, 11]))
def test_every_picture_has_a_digit_within_it_or_none(picture: Rgb, larger: int) -> None:
    picture = picture.repeat(larger, axis=0).repeat(larger, axis=1)
    digit = find_digit(picture)
    if digit is not None:
        assert digit.views.dtype == np.uint8
        assert digit.views.shape == (len(digit.prices), 28, 28)
        assert all(one <= next_one for one, next_one in pairwise(digit.prices))
        x, y, width, height = digit.box
        assert min(x, y) >= 0
        assert min(width, height) >= 1
        assert x + width <= picture.shape[1]
        assert y + height <= picture.shape[0]


@pytest.mark.real_data
def test_mnist_s_own_images_stay_as_they_are(data_dir: Path) -> None:
    images = read(data_dir / "mnist" / "t10k-images-idx3-ubyte.gz")[:500]
    alike = [likeness(found(image[..., None].repeat(3, axis=2)).views[0], image) for image in images]
    on_white = [likeness(found(255 - image[..., None].repeat(3, axis=2)).views[0], image) for image in images]
    for likenesses in (alike, on_white):
        assert np.median(likenesses) > 0.999
        assert np.quantile(likenesses, 0.02) > 0.8
