"""The warps agree with SciPy's, and fill the recipe's ranges evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, center_of_mass
from scipy.stats import kstest, pearsonr, uniform

from experiments.datasets import Split
from experiments.models import Recipe
from experiments.training.augmentation import warp
from experiments.training.pipeline import training_batches

Image = NDArray[np.float32]

# A few shapes: some backends compile for each.
SHAPES = st.sampled_from([(2, 1, 1), (2, 1, 6), (2, 5, 8), (2, 12, 7)])
IMAGES = arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32))
AMOUNTS = arrays(np.float32, (4, 2), elements=st.floats(-1, 1, width=32))


def warped(images: Image, amounts: Image, recipe: Recipe) -> Image:
    """Return the images (b, h, w) after their warps."""
    return np.asarray(ops.convert_to_numpy(warp(ops.convert_to_tensor(images[..., None]), amounts, recipe)))[..., 0]


def by_scipy(image: Image, amounts: Image, recipe: Recipe) -> NDArray[np.float64]:
    """Turn, enlarge and then shift by shares of the recipe's ranges."""
    turned, enlarged, down, right = amounts.astype(np.float64) * recipe.augmentation
    angle, scale = np.radians(recipe.rotation) * turned, 1 / (1 + recipe.zoom * enlarged)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = scale * np.array([[cos, sin], [-sin, cos]])  # of (row, column)
    centre = (np.array(image.shape) - 1) / 2
    shift = recipe.shift * np.array([down, right]) * image.shape
    offset = centre - turn @ (centre + shift)
    return np.asarray(affine_transform(image.astype(np.float64), turn, offset, order=1, mode="grid-constant", cval=0))


@given(
    images=IMAGES,
    amounts=AMOUNTS,
    rotation=st.floats(0, 180),
    zoom=st.floats(0, 0.4),
    shift=st.floats(0, 0.9),
    augmentation=st.floats(0, 2),
)
def test_a_warp_is_scipy_s_affine_transform_for_every_image_its_own(
    images: Image, amounts: Image, rotation: float, zoom: float, shift: float, augmentation: float
) -> None:
    recipe = Recipe(rotation=rotation, zoom=zoom, shift=shift, augmentation=augmentation)
    expected = [by_scipy(image, amounts[:, i], recipe) for i, image in enumerate(images)]
    np.testing.assert_allclose(warped(images, amounts, recipe), expected, atol=5e-4)


@pytest.mark.parametrize(
    ("amounts", "place"), [((0, 0, 0.4, 0.2), (3, 3)), ((0, 1, 0, 0), (0, 2)), ((0.5, 0, 0, 0), (2, 1))]
)
def test_each_direction_is_the_one_its_name_says(amounts: tuple[float, ...], place: tuple[int, int]) -> None:
    image = np.zeros((1, 5, 5), np.float32)
    image[0, 1, 2] = 1
    recipe = Recipe(rotation=90, zoom=0.5, shift=0.5, augmentation=2)
    assert warped(image, np.array(amounts, np.float32)[:, None], recipe)[0][place] == pytest.approx(1, abs=1e-5)


def test_ranges_of_zero_leave_images_as_they_are() -> None:
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    np.testing.assert_array_equal(warped(images, np.ones((4, 5), np.float32), Recipe()), images)


REACH = 6  # pixels from the centre to the blob


def places(recipe: Recipe, right: float = 0) -> NDArray[np.float64]:
    """Return (row, column) from the centre of 400 round blobs after the warps of an epoch."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    blob = 255 * np.exp(-(rows**2 + (columns - right) ** 2) / 4)
    split = Split(np.repeat(blob[None].round().astype(np.uint8), 400, axis=0), np.zeros(400, np.int64))
    images, _ = next(iter(training_batches(split, recipe)))
    return np.array([center_of_mass(image) for image in np.asarray(images)[..., 0]]) - 13.5


def assert_uniform(amounts: NDArray[np.float64], limit: float, tolerance: float) -> None:
    """The amounts fill the range of plus and minus `limit` evenly and nothing beyond."""
    assert np.abs(amounts).max() <= limit + tolerance
    assert kstest(amounts, uniform(-limit, 2 * limit).cdf).pvalue > 0.01


def test_shifts_are_uniform_shares_of_height_and_width() -> None:
    moved = places(Recipe(shift=0.2, batch_size=400))
    for direction in moved.T:
        assert_uniform(direction, 0.2 * 28, tolerance=0.05)
    assert abs(pearsonr(*moved.T).statistic) < 0.15


def test_rotations_are_uniform_up_to_the_recipe_s_degrees() -> None:
    turned = places(Recipe(rotation=40, batch_size=400), right=REACH)
    np.testing.assert_allclose(np.hypot(*turned.T), REACH, atol=0.1)
    assert_uniform(np.degrees(np.arctan2(*turned.T)), 40, tolerance=0.5)


def test_zooms_are_uniform_up_to_the_recipe_s_share() -> None:
    scaled = places(Recipe(zoom=0.3, batch_size=400), right=REACH)
    np.testing.assert_allclose(scaled[:, 0], 0, atol=0.05)
    assert_uniform(scaled[:, 1] / REACH - 1, 0.3, tolerance=0.02)
