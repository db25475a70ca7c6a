"""The contract of the alignments, and their place among the other steps of loading."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from idx_writer import digits, put_idx
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import center_of_mass

from experiments.datasets import load
from experiments.datasets.alignment import ALIGNMENTS, Alignment, get_alignment, to_split, transform_of
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.dataset import RawSplit
from experiments.datasets.deskewing import deskew
from experiments.errors import UsageError
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]

TRANSFORMS = {
    "resize": "resize",
    "frame": "frame",
    "centre": "centre",
    "box": "mnist-procedure",
    "deskew": "mnist-procedure+deskew",
}
SIDES = st.tuples(st.integers(1, 60), st.integers(1, 60))
ANY_IMAGES = arrays(np.uint8, SIDES, elements=st.sampled_from([0, 0, 0, 1, 128, 255]))


def lopsided(height: int = 40, width: int = 30) -> Image:
    """A slanted stroke on one side of a picture."""
    rows, columns = np.mgrid[:height, :width]
    return np.where(np.abs(columns - width / 5 - rows / 4) < width / 10, 255, 0).astype(np.uint8)


def stretched(picture: Image, side: int) -> Image:
    return np.asarray(Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.BICUBIC))


@pytest.mark.parametrize("name", ALIGNMENTS)
class TestEveryAlignment:
    @pytest.fixture
    def chosen(self, name: str) -> Alignment:
        return ALIGNMENTS[name]

    @settings(max_examples=30)
    @given(picture=ANY_IMAGES)
    def test_every_picture_becomes_28x28(self, name: str, picture: Image) -> None:
        before = picture.copy()
        aligned = ALIGNMENTS[name].apply(picture)
        assert aligned.shape == (28, 28)
        assert aligned.dtype == np.uint8
        assert picture.any() or not aligned.any()
        np.testing.assert_array_equal(picture, before)

    @pytest.mark.parametrize("side", [20, 28])
    def test_idx_files_of_other_sizes_are_fitted(self, name: str, side: int, chosen: Alignment, tmp_path: Path) -> None:
        images, labels = digits(20, side=side)
        split = to_split(RawSplit(images, labels.astype(np.int64)), chosen)
        assert transform_of(images, chosen) == ("none" if side == 28 else chosen.transform)
        np.testing.assert_array_equal(split.labels, labels)
        np.testing.assert_array_equal(split.images, images if side == 28 else [chosen.fit(image) for image in images])
        put_idx(tmp_path / "train-images-idx3-ubyte", images)
        put_idx(tmp_path / "train-labels-idx1-ubyte", labels)
        data = load(str(tmp_path), alignment=name)
        expected = deskew(split.images) if chosen.deskews else split.images
        found = np.concatenate([data.train.images, data.test.images])
        assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in expected)

    def test_pictures_are_aligned_once_they_are_white_on_black(self, name: str, tmp_path: Path) -> None:
        digit = lopsided(28, 28)
        finished = deskew(digit[np.newaxis])[0] if name == "deskew" else digit
        for folder, picture, transform, expected in (
            ("photo", (220 - lopsided() * 0.7).astype(np.uint8), TRANSFORMS[name], ALIGNMENTS[name].apply(lopsided())),
            ("finished", digit, "deskew" if name == "deskew" else "none", finished),
        ):
            for label in range(5):
                (tmp_path / folder / str(label)).mkdir(parents=True)
                Pillow.fromarray(picture).save(tmp_path / folder / str(label) / "one.png")
            data = load(str(tmp_path / folder), alignment=name)
            assert data.transform == transform
            assert np.all(data.train.images == expected)

    def test_a_dataset_is_loaded_by_it(self, name: str, chosen: Alignment) -> None:
        data, default = load("uci", alignment=name), load("uci")
        assert (data.name, data.transform) == ("uci", TRANSFORMS[name])
        assert (data.digest == default.digest) == (name == "box")
        assert chosen.description
        # The same digits are held out.
        np.testing.assert_array_equal(data.test.labels, default.test.labels)


def test_they_go_from_the_least_similar_to_mnist_to_the_most() -> None:
    assert list(ALIGNMENTS) == list(TRANSFORMS)
    assert get_alignment(None) is ALIGNMENTS["box"]
    assert [name for name, chosen in ALIGNMENTS.items() if chosen.deskews] == ["deskew"]


@settings(max_examples=50)
@given(picture=ANY_IMAGES)
def test_resized_and_framed_are_pillows_bicubic_and_box_is_mnists_procedure(picture: Image) -> None:
    np.testing.assert_array_equal(ALIGNMENTS["resize"].apply(picture), stretched(picture, 28))
    np.testing.assert_array_equal(ALIGNMENTS["frame"].apply(picture), np.pad(stretched(picture, 20), 4))
    fitted = fit_to_mnist(picture)
    np.testing.assert_array_equal(ALIGNMENTS["box"].apply(picture), fitted)
    np.testing.assert_array_equal(ALIGNMENTS["deskew"].apply(picture), deskew(fitted[np.newaxis])[0])


@settings(max_examples=50)
@given(picture=arrays(np.uint8, SIDES, elements=st.integers(100, 255)), blank=st.integers(0, 30))
def test_centred_by_mass_without_losing_ink(picture: Image, blank: int) -> None:
    padded = np.pad(picture, ((0, blank), (blank, 0)))
    small = stretched(padded, 20)
    aligned = ALIGNMENTS["centre"].apply(padded)
    assert aligned.sum() == small.sum()
    if small.any():
        assert np.abs(np.subtract(center_of_mass(aligned.astype(float)), 14)).max() <= 0.5 + 1e-9


def test_alignments_come_before_what_is_derived_and_deskewing_last() -> None:
    framed, upright = load("uci", alignment="frame"), load("uci", alignment="deskew")
    derived = load("uci-deskewed", alignment="frame")
    assert derived.transform == "frame+deskew"
    np.testing.assert_array_equal(derived.test.images, deskew(framed.test.images))
    corrupted = load("uci-c", alignment="frame")
    assert (corrupted.name, corrupted.transform) == ("uci-c", "frame+corrupted")
    first = corrupt(framed.test, "shot_noise").images
    np.testing.assert_array_equal(corrupted.test.images[: len(first)], first)
    # What is deskewed is not deskewed twice.
    data = load("uci-deskewed")
    assert (data.name, data.transform) == ("uci-deskewed", "mnist-procedure+deskew")
    assert load("uci-deskewed", alignment="deskew").digest == data.digest == upright.digest
    last = load("uci-c", alignment="deskew")
    assert (last.name, last.transform) == ("uci-c", "mnist-procedure+corrupted+deskew")
    np.testing.assert_array_equal(last.train.images, upright.train.images)
    np.testing.assert_array_equal(last.test.images, deskew(load("uci-c").test.images))


@pytest.mark.parametrize("name", ["uci", "uci-c", "uci-deskewed"])
def test_an_unknown_alignment_suggests_the_nearest(name: str) -> None:
    with pytest.raises(UsageError, match=r"'deskewed' \(did you mean deskew\?\).* resize, frame, cen"):
        load(name, alignment="deskewed")
