"""Ink and paper are told apart in any color and light."""

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_writer import Color, on_paper
from printed_digits import printed_digits
from skimage.filters import threshold_otsu

from experiments.pictures.ink import find_ink, otsu_threshold

FIVE = printed_digits().images[5]
WRITTEN = on_paper(FIVE)[..., 0] < 128
COLORS: dict[str, tuple[Color, Color]] = {
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "chalk": ((240, 240, 235), (40, 60, 50)),
    "blue on yellowish": ((30, 40, 160), (240, 235, 200)),
    "red on green": ((220, 60, 60), (60, 200, 60)),
    "pencil": ((150, 150, 150), (200, 200, 200)),
    "faint": ((214, 214, 214), (236, 236, 236)),
}


def agreement(mask: NDArray[np.bool_] | None, written: NDArray[np.bool_] = WRITTEN) -> float:
    """Return the intersection of two masks over their union."""
    return 0.0 if mask is None else float((mask & written).sum() / (mask | written).sum())


@pytest.mark.parametrize("name", COLORS)
def test_ink_of_any_color_on_paper_of_any_color(name: str) -> None:
    color, paper = COLORS[name]
    picture = on_paper(FIVE, color=color, paper=paper)
    ink = find_ink(picture)
    assert ink is not None
    assert agreement(ink.mask) > 0.9
    assert ink.strength.dtype == np.float32
    assert np.median(ink.strength[WRITTEN]) > 0.85
    assert np.abs(ink.paper.astype(int) - np.array(paper)).max() <= 8
    assert ink.strength[0].max() < 0.05


rows, columns = np.mgrid[-1:1:120j, -1:1:120j]
LIGHTS = {
    "slope": 0.7 + 0.25 * columns,
    "vignette": 1 - 0.35 * (rows**2 + columns**2) / 2,
    "shadow": 0.8 + 0.2 * np.tanh(6 * (columns + 0.3 * rows)),
}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize(("color", "paper"), [((30, 30, 60), 220.0), ((250, 250, 250), 120.0)])
def test_shadows_and_vignettes_vanish(light: str, color: Color, paper: float) -> None:
    ink = find_ink(on_paper(FIVE, color=color, paper=np.repeat((paper * LIGHTS[light])[..., None], 3, axis=2)))
    assert ink is not None
    assert agreement(ink.mask) > 0.85


@pytest.mark.parametrize(("color", "paper"), [((30, 30, 60), 220.0), ((250, 250, 250), 120.0)])
def test_a_small_digit_on_uneven_paper_is_ink(color: Color, paper: float) -> None:
    page = np.repeat((paper * LIGHTS["slope"])[..., None], 3, axis=2)
    ink = find_ink(on_paper(FIVE, size=0.15, color=color, paper=page))
    assert ink is not None
    assert agreement(ink.mask, on_paper(FIVE, size=0.15)[..., 0] < 128) > 0.6


@pytest.mark.parametrize(("level", "noise"), [(0, 0), (0, 4), (128, 0), (128, 12), (255, 0), (255, 4)])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (120, 90), (3, 400)])
def test_paper_and_noise_are_no_ink(level: int, noise: int, shape: tuple[int, int]) -> None:
    grain = np.random.default_rng(0).normal(0, noise, (*shape, 1))
    picture = np.clip(np.rint(level + grain), 0, 255).astype(np.uint8).repeat(3, axis=2)
    assert find_ink(picture) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_threshold_is_otsu_s(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.concatenate([random.normal(20, 6, 900), random.normal(90, 20, 100 + 200 * seed)]).clip(0.01)
    wanted = threshold_otsu(values, nbins=64)
    assert otsu_threshold(values.astype(np.float32)) == pytest.approx(wanted, abs=2 * values.max() / 64)
    assert otsu_threshold(-values.astype(np.float32)) == 0
