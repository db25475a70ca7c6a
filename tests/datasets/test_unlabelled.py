"""Folders that networks are used on: without labels, with some, of one class."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from idx_writer import digits, idx_bytes
from numpy.typing import NDArray
from picture_writer import put, put_classes, stroke

from experiments.datasets import Dataset, Split, Unlabelled, load, load_target
from experiments.datasets.dataset import Images
from experiments.datasets.deskewing import deskew
from experiments.errors import DigitsError, UsageError
from experiments.pictures.normalization import fit_to_mnist

IMAGES, LABELS = digits(40)
MORE = digits(20, seed=1)[0]


def unlabelled(folder: Path, alignment: str | None = None) -> Unlabelled:
    data = load_target(str(folder), alignment=alignment)
    assert isinstance(data, Unlabelled)
    return data


def put_idx(folder: Path, name: str, array: NDArray[np.uint8]) -> None:
    data = idx_bytes(array)
    (folder / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (28, 28), (32, 32), (100, 60)])
@pytest.mark.parametrize("on_paper", [False, True])
def test_pictures_beside_each_other(tmp_path: Path, width: int, height: int, on_paper: bool) -> None:
    drawn = np.zeros((height, width), np.uint8)
    drawn[height // 4 : -(height // 4), width // 3 : -(width // 3)] = 255
    for name in ("b 2.png", "a.png", "c.bmp"):
        put(tmp_path / "Scans" / name, np.invert(drawn) if on_paper else drawn)
    data = unlabelled(tmp_path / "Scans")
    expected = drawn if (width, height) == (28, 28) else fit_to_mnist(drawn)
    assert data.files == ("a.png", "b 2.png", "c.bmp")
    assert (data.name, data.source) == ("scans", str(tmp_path / "Scans"))
    assert data.transform == ("none" if (width, height) == (28, 28) else "mnist-procedure")
    for part in (data.train, data.test):
        assert not isinstance(part, Split)
        np.testing.assert_array_equal(part.images, np.stack([expected] * 3))


def test_pictures_in_train_and_test(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "train" / f"{number}.png", stroke(thickness=6 + number))
    put(tmp_path / "testing" / "z.png", stroke(thickness=12))
    data = unlabelled(tmp_path)
    assert (len(data.train), len(data.test)) == (3, 1)
    assert data.files == ("testing/z.png",)
    np.testing.assert_array_equal(data.test.images[0], fit_to_mnist(stroke(thickness=12)))


@pytest.mark.parametrize("part", ["train", "test"])
def test_one_part_is_both(tmp_path: Path, part: str) -> None:
    put(tmp_path / part / "z.png", stroke())
    data = unlabelled(tmp_path)
    np.testing.assert_array_equal(data.train.images, data.test.images)
    assert data.files == (f"{part}/z.png",)


def test_labelled_digits_to_test_on_keep_their_labels(tmp_path: Path) -> None:
    put(tmp_path / "train" / "z.png", stroke())
    put_classes(tmp_path / "test", range(3))
    data = unlabelled(tmp_path)
    assert isinstance(data.test, Split)
    assert data.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.files[:2] == ("test/0/0.png", "test/0/1.png")


def test_test_digits_alone_serve_as_both(tmp_path: Path) -> None:
    put_classes(tmp_path / "test", range(3))
    data = unlabelled(tmp_path)
    assert isinstance(data.test, Split)
    assert not isinstance(data.train, Split)
    np.testing.assert_array_equal(data.train.images, data.test.images)


def test_labels_of_training_digits_alone_are_of_no_use(tmp_path: Path) -> None:
    put_classes(tmp_path / "train", range(3))
    put(tmp_path / "test" / "z.png", stroke())
    data = unlabelled(tmp_path)
    assert not isinstance(data.train, Split)
    assert (len(data.train), len(data.test)) == (6, 1)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("parts", [("train",), ("t10k",), ("train", "t10k")])
def test_idx_images_alone(tmp_path: Path, suffix: str, parts: tuple[str, ...]) -> None:
    content = {"train": IMAGES, "t10k": MORE}
    for part in parts:
        put_idx(tmp_path, f"{part}-images-idx3-ubyte{suffix}", content[part])
    data = unlabelled(tmp_path)
    assert data.files == ()
    np.testing.assert_array_equal(data.train.images, content[parts[0]])
    np.testing.assert_array_equal(data.test.images, content[parts[-1]])


@pytest.mark.parametrize(("side", "transform"), [(16, "mnist-procedure"), (28, "none"), (32, "mnist-procedure")])
def test_idx_images_on_paper(tmp_path: Path, side: int, transform: str) -> None:
    images = np.zeros((5, side, side), np.uint8)
    images[:, 4:-4, side // 2 :] = 200
    images[:, :, -2:] = 0
    put_idx(tmp_path, "t10k-images-idx3-ubyte", np.invert(images))
    data = unlabelled(tmp_path)
    assert data.transform == f"inverted+{transform}".removesuffix("+none")
    expected = images if side == 28 else np.stack([fit_to_mnist(image) for image in images])
    np.testing.assert_array_equal(data.test.images, expected)


def test_the_digest_stands_for_images_and_labels(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        put_idx(tmp_path / name, "train-images-idx3-ubyte", IMAGES)
        put_idx(tmp_path / name, "t10k-images-idx3-ubyte", MORE)
    put_idx(tmp_path / "c", "t10k-labels-idx1-ubyte", LABELS[:20])
    first, same, with_labels = (unlabelled(tmp_path / name).digest for name in ("a", "b", "c"))
    assert first == same != with_labels
    assert len(first) == 32


@pytest.mark.parametrize("alignment", ["frame", "deskew"])
def test_digits_without_labels_are_aligned(tmp_path: Path, alignment: str) -> None:
    put(tmp_path / "train" / "a.png", stroke())
    put_classes(tmp_path / "test", range(2))
    upright = unlabelled(tmp_path, alignment)
    assert upright.transform == {"frame": "frame", "deskew": "mnist-procedure+deskew"}[alignment]
    if alignment == "deskew":
        np.testing.assert_array_equal(upright.test.images, deskew(unlabelled(tmp_path).test.images))
        assert isinstance(upright.test, Split)


def test_training_needs_labels(tmp_path: Path) -> None:
    put(tmp_path / "a.png", stroke())
    with pytest.raises(DigitsError, match=r"has no train labels: add them as .* or sort pictures into 0/ to 9/"):
        load(str(tmp_path))


def test_one_class_can_be_measured(tmp_path: Path) -> None:
    put_classes(tmp_path, range(7, 8), each=10)
    data = load_target(str(tmp_path))
    assert isinstance(data, Dataset)
    assert (len(data.train), data.test.labels.tolist()) == (8, [7, 7])


def test_labelled_data_is_that_of_load(tmp_path: Path) -> None:
    put_classes(tmp_path)
    for name in ("uci", "uci-deskewed", str(tmp_path)):
        data = load_target(name, alignment="deskew")
        assert isinstance(data, Dataset)
        assert data.digest == load(name, alignment="deskew").digest


def test_wrong_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="holds no digits: looked for"):
        load_target(str(tmp_path))
    put(tmp_path / "a.png", stroke())
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(DigitsError, match=r"b\.png cannot be read as a picture"):
        load_target(str(tmp_path))
    with pytest.raises(UsageError, match="no dataset or folder 'usp' "):
        load_target("usp")
    with pytest.raises(UsageError, match="no alignment 'centred'"):
        load_target(str(tmp_path), alignment="centred")


def test_idx_labels_beyond_digits_are_named(tmp_path: Path) -> None:
    put_idx(tmp_path, "train-images-idx3-ubyte", IMAGES)
    put_idx(tmp_path, "train-labels-idx1-ubyte", LABELS + 20)
    with pytest.raises(DigitsError, match="classes 20 to 29: only digits, 0 to 9, can be read; leave the others out"):
        load_target(str(tmp_path))


def test_images_are_checked_and_taken() -> None:
    found = Images(IMAGES).take(np.arange(40) < 3)
    np.testing.assert_array_equal(found.images, IMAGES[:3])
    assert found.as_float().shape == (3, 28, 28, 1)
    assert len(Images(IMAGES).take([])) == 0
    with pytest.raises(ValueError, match="a split needs uint8"):
        Images(IMAGES[:, 1:])
