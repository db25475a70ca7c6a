"""Ink becomes white on black, whatever the paper."""

import numpy as np
import pytest
from picture_writer import stroke

from experiments.errors import DigitsError
from experiments.pictures import light_ink, remove_paper


def test_dark_ink_on_light_paper_is_inverted() -> None:
    for picture in (stroke(), 255 - stroke()):
        np.testing.assert_array_equal(light_ink(picture, "seven"), stroke())


@pytest.mark.parametrize("low", [0, 128, 223])
def test_a_picture_without_contrast_is_named(low: int) -> None:
    with pytest.raises(DigitsError, match=rf"^seven\.png .* {low} to {low + 31}$"):
        light_ink(np.where(stroke() > 0, low + 31, low).astype(np.uint8), "seven.png")
    enough = np.where(stroke() > 0, low + 32, low).astype(np.uint8)
    np.testing.assert_array_equal(light_ink(enough, "seven.png"), enough)


def test_paper_becomes_0_and_ink_255() -> None:
    grain = np.random.default_rng(0).integers(-4, 5, stroke().shape)
    cleaned = remove_paper((np.where(stroke() > 0, 180, 60) + grain).astype(np.uint8))
    assert cleaned.max() == 255
    assert not cleaned[stroke() == 0].any()
    assert cleaned[stroke() > 0].min() >= 225
