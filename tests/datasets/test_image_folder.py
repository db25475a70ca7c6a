"""Folders with pictures of the user's own, in class folders or beside each other."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_writer import put, put_classes, stroke

from experiments.datasets import Dataset, Split, Unlabelled, load, load_target
from experiments.datasets.deskewing import deskew
from experiments.datasets.folder import load_folder
from experiments.errors import DigitsError, UsageError
from experiments.pictures.normalization import fit_to_mnist


def put_three(folder: Path, picture: NDArray[np.uint8]) -> None:
    """Lay out a train and a test part with zeros and ones, and one picture of a three to train on."""
    put_classes(folder / "train", range(2))
    put_classes(folder / "test", range(2))
    put(folder / "train" / "3" / "three.png", picture)


def loaded_three(folder: Path) -> NDArray[np.uint8]:
    train = load_folder(folder).train
    (image,) = train.images[train.labels == 3]
    return np.asarray(image)


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def unlabelled(folder: Path, alignment: str | None = None) -> Unlabelled:
    data = load_target(str(folder), alignment=alignment)
    assert isinstance(data, Unlabelled)
    return data


def test_classes_become_labels_in_order_and_folders_the_split(tmp_path: Path) -> None:
    put_classes(tmp_path, each=5)
    dataset = load_folder(tmp_path)
    np.testing.assert_array_equal(dataset.train.labels, np.repeat(np.arange(10), 4))
    np.testing.assert_array_equal(dataset.test.labels, np.arange(10))
    assert alike(dataset.train.images[0], fit_to_mnist(stroke(thickness=6))) > 0.98
    assert dataset.transform == "mnist-procedure"
    assert load_folder(tmp_path).digest == dataset.digest
    for parts in (("train", "test"), ("training", "testing")):
        put_classes(tmp_path / parts[0] / parts[0], range(4), each=3)
        put_classes(tmp_path / parts[0] / parts[1], range(4), each=1)
        dataset = load_folder(tmp_path / parts[0])
        assert (len(dataset.train), len(dataset.test)) == (12, 4)


def test_dark_ink_pale_ink_and_grainy_paper_are_understood(tmp_path: Path) -> None:
    put_three(tmp_path, 255 - stroke())
    assert alike(loaded_three(tmp_path), fit_to_mnist(stroke())) > 0.98
    grain = np.random.default_rng(0).integers(-4, 5, stroke().shape)
    put_three(tmp_path, (np.where(stroke() > 0, 90, 200) + grain).astype(np.uint8))
    assert alike(loaded_three(tmp_path), fit_to_mnist(stroke())) > 0.85


@pytest.mark.parametrize("inverted", [False, True])
def test_pictures_of_28x28_are_finished(tmp_path: Path, inverted: bool) -> None:
    digit = fit_to_mnist(stroke())
    digit[0, 0] = 3  # would not survive the procedure
    for label in range(5):
        put(tmp_path / str(label) / "one.png", 255 - digit if inverted else digit)
    dataset = load_folder(tmp_path)
    assert dataset.transform == "none"
    assert np.all(dataset.train.images == digit)


@pytest.mark.parametrize("level", [None, 0, 128, 255])
def test_a_bad_picture_is_named(tmp_path: Path, level: int | None) -> None:
    put_classes(tmp_path)
    if level is None:
        (tmp_path / "4" / "bad.png").write_bytes(b"no picture")
    else:
        put(tmp_path / "4" / "bad.png", np.full((40, 40), level, np.uint8))
    with pytest.raises(DigitsError, match=r"4/bad\.png " + ("" if level is None else "shows no ink")):
        load_folder(tmp_path)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    put_classes(tmp_path, range(5))
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "notes.txt").write_text("none yet")
    with pytest.raises(DigitsError, match="/5 holds no pictures"):
        load_folder(tmp_path)


@pytest.mark.parametrize(("others", "named"), [(["10"], "10/"), (["a", "b"], "a/, b/"), (["zero", "00"], "00/, zero/")])
@pytest.mark.parametrize("digits", [range(0), range(10)], ids=["alone", "beside digits"])
@pytest.mark.parametrize("part", ["", "train"])
def test_other_classes_are_named(tmp_path: Path, others: list[str], named: str, digits: range, part: str) -> None:
    put_classes(tmp_path / part, digits, each=1)
    for other in others:
        put(tmp_path / part / other / "one.png", stroke())
    with pytest.raises(DigitsError, match=f" {named}: .*0/ to 9/"):
        load_folder(tmp_path)


def test_folders_without_pictures_are_no_classes_and_loose_pictures_are_refused(tmp_path: Path) -> None:
    put_classes(tmp_path)
    put(tmp_path / ".thumbnails" / "0.png", stroke())
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "about.txt").write_text("mine")
    assert len(load_folder(tmp_path).train) == 16
    put(tmp_path / "stray.png", stroke())
    with pytest.raises(DigitsError, match=r"stray\.png .*\(0/\)"):
        load_folder(tmp_path)


def test_a_folder_without_digits_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for read in (load, load_target):
        with pytest.raises(DigitsError, match=r"train-images-idx3-ubyte.* 0/ to 9/"):
            read(str(tmp_path))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My Digits (2024)", "my-digits-2024"),
        ("mnist", "mnist-folder"),
        ("uci-c", "uci-c-folder"),
        ("Ziffern_über", "ziffern-ber"),
        ("日本", "digits"),
    ],
)
def test_the_name_is_safe_for_a_registry(tmp_path: Path, folder: str, name: str) -> None:
    put_classes(tmp_path / folder)
    dataset = load_folder(tmp_path / folder)
    assert (dataset.name, dataset.source) == (name, str(tmp_path / folder))


@pytest.mark.parametrize(("width", "height"), [(16, 16), (28, 28), (100, 60)])
@pytest.mark.parametrize("on_paper", [False, True])
def test_networks_are_used_on_pictures_beside_each_other(
    tmp_path: Path, width: int, height: int, on_paper: bool
) -> None:
    drawn = np.zeros((height, width), np.uint8)
    drawn[height // 4 : -(height // 4), width // 3 : -(width // 3)] = 255
    for name in ("b 2.png", "a.png", "c.bmp"):
        put(tmp_path / "Scans" / name, np.invert(drawn) if on_paper else drawn)
    data = unlabelled(tmp_path / "Scans")
    finished = (width, height) == (28, 28)
    assert data.files == ("a.png", "b 2.png", "c.bmp")
    assert (data.name, data.source) == ("scans", str(tmp_path / "Scans"))
    assert data.transform == ("none" if finished else "mnist-procedure")
    for part in (data.train, data.test):
        assert not isinstance(part, Split)
        np.testing.assert_array_equal(part.images, np.stack([drawn if finished else fit_to_mnist(drawn)] * 3))
    with pytest.raises(DigitsError, match=r"train-labels-idx1-ubyte .* 0/ to 9/"):
        load(str(tmp_path / "Scans"))


def test_targets_without_labels_have_parts_of_their_own(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "train" / f"{number}.png", stroke(thickness=6 + number))
    data = unlabelled(tmp_path)
    np.testing.assert_array_equal(data.train.images, data.test.images)
    assert data.files == ("train/0.png", "train/1.png", "train/2.png")
    put(tmp_path / "testing" / "z.png", stroke(thickness=12))
    data = unlabelled(tmp_path)
    assert (len(data.train), len(data.test)) == (3, 1)
    assert data.files == ("testing/z.png",)
    np.testing.assert_array_equal(data.test.images[0], fit_to_mnist(stroke(thickness=12)))


def test_labelled_digits_to_test_on_keep_their_labels(tmp_path: Path) -> None:
    put_classes(tmp_path / "test", range(3))
    alone = unlabelled(tmp_path)
    np.testing.assert_array_equal(alone.train.images, alone.test.images)
    put(tmp_path / "train" / "z.png", stroke())
    data = unlabelled(tmp_path)
    for one in (alone, data):
        assert not isinstance(one.train, Split)
        assert isinstance(one.test, Split)
        assert one.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
        assert one.files[:2] == ("test/0/0.png", "test/0/1.png")
    with pytest.raises(DigitsError, match="train labels"):
        load_folder(tmp_path)
    # Labels of training digits alone are of no use.
    put_classes(tmp_path / "other" / "train", range(3))
    put(tmp_path / "other" / "test" / "z.png", stroke())
    data = unlabelled(tmp_path / "other")
    assert not isinstance(data.train, Split)
    assert (len(data.train), len(data.test)) == (6, 1)


def test_digits_without_labels_are_aligned(tmp_path: Path) -> None:
    put(tmp_path / "train" / "a.png", stroke())
    put_classes(tmp_path / "test", range(2))
    assert unlabelled(tmp_path, "frame").transform == "frame"
    upright = unlabelled(tmp_path, "deskew")
    assert upright.transform == "mnist-procedure+deskew"
    assert isinstance(upright.test, Split)
    np.testing.assert_array_equal(upright.test.images, deskew(unlabelled(tmp_path).test.images))


def test_a_target_is_that_of_load_and_may_have_a_single_class(tmp_path: Path) -> None:
    put_classes(tmp_path, range(7, 8), each=10)
    data = load_target(str(tmp_path))
    assert isinstance(data, Dataset)
    assert (len(data.train), data.test.labels.tolist()) == (8, [7, 7])
    with pytest.raises(DigitsError, match="class only, 7"):
        load(str(tmp_path))
    put_classes(tmp_path)
    for name in ("uci", "uci-deskewed", str(tmp_path)):
        assert load_target(name, alignment="deskew").digest == load(name, alignment="deskew").digest


def test_wrong_targets_are_named(tmp_path: Path) -> None:
    put(tmp_path / "a.png", stroke())
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(DigitsError, match=r"b\.png"):
        load_target(str(tmp_path))
    with pytest.raises(UsageError, match="'usp'"):
        load_target("usp")
    with pytest.raises(UsageError, match="'centred'"):
        load_target(str(tmp_path), alignment="centred")
