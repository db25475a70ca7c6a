"""The contract of the effects, and what each of them does."""

import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray
from printed_digits import printed_digits
from scipy import ndimage

from experiments.errors import UsageError
from experiments.training.effects import EFFECTS, PictureEffect, apply_effects, effects_of, numbers_of
from experiments.training.effects.warp import ANGLE, ASPECT, SHEAR, SHIFT, SIZE

Images = NDArray[np.float32]

DIGITS: Images = printed_digits().as_float()
COUNT = len(DIGITS)


def changed(name: str, numbers: NDArray[np.floating], images: Images = DIGITS) -> Images:
    return np.asarray(ops.convert_to_numpy(EFFECTS[name].apply(images, numbers.astype(np.float32))))


def drawn(name: str, seed: int = 0, count: int = COUNT) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, (count, EFFECTS[name].numbers)).astype(np.float32)


def only(name: str, **numbers: float) -> NDArray[np.float32]:
    """Return the same numbers for all digits, ``n0=0.5`` for the first one; 0 for those not given."""
    row = np.zeros(EFFECTS[name].numbers, np.float32)
    for key, number in numbers.items():
        row[int(key[1:])] = number
    return np.tile(row, (COUNT, 1))


@pytest.mark.parametrize("name", EFFECTS)
class TestEveryEffect:
    def test_numbers_of_zero_leave_images_as_they_are(self, name: str) -> None:
        np.testing.assert_allclose(changed(name, np.zeros_like(drawn(name))), DIGITS, atol=1e-5)

    @pytest.mark.parametrize("seed", range(3))
    def test_images_keep_shape_and_range(self, name: str, seed: int) -> None:
        flat = np.stack([np.full((28, 28, 1), level, np.float32) for level in (0, 0.5, 1)])
        extremes = np.sign(drawn(name, seed))
        for images, numbers in ((DIGITS, drawn(name, seed)), (DIGITS, extremes), (flat, drawn(name, seed, 3))):
            after = changed(name, numbers, images)
            assert after.dtype == np.float32
            assert after.shape == images.shape
            assert after.min() >= -1e-6
            assert after.max() <= 1 + 1e-5

    def test_each_image_is_changed_by_its_own_numbers(self, name: str) -> None:
        order = np.random.default_rng(1).permutation(COUNT)
        after = changed(name, drawn(name))
        np.testing.assert_array_equal(changed(name, drawn(name)), after)
        if name != "neighbors":  # parts of other images of the batch
            permuted = changed(name, drawn(name)[order], DIGITS[order])
            np.testing.assert_allclose(permuted, after[order], atol=1e-5)

    def test_it_changes_some_images_but_does_not_hide_the_digit(self, name: str) -> None:
        after = np.concatenate([changed(name, drawn(name, seed)) for seed in range(10)])
        before = np.tile(DIGITS, (10, 1, 1, 1))
        moved = np.abs(after - before).max(axis=(1, 2, 3)) > 0.05
        assert 0.1 < moved.mean() <= 1
        alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(after, before, strict=True)]
        assert np.median(alike) > 0.4
        assert EFFECTS[name].summary


@pytest.mark.parametrize("seed", range(3))
def test_a_warp_without_bends_is_scipy_s_affine_map(seed: int) -> None:
    numbers = drawn("warp", seed)
    numbers[:, 6] = 0
    numbers[:, :6] *= 0.8
    middle = np.array([13.5, 13.5])
    for image, after, own in zip(DIGITS, changed("warp", numbers), numbers.astype(float), strict=True):
        angle, shear, size, aspect, down, right = own[:6]
        cos, sin = np.cos(ANGLE * angle), np.sin(ANGLE * angle)
        scale = np.diag(np.exp([SIZE * size + ASPECT * aspect / 2, SIZE * size - ASPECT * aspect / 2]))
        inverse = scale @ np.array([[1, 0], [SHEAR * shear, 1]]) @ np.array([[cos, -sin], [sin, cos]])
        offset = middle - inverse @ (middle + SHIFT * np.array([down, right]))
        wanted = ndimage.affine_transform(
            image[..., 0].astype(float), inverse, offset, order=1, mode="grid-constant", cval=0
        )
        np.testing.assert_allclose(after[..., 0], wanted, atol=1e-3)


def test_bends_move_ink_by_a_few_pixels() -> None:
    numbers = drawn("warp")
    numbers[:, :6] = 0
    bent = changed("warp", numbers)
    assert np.median(np.abs(bent - DIGITS).max(axis=(1, 2, 3))) > 0.3
    places = np.array([[ndimage.center_of_mass(image[..., 0]) for image in images] for images in (bent, DIGITS)])
    assert np.abs(places[0] - places[1]).max() < 3


def test_strokes_grow_and_shrink_and_stay_full() -> None:
    areas = [changed("stroke", only("stroke", n0=amount)).sum(axis=(1, 2, 3)) for amount in (-1, -0.4, 0, 0.4, 1)]
    assert (np.diff(areas, axis=0) > 0).all()
    for amount in (-1, 1):
        np.testing.assert_allclose(
            changed("stroke", only("stroke", n0=amount)).max(axis=(1, 2, 3)), DIGITS.max(axis=(1, 2, 3))
        )


@pytest.mark.parametrize(("direction", "axis"), [(-1, 1), (1, 0)])
def test_lines_are_straight_and_go_through_the_picture(direction: int, axis: int) -> None:
    numbers = only("lines", n0=1, n1=0.5, n3=-1, n4=1, n5=direction)
    line = changed("lines", numbers, np.zeros_like(DIGITS))[0, ..., 0]
    place = 13.5 + 14 * 0.5
    along = line.mean(axis=axis)
    np.testing.assert_allclose(line, np.broadcast_to(np.expand_dims(along, axis), line.shape), atol=1e-6)
    assert ndimage.center_of_mass(along)[0] == pytest.approx(place, abs=0.01)
    assert (changed("lines", numbers) >= DIGITS).all()


def test_neighbors_stand_beside_the_digit() -> None:
    for side in (-1, 1):
        beside = changed("neighbors", only("neighbors", n0=1, n1=-1, n2=side)) - DIGITS
        half = beside[:, :, :10] if side < 0 else beside[:, :, 18:]
        assert half.sum() > 0.9 * beside.sum() > 10
        assert beside.min() >= 0
    np.testing.assert_allclose(changed("neighbors", only("neighbors", n0=0.3, n1=-1, n4=1)), DIGITS, atol=1e-5)


def test_texture_and_erasure_take_ink_away_noise_adds_it_on_paper() -> None:
    for name in ("texture", "erasure"):
        numbers = drawn(name)
        numbers[:, 0] = 1
        after = changed(name, numbers)
        assert (after <= DIGITS + 1e-6).all()
        assert 0.5 < after.sum() / DIGITS.sum() < 0.98
    numbers = drawn("noise")
    numbers[:, 0], numbers[:, 1] = 1, -1
    grain = changed("noise", numbers, np.full_like(DIGITS, 0.5)) - 0.5
    assert abs(grain.mean()) < 0.02
    assert grain.std() == pytest.approx(0.35 / np.sqrt(3), rel=0.1)


def test_blur_and_resolution_soften_edges_and_keep_the_ink() -> None:
    for name in ("blur", "resolution"):
        soft = changed(name, only(name, n0=1))
        np.testing.assert_allclose(soft.sum(axis=(1, 2, 3)), DIGITS.sum(axis=(1, 2, 3)), rtol=0.02)
        assert np.abs(np.diff(soft, axis=2)).max() < 0.75 * np.abs(np.diff(DIGITS, axis=2)).max()
    twice = ndimage.uniform_filter(DIGITS[..., 0].astype(float), (0, 3, 3), mode="constant")
    twice = ndimage.uniform_filter(twice, (0, 3, 3), mode="constant")
    inner = np.s_[:, 2:-2, 2:-2]
    np.testing.assert_allclose(changed("blur", only("blur", n0=1))[..., 0][inner], twice[inner], atol=1e-5)


def test_contrast_keeps_the_order_of_gray_levels() -> None:
    levels = np.linspace(0, 1, 784, dtype=np.float32).reshape(1, 28, 28, 1)
    for numbers in drawn("contrast", count=20):
        after = changed("contrast", numbers[None], levels).ravel()
        assert (np.diff(after) >= -1e-6).all()
        assert after[0] == 0
        assert 0.65 < after[-1] <= 1


def test_effects_by_name() -> None:
    assert effects_of("") == ()
    assert effects_of("all") == tuple(EFFECTS.values())
    assert effects_of(" noise, warp") == (EFFECTS["warp"], EFFECTS["noise"])
    assert all(isinstance(effect, PictureEffect) and effect.name == name for name, effect in EFFECTS.items())
    with pytest.raises(UsageError, match=r"'sepia'.*warp.*all"):
        effects_of("warp,sepia")


def test_effects_follow_each_other_in_a_common_strength() -> None:
    effects = effects_of("stroke,blur")
    numbers = np.random.default_rng(0).uniform(-1, 1, (COUNT, numbers_of(effects))).astype(np.float32)
    assert numbers_of(effects) == 3
    numbers[0, 0] = -1
    after = np.asarray(ops.convert_to_numpy(apply_effects(DIGITS, numbers, effects)))
    own = numbers[:, 1:] * (numbers[:, :1] + 1) / 2
    np.testing.assert_allclose(after, changed("blur", own[:, 1:], changed("stroke", own[:, :1])), atol=1e-6)
    np.testing.assert_array_equal(after[0], DIGITS[0])
