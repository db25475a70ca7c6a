"""The contract of the corruptions, and each of them as MNIST-C defines it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.stats import poisson
from skimage.feature import canny
from skimage.transform import AffineTransform, warp

from experiments.datasets import Split, load
from experiments.datasets.corruptions import CORRUPTIONS, corrupting
from experiments.datasets.corruptions.blur import GLASS_DRAWS, glass_blur, motion_blur
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.corruptions.corruption import FloatArray
from experiments.datasets.corruptions.weather import FOG_DRAWS, fog
from experiments.errors import UsageError

PUBLISHED = (
    "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate stripe fog spatter "
    "dotted_line zigzag canny_edges"
).split()


def split_of(images: NDArray[np.uint8]) -> Split:
    return Split(np.ascontiguousarray(images), np.arange(len(images)) % 10)


def flat(value: int, n: int = 200) -> Split:
    return split_of(np.full((n, 28, 28), value, np.uint8))


def uniform(n: int, draws: int) -> FloatArray:
    return np.random.default_rng(5).random((n, draws), np.float32)


@pytest.fixture(scope="module")
def digits() -> Split:
    split = load("uci").test.take(range(40))
    split.images.flags.writeable = False
    return split


@pytest.mark.parametrize("name", CORRUPTIONS)
class TestEveryCorruption:
    def test_digits_stay_digits(self, name: str, digits: Split) -> None:
        corrupted = corrupt(digits, name)
        assert corrupted.images.dtype == np.uint8
        assert corrupted.images.shape == digits.images.shape
        np.testing.assert_array_equal(corrupted.labels, digits.labels)
        assert np.all(np.any(corrupted.images != digits.images, axis=(1, 2)))
        assert CORRUPTIONS[name].description

    def test_no_digits_and_flat_ones_are_no_problem(self, name: str, digits: Split) -> None:
        nothing = corrupt(digits.take([]), name)
        assert (nothing.images.shape, nothing.labels.shape) == ((0, 28, 28), (0,))
        for value in (0, 255):
            assert len(corrupt(flat(value, n=3), name)) == 3

    def test_a_seed_decides_unless_nothing_is_drawn(self, name: str, digits: Split) -> None:
        first = corrupt(digits, name, seed=3).images
        np.testing.assert_array_equal(first, corrupt(digits, name, seed=3).images)
        drawn = CORRUPTIONS[name].draws > 0
        assert np.array_equal(first, corrupt(digits, name, seed=4).images) != drawn
        alike = corrupt(split_of(np.repeat(digits.images[:1], 30, axis=0)), name).images
        assert (len(np.unique(alike, axis=0)) > 1) == drawn

    def test_an_image_does_not_depend_on_those_beside_it(
        self, name: str, digits: Split, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        images = corrupt(digits, name).images
        np.testing.assert_array_equal(corrupt(digits.take(range(7)), name).images, images[:7])
        others = digits.images.copy()
        others[np.arange(len(others)) != 11] = 200
        np.testing.assert_array_equal(corrupt(split_of(others), name).images[11], images[11])
        monkeypatch.setattr(corrupting, "BLOCK_NUMBERS", 3 * (784 + CORRUPTIONS[name].draws))
        np.testing.assert_array_equal(corrupt(digits, name).images, images)


def test_they_are_the_published_fifteen() -> None:
    assert list(CORRUPTIONS) == PUBLISHED
    without = {name for name, corruption in CORRUPTIONS.items() if not corruption.draws}
    assert without == {"scale", "brightness", "stripe", "canny_edges"}


def test_an_unknown_corruption_lists_the_known_ones(digits: Split) -> None:
    with pytest.raises(UsageError, match=r"'fogg' \(did you mean fog\?\).* shot_noise, .* canny_edges"):
        corrupt(digits, "fogg")


@pytest.mark.parametrize("value", [0, 26, 64, 128, 255])
def test_shot_noise_counts_photons(value: int) -> None:
    counts = corrupt(flat(value), "shot_noise").images / 85
    assert set(np.unique(counts)) <= ({0, 1, 2, 3} if value else {0})
    mean = value / 255 * 3
    probabilities = np.append(poisson.pmf([0, 1, 2], mean), poisson.sf(2, mean))
    seen = np.bincount(counts.astype(int).ravel(), minlength=4) / counts.size
    np.testing.assert_allclose(seen, probabilities, atol=5e-3)


def test_impulse_noise_strikes_its_share() -> None:
    images = corrupt(flat(128), "impulse_noise").images
    for value, share in ((0, 0.085), (128, 0.83), (255, 0.085)):
        assert np.mean(images == value) == pytest.approx(share, abs=5e-3)


def test_glass_blur_is_the_published_loop(digits: Split) -> None:
    images = digits.as_float()[:3, ..., 0]
    draws = uniform(3, GLASS_DRAWS)
    blurred = glass_blur(images, draws)
    for image, lots, result in zip(images, draws, blurred, strict=True):
        pixels = np.floor(gaussian_filter1d(image, 0.7, axis=0, mode="nearest") * 255)
        order = [(row, column) for _ in range(2) for row in range(27, 1, -1) for column in range(27, 1, -1)]
        for (row, column), lot in zip(order, (lots * 8).astype(int), strict=True):
            if lot >= 4:
                other = (row - lot % 2, column - (lot >> 1) % 2)
                pixels[row, column], pixels[other] = pixels[other], pixels[row, column]
        np.testing.assert_allclose(result, gaussian_filter1d(pixels / 255, 0.7, axis=0, mode="nearest"), atol=1e-6)


def test_motion_blur_is_half_a_gaussian_to_the_left_within_45_degrees(digits: Split) -> None:
    images, draws = digits.as_float()[:5, ..., 0], np.array([[0], [0.3], [0.5], [0.7], [0.99]], np.float32)
    steps = np.arange(21)
    weights = np.exp(-(steps**2) / 18) / np.exp(-(steps**2) / 18).sum()
    for image, draw, result in zip(images, draws, motion_blur(images, draws), strict=True):
        angle = np.radians(90 * draw[0] - 45)
        moves = [np.ceil(steps * part(angle) - 0.5).astype(int) for part in (np.sin, np.cos)]
        padded = np.pad(image, 20, "edge")
        shifted = [padded[20 + down : 48 + down, 20 + right : 48 + right] for down, right in zip(*moves, strict=True)]
        np.testing.assert_allclose(result, np.tensordot(weights, shifted, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "matrices"),
    [
        ("rotate", [[[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0]] for a in (-0.4, 0.4)]),
        ("shear", [[[1, -np.sin(a), 0], [0, np.cos(a), 0]] for a in (-0.4, 0.4)]),
        ("scale", [[[1 / 0.7, 0, 0], [0, 1 / 0.7, 0]]]),
        ("translate", [[[1, 0, across], [0, 1, down]] for across in (-3, 3) for down in (-3, 3)]),
    ],
)
def test_geometry_is_scikit_images_in_each_direction(
    name: str, matrices: list[list[list[float]]], digits: Split
) -> None:
    affine = []
    for matrix in np.array(matrices):
        whole = np.eye(3)
        whole[:2] = matrix
        whole[:2, 2] += 13.5 * (1 - matrix[:, :2].sum(axis=1))  # about the center
        affine.append(AffineTransform(matrix=whole))
    chosen = set()
    for clean, corrupted in zip(digits.images, corrupt(digits, name).images, strict=True):
        errors = [np.abs(corrupted - 255 * warp(clean / 255, transform)).max() for transform in affine]
        assert min(errors) <= 1
        chosen.add(int(np.argmin(errors)))
    assert chosen == set(range(len(matrices)))


def test_brightness_stripe_and_lines_change_each_pixel_by_itself(digits: Split) -> None:
    lighter = corrupt(digits, "brightness").images
    np.testing.assert_allclose(lighter, np.minimum(digits.images + 127.5, 255), atol=0.51)
    outer = (np.arange(28) < 7) | (np.arange(28) >= 21)
    expected = np.where(outer, 255 - digits.images, digits.images)
    np.testing.assert_array_equal(corrupt(digits, "stripe").images, expected)
    for name in ("dotted_line", "zigzag"):
        added = corrupt(flat(0, n=len(digits)), name).images.astype(int)
        np.testing.assert_allclose(corrupt(digits, name).images, np.minimum(digits.images + added, 255), atol=1)


def test_fog_is_three_parts_to_one_part_of_digit() -> None:
    images = np.full((30, 28, 28), 0.2, np.float32)
    images[:, 10:18, 10:18] = 1
    images[15:] /= 2  # the fog of a dim picture is dim
    brightest = images.max(axis=(1, 2), keepdims=True)
    heights = (fog(images, uniform(30, FOG_DRAWS)) * (brightest + 3) / brightest - images) / 3
    assert heights.min() >= -1e-6
    assert heights.max() <= 1 + 1e-6
    # It drifts: what lies near is alike, what lies far less so.
    near, far = (np.abs(heights[:, :, step:] - heights[:, :, :-step]).mean() for step in (1, 20))
    assert near < far / 3
    # There is none without light.
    assert not corrupt(flat(0, n=3), "fog").images.any()


def test_spatter_hides_ink_behind_dark_mud() -> None:
    black, white = (corrupt(flat(value), "spatter").images for value in (0, 255))
    mud = black > 0
    np.testing.assert_array_equal(mud, white < 255)
    assert 0.05 < mud.mean() < 0.5
    assert black.max() == 63
    # At least 0.8 of a splash is mud.
    assert black[mud].min() >= 50
    assert white[mud].max() <= 0.8 * 63 + 0.2 * 255 + 1


def test_a_dotted_line_is_dotted_and_a_line() -> None:
    drawn = corrupt(flat(0), "dotted_line").images
    dots = [column for column in range(27) if column % 4 >= 2]
    assert np.flatnonzero(drawn.any(axis=(0, 1))).tolist() == dots
    rows = drawn.argmax(axis=1)[:, dots]
    # From a straight line the brightest pixel is half a pixel away at most.
    ends = rows[:, :1] + (rows[:, -1:] - rows[:, :1]) * (np.array(dots) - dots[0]) / (dots[-1] - dots[0])
    assert np.abs(rows - ends).max() <= 1.5
    assert np.all(drawn.max(axis=1)[:, dots] > 128)


def test_a_zigzag_turns_at_six_corners() -> None:
    drawn = corrupt(flat(0), "zigzag").images.astype(float)
    assert np.flatnonzero(drawn.any(axis=(0, 1))).tolist() == list(range(2, 26))
    whole = drawn[~drawn[:, [0, -1]].any(axis=(1, 2))][:, :, 2:25]
    assert len(whole) > 50
    height = (whole * np.arange(28)[:, np.newaxis]).sum(axis=1) / whole.sum(axis=1)
    turns = np.count_nonzero(np.diff(np.sign(np.diff(height, axis=1)), axis=1), axis=1)
    # The last corner is so near the end that it does not always show.
    assert set(turns) == {5, 6}


def test_canny_edges_are_scikit_images(digits: Split) -> None:
    edges = corrupt(digits, "canny_edges").images
    assert set(np.unique(edges)) == {0, 255}
    assert np.mean(edges.astype(bool) == [canny(image / 255) for image in digits.images]) > 0.9999


def test_uci_c_is_the_test_split_under_each_corruption() -> None:
    uci, uci_c = load("uci"), load("uci-c")
    assert uci_c.transform == "mnist-procedure+corrupted"
    np.testing.assert_array_equal(uci_c.train.images, uci.train.images)
    n = len(uci.test)
    assert len(uci_c.test) == 15 * n
    for k, name in enumerate(CORRUPTIONS):
        part = uci_c.test.take(range(k * n, (k + 1) * n))
        np.testing.assert_array_equal(part.images, corrupt(uci.test, name).images)
        np.testing.assert_array_equal(part.labels, uci.test.labels)
