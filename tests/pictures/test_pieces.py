"""Pieces of ink, specks, and ruled lines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from experiments.pictures.pieces import MIN_AREA, SPECK, find_pieces, without_rules

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30)))


@given(mask=MASKS)
def test_pieces_are_scipy_s_without_specks(mask: NDArray[np.bool_]) -> None:
    pieces, labels = find_pieces(mask)
    wanted, count = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(wanted.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(wanted)
    least = max(SPECK * areas.max(initial=0), MIN_AREA)
    large = [i for i, area in enumerate(areas) if area >= least]
    assert sorted((p.rows.start, p.columns.start, p.height, p.width, p.area) for p in pieces) == sorted(
        (boxes[i][0].start, boxes[i][1].start, *(s.stop - s.start for s in boxes[i]), areas[i]) for i in large
    )
    for piece in pieces:
        inside = labels == piece.label
        assert inside.sum() == piece.area
        assert piece.touches == tuple(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
        assert piece.middle == (piece.rows.start + piece.height / 2, piece.columns.start + piece.width / 2)


def page(height: int = 90, width: int = 80) -> NDArray[np.bool_]:
    """Return a mask with an upright stroke in the middle."""
    mask = np.zeros((height, width), bool)
    mask[15:-15, width // 2 - 4 : width // 2 + 4] = True
    return mask


@pytest.mark.parametrize("tops", [(5,), (80,), (5, 70), (22, 64)])
@pytest.mark.parametrize("thickness", [1, 3])
def test_ruled_lines_are_removed_but_where_they_cross_a_stroke(tops: tuple[int, ...], thickness: int) -> None:
    mask, ink = page(), page()
    for top in tops:
        mask[top : top + thickness] = True
    cleaned = without_rules(mask)
    assert (ink & ~cleaned).sum() == 0
    assert (cleaned & ~ink).sum() <= 4 * len(tops) * thickness
    np.testing.assert_array_equal(without_rules(page()), page())
    np.testing.assert_array_equal(without_rules(without_rules(mask).T).T, cleaned)


@pytest.mark.parametrize("width", [30, 80])
def test_the_bar_of_a_tight_seven_and_a_thick_bar_are_no_ruled_lines(width: int) -> None:
    seven = np.zeros((80, width), bool)
    seven[:6] = seven[:, -6:] = True
    thick = page()
    thick[5:25] = True
    for mask in (seven, thick, np.ones((20, 20), bool), np.zeros((20, 20), bool)):
        np.testing.assert_array_equal(without_rules(mask), mask)
