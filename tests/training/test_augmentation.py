"""The warps agree with SciPy's, and stay within the recipe's ranges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, center_of_mass
from scipy.stats import kstest, pearsonr, uniform

from experiments.models import Recipe
from experiments.training.augmentation import AMOUNTS, affine_transforms, warp

Image = NDArray[np.float32]

IMAGES = arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0, 1, width=32))
SEED = (3, 4)


def warped(images: Image, recipe: Recipe, seed: tuple[int, int] = SEED) -> Image:
    """Return the images (b, h, w) after their random warps."""
    amounts = np.random.default_rng(seed).uniform(-1, 1, (AMOUNTS, len(images))).astype(np.float32)
    return np.asarray(ops.convert_to_numpy(warp(ops.convert_to_tensor(images[..., None]), amounts, recipe)))[..., 0]


def resampled(image: Image, angle: float, scale: float, down: float, right: float) -> Image:
    """Apply one known warp as the input pipeline would."""
    height, width = image.shape
    amounts = np.array([[angle], [scale], [down], [right]], np.float32)
    output = ops.image.affine_transform(
        image[None, ..., None],
        affine_transforms(amounts[0], amounts[1], amounts[2], amounts[3], float(height), float(width)),
        fill_mode="constant",
        data_format="channels_last",
    )
    return np.array(ops.convert_to_numpy(output))[0, ..., 0]


@settings(deadline=None)
@given(
    image=IMAGES,
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.3, 3),
    down=st.floats(-8, 8),
    right=st.floats(-8, 8),
)
def test_a_warp_is_scipy_s_affine_transform(
    image: Image, angle: float, scale: float, down: float, right: float
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    turn = scale * np.array([[cos, sin], [-sin, cos]])  # of (row, column)
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - turn @ (centre + np.array([down, right]))
    expected = affine_transform(image.astype(np.float64), turn, offset, order=1, mode="grid-constant", cval=0)
    np.testing.assert_allclose(resampled(image, angle, scale, down, right), expected, atol=2e-4)


def test_each_direction_is_the_one_its_name_says() -> None:
    image = np.zeros((5, 5), np.float32)
    image[1, 2] = 1
    assert resampled(image, 0, 1, 2, 1)[3, 3] == 1
    assert resampled(image, 0, 0.5, 0, 0)[0, 2] == 1
    assert resampled(image, np.pi / 2, 1, 0, 0)[2, 1] == pytest.approx(1, abs=1e-5)


def test_ranges_of_zero_leave_images_as_they_are() -> None:
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    np.testing.assert_array_equal(warped(images, Recipe()), images)


def test_the_same_seed_gives_the_same_warps_and_another_seed_others() -> None:
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    recipe = Recipe(rotation=10, zoom=0.1, shift=0.1)
    np.testing.assert_array_equal(warped(images, recipe), warped(images, recipe))
    for other in ((3, 5), (4, 4)):
        assert (warped(images, recipe) != warped(images, recipe, other)).any(axis=(1, 2)).all()


def test_every_image_has_a_warp_of_its_own() -> None:
    images = np.repeat(np.random.default_rng(0).random((1, 28, 28), np.float32), 50, axis=0)
    results = warped(images, Recipe(rotation=10))
    assert len({result.tobytes() for result in results}) == 50


def test_a_dot_is_shared_among_the_pixels_it_falls_between() -> None:
    dots = np.zeros((20, 28, 28), np.float32)
    dots[:, 14, 14] = 1
    results = warped(dots, Recipe(shift=0.3))
    np.testing.assert_allclose(results.sum(axis=(1, 2)), 1, atol=1e-4)
    assert set(np.count_nonzero(results, axis=(1, 2))) == {4}


def test_what_comes_in_from_outside_is_black() -> None:
    results = warped(np.ones((20, 28, 28), np.float32), Recipe(shift=0.5))
    np.testing.assert_array_equal(results.max(axis=(1, 2)), 1)
    np.testing.assert_array_equal(results.min(axis=(1, 2)), 0)


HEIGHT, WIDTH = 61, 81
REACH = 15  # pixels from the centre to the blob


def blob(down: float = 0, right: float = 0) -> Image:
    """Return 400 equal images of a round blob so far from the centre; its centre of mass tells where it went."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    squares = (rows - (HEIGHT - 1) / 2 - down) ** 2 + (columns - (WIDTH - 1) / 2 - right) ** 2
    return np.repeat(np.exp(-squares / 8)[None].astype(np.float32), 400, axis=0)


def places(images: Image) -> NDArray[np.float64]:
    """Return (row, column) of each blob from the centre."""
    return np.array([center_of_mass(image) for image in images]) - [(HEIGHT - 1) / 2, (WIDTH - 1) / 2]


def assert_uniform(amounts: NDArray[np.float64], limit: float, tolerance: float) -> None:
    """The amounts fill the range of plus and minus `limit` evenly and nothing beyond."""
    assert np.abs(amounts).max() <= limit + tolerance
    assert kstest(amounts, uniform(-limit, 2 * limit).cdf).pvalue > 0.01


@pytest.mark.parametrize("limit", [0.05, 0.2])
def test_shifts_are_uniform_shares_of_height_and_width(limit: float) -> None:
    moved = places(warped(blob(), Recipe(shift=limit)))
    assert_uniform(moved[:, 0], limit * HEIGHT, tolerance=0.05)
    assert_uniform(moved[:, 1], limit * WIDTH, tolerance=0.05)
    assert abs(pearsonr(moved[:, 0], moved[:, 1]).statistic) < 0.15


@pytest.mark.parametrize("limit", [5, 40, 180])
def test_rotations_are_uniform_up_to_the_recipe_s_degrees(limit: float) -> None:
    turned = places(warped(blob(right=REACH), Recipe(rotation=limit)))
    np.testing.assert_allclose(np.hypot(*turned.T), REACH, atol=0.1)
    assert_uniform(np.degrees(np.arctan2(*turned.T)), limit, tolerance=0.3)


@pytest.mark.parametrize("limit", [0.1, 0.5])
def test_zooms_are_uniform_up_to_the_recipe_s_share(limit: float) -> None:
    scaled = places(warped(blob(right=REACH), Recipe(zoom=limit)))
    np.testing.assert_allclose(scaled[:, 0], 0, atol=0.05)
    assert_uniform(scaled[:, 1] / REACH - 1, limit, tolerance=0.01)
