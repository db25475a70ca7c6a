"""A digit that touches its neighbors is among the candidates, and not dear."""

import numpy as np
import pytest
from picture_writer import likeness, on_paper
from printed_digits import printed_digits

from experiments.pictures.crowds import MOST, candidates
from experiments.pictures.digit import find_digit

DIGITS = printed_digits().images
OTHER = DIGITS[3]
SIDE, SIZE = 140, 0.9


@pytest.mark.parametrize("sides", [(-1,), (1,), (-1, 1)])
def test_a_digit_that_touches_its_neighbors_is_among_the_candidates(sides: tuple[int, ...]) -> None:
    cut_out = []
    for digit in DIGITS:
        page = on_paper(digit, SIDE, SIZE)
        apart = sum(np.ptp(np.flatnonzero(image.any(axis=0))) for image in (digit, OTHER)) / 2 / 28 * SIZE
        for side in sides:
            page = np.minimum(page, on_paper(OTHER, SIDE, SIZE, place=(0.5 + side * apart, 0.5)))
        found = find_digit(page)
        assert found is not None
        best = max(range(len(found.views)), key=lambda i: likeness(found.views[i], digit))
        cut_out.append(likeness(found.views[best], digit) > 0.85 and found.prices[best] < 8)
    assert sum(cut_out) >= 8


def test_candidates_are_few_and_the_cheapest_is_first() -> None:
    strength = 255 - on_paper(DIGITS[8], 120)[..., 0]
    strength[50:60] = 255
    views, prices = candidates(strength, 80, DIGITS[8])
    assert views.dtype == np.uint8
    assert views.shape[1:] == (28, 28)
    assert 1 <= len(views) == len(prices) <= MOST
    assert (np.diff(prices) >= 0).all()


def test_without_a_candidate_the_digit_stays_as_it_was() -> None:
    corner = np.zeros((60, 300), np.uint8)
    corner[:6, :6] = 255
    views, prices = candidates(corner, 50, DIGITS[2])
    np.testing.assert_array_equal(views, DIGITS[2:3])
    np.testing.assert_array_equal(prices, [0])
