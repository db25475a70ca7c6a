import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from idx_writer import digits, idx_bytes
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import center_of_mass

from experiments.datasets import Dataset, alignment, load
from experiments.datasets.alignment import ALIGNMENTS, get_alignment, to_split, transform_of
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.dataset import RawSplit, joined
from experiments.datasets.deskewing import deskew
from experiments.errors import UsageError
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]

LADDER = ["resize", "frame", "centre", "box", "deskew"]
SIDES = st.tuples(st.integers(1, 60), st.integers(1, 60))
ANY_IMAGES = arrays(np.uint8, SIDES, elements=st.sampled_from([0, 0, 0, 1, 128, 255]))

every = pytest.mark.parametrize("name", LADDER)


def lopsided(height: int = 40, width: int = 30) -> Image:
    """A slanted stroke on one side of a picture."""
    rows, columns = np.mgrid[:height, :width]
    return np.where(np.abs(columns - width / 5 - rows / 4) < width / 10, 255, 0).astype(np.uint8)


def stretched(picture: Image, side: int) -> Image:
    return np.asarray(Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.BICUBIC))


def test_the_ladder_goes_from_the_least_to_the_most() -> None:
    assert list(ALIGNMENTS) == LADDER
    assert get_alignment(None) is ALIGNMENTS["box"]
    assert [name for name, chosen in ALIGNMENTS.items() if chosen.deskews] == ["deskew"]
    assert all(chosen.description for chosen in ALIGNMENTS.values())


@every
@settings(deadline=None)
@given(picture=ANY_IMAGES)
def test_every_picture_becomes_28x28(name: str, picture: Image) -> None:
    before = picture.copy()
    aligned = ALIGNMENTS[name].apply(picture)
    assert aligned.shape == (28, 28)
    assert aligned.dtype == np.uint8
    assert picture.any() or not aligned.any()
    np.testing.assert_array_equal(picture, before)


@settings(deadline=None)
@given(picture=ANY_IMAGES)
def test_resized_and_framed_are_pillows_bicubic(picture: Image) -> None:
    np.testing.assert_array_equal(ALIGNMENTS["resize"].apply(picture), stretched(picture, 28))
    framed = ALIGNMENTS["frame"].apply(picture)
    np.testing.assert_array_equal(framed[4:24, 4:24], stretched(picture, 20))
    assert framed.sum() == framed[4:24, 4:24].sum()


@settings(deadline=None)
@given(picture=arrays(np.uint8, SIDES, elements=st.integers(100, 255)), blank=st.integers(0, 30))
def test_centred_by_mass_without_losing_ink(picture: Image, blank: int) -> None:
    padded = np.pad(picture, ((0, blank), (blank, 0)))
    small = stretched(padded, 20)
    aligned = ALIGNMENTS["centre"].apply(padded)
    assert aligned.sum() == small.sum()
    if small.any():
        row, column = center_of_mass(aligned.astype(float))
        assert abs(row - 14) <= 0.5 + 1e-9
        assert abs(column - 14) <= 0.5 + 1e-9


@settings(deadline=None)
@given(picture=ANY_IMAGES)
def test_box_is_mnists_procedure_and_deskew_goes_on_from_it(picture: Image) -> None:
    fitted = fit_to_mnist(picture)
    np.testing.assert_array_equal(ALIGNMENTS["box"].apply(picture), fitted)
    np.testing.assert_array_equal(ALIGNMENTS["deskew"].apply(picture), deskew(fitted[np.newaxis])[0])


@every
@pytest.mark.parametrize("side", [16, 28, 40])
def test_only_other_sizes_are_fitted(name: str, side: int) -> None:
    chosen = ALIGNMENTS[name]
    images, labels = digits(4, side=side)
    raw = RawSplit(images, labels.astype(np.int64))
    split = to_split(raw, chosen)
    assert transform_of(images, chosen) == ("none" if side == 28 else chosen.transform)
    assert split.images.shape == (4, 28, 28)
    np.testing.assert_array_equal(split.labels, labels)
    expected = images if side == 28 else np.stack([chosen.fit(image) for image in images])
    np.testing.assert_array_equal(split.images, expected)


def test_transforms_are_joined_in_their_order() -> None:
    assert joined() == joined("none", "none") == "none"
    assert joined("none", "deskew") == "deskew"
    assert joined("smoothed+frame", "none", "corrupted") == "smoothed+frame+corrupted"


@pytest.fixture(scope="module")
def aligned() -> dict[str, Dataset]:
    return {name: load("uci", alignment=name) for name in LADDER}


def test_a_data_set_is_loaded_by_each_alignment(aligned: dict[str, Dataset]) -> None:
    assert {name: data.transform for name, data in aligned.items()} == {
        "resize": "resize",
        "frame": "frame",
        "centre": "centre",
        "box": "mnist-procedure",
        "deskew": "mnist-procedure+deskew",
    }
    assert {data.name for data in aligned.values()} == {"uci"}
    assert len({data.digest for data in aligned.values()}) == len(LADDER)
    assert load("uci").digest == aligned["box"].digest
    # The same digits are held out.
    assert all(np.array_equal(data.test.labels, aligned["box"].test.labels) for data in aligned.values())


def test_a_deskewed_data_set_goes_by_its_own_name(aligned: dict[str, Dataset]) -> None:
    data = load("uci-deskewed")
    assert (data.name, data.transform, data.source) == ("uci-deskewed", "mnist-procedure+deskew", "scikit-learn")
    assert data.digest == aligned["deskew"].digest
    assert load("uci-deskewed", alignment="deskew").digest == data.digest


def test_other_alignments_come_before_what_is_derived(aligned: dict[str, Dataset]) -> None:
    framed = load("uci-deskewed", alignment="frame")
    assert framed.transform == "frame+deskew"
    np.testing.assert_array_equal(framed.test.images, deskew(aligned["frame"].test.images))
    corrupted = load("uci-c", alignment="frame")
    assert (corrupted.name, corrupted.transform) == ("uci-c", "frame+corrupted")
    first = corrupt(aligned["frame"].test, "shot_noise").images
    np.testing.assert_array_equal(corrupted.test.images[: len(first)], first)


def test_corrupted_digits_are_deskewed_last(aligned: dict[str, Dataset]) -> None:
    data = load("uci-c", alignment="deskew")
    assert (data.name, data.transform) == ("uci-c", "mnist-procedure+corrupted+deskew")
    np.testing.assert_array_equal(data.train.images, aligned["deskew"].train.images)
    np.testing.assert_array_equal(data.test.images, deskew(load("uci-c").test.images))


@pytest.mark.parametrize("name", ["uci", "uci-c", "uci-deskewed"])
def test_an_unknown_alignment_suggests_the_nearest(name: str) -> None:
    with pytest.raises(UsageError, match=r"no alignment 'deskewed' \(did you mean deskew\?\); .* resize, frame, cen"):
        load(name, alignment="deskewed")


def put_pictures(folder: Path, picture: Image) -> None:
    for label in range(5):
        (folder / str(label)).mkdir()
        Pillow.fromarray(picture).save(folder / str(label) / "one.png")


@every
def test_pictures_are_aligned_once_they_are_white_on_black(tmp_path: Path, name: str) -> None:
    put_pictures(tmp_path, (220 - lopsided() * 0.7).astype(np.uint8))
    data = load(str(tmp_path), alignment=name)
    assert data.transform == joined(ALIGNMENTS[name].transform, "deskew" if name == "deskew" else "none")
    assert np.all(data.train.images == ALIGNMENTS[name].apply(lopsided()))


@every
def test_finished_pictures_are_deskewed_only(tmp_path: Path, name: str) -> None:
    digit = lopsided(28, 28)
    put_pictures(tmp_path, digit)
    data = load(str(tmp_path), alignment=name)
    assert data.transform == ("deskew" if name == "deskew" else "none")
    assert np.all(data.train.images == (deskew(digit[np.newaxis])[0] if name == "deskew" else digit))


@every
@pytest.mark.parametrize("side", [20, 28])
def test_idx_files_are_aligned(tmp_path: Path, name: str, side: int) -> None:
    images, labels = digits(20, side=side)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    data = load(str(tmp_path), alignment=name)
    fitted = to_split(RawSplit(images, labels.astype(np.int64)), ALIGNMENTS[name])
    expected = deskew(fitted.images) if name == "deskew" else fitted.images
    found = np.concatenate([data.train.images, data.test.images])
    assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in expected)
    assert data.transform.startswith("none" if side == 28 and name != "deskew" else data.transform)


@pytest.mark.parametrize("options", ["train.TrainOptions", "tune.TuneOptions"])
def test_networks_are_trained_on_deskewed_digits(options: str) -> None:
    module, name = options.split(".")
    getattr(importlib.import_module(f"experiments.workflows.{module}"), name)("lenet", "uci-deskewed")


@pytest.mark.real_data
def test_usps_and_mnist_are_aligned(data_dir: Path) -> None:
    usps = load("usps", data_dir=data_dir, alignment="frame")
    assert usps.transform == "frame"
    assert usps.test.images[:, 4:24, 4:24].sum() == usps.test.images.sum() > 0
    upright = load("usps-deskewed", data_dir=data_dir)
    assert (upright.name, upright.transform) == ("usps-deskewed", "mnist-procedure+deskew")
    assert load("mnist-deskewed", data_dir=data_dir).transform == "deskew"


def test_the_documented_example_holds() -> None:
    result = doctest.testmod(alignment)
    assert result.attempted == 2
    assert result.failed == 0
