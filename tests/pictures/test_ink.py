import subprocess
import sys

import numpy as np
import pytest
from picture_writer import stroke

from experiments.errors import DigitsError
from experiments.pictures import light_ink, remove_paper


def test_dark_ink_on_light_paper_is_inverted() -> None:
    np.testing.assert_array_equal(light_ink(255 - stroke(), "seven"), stroke())


def test_light_ink_is_unchanged() -> None:
    np.testing.assert_array_equal(light_ink(stroke(), "seven"), stroke())


@pytest.mark.parametrize("low", [0, 128, 223])
def test_a_picture_without_contrast_is_named(low: int) -> None:
    with pytest.raises(DigitsError, match=rf"^seven\.png shows no ink: .* {low} to {low + 31}$"):
        light_ink(np.where(stroke() > 0, low + 31, low).astype(np.uint8), "seven.png")
    enough = np.where(stroke() > 0, low + 32, low).astype(np.uint8)
    np.testing.assert_array_equal(light_ink(enough, "seven.png"), enough)


def test_paper_becomes_0_and_ink_255() -> None:
    grain = np.random.default_rng(0).integers(-4, 5, stroke().shape)
    ink = np.where(stroke() > 0, 180, 60) + grain
    cleaned = remove_paper(ink.astype(np.uint8))
    assert cleaned.max() == 255
    assert not cleaned[stroke() == 0].any()
    assert cleaned[stroke() > 0].min() >= 225


def test_pictures_need_no_heavy_library() -> None:
    code = "import sys, experiments.pictures; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"tensorflow", "keras", "mlflow", "sklearn", "pandas", "scipy", "skimage", "PIL", "experiments.datasets"}
    assert heavy.isdisjoint(modules.split())
