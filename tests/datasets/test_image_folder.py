from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_writer import put, put_classes, stroke

from experiments.datasets.folder import load_folder
from experiments.errors import DigitsError
from experiments.pictures.normalization import fit_to_mnist


def only_image(folder: Path) -> NDArray[np.uint8]:
    """Load a folder whose training part has one three, and return that image."""
    dataset = load_folder(folder)
    (index,) = np.flatnonzero(dataset.train.labels == 3)
    image: NDArray[np.uint8] = dataset.train.images[index]
    return image


def put_among(folder: Path) -> Path:
    """Lay out a train and a test part, and return where one picture of a three is to be put."""
    put_classes(folder / "train", range(2))
    put_classes(folder / "test", range(2))
    return folder / "train" / "3"


def test_classes_become_labels_in_order(tmp_path: Path) -> None:
    put_classes(tmp_path, each=5)
    dataset = load_folder(tmp_path)
    np.testing.assert_array_equal(np.bincount(dataset.train.labels), [4] * 10)
    np.testing.assert_array_equal(np.bincount(dataset.test.labels), [1] * 10)
    assert np.all(np.diff(dataset.train.labels) >= 0)
    np.testing.assert_array_equal(dataset.train.images[0], fit_to_mnist(stroke(thickness=6)))
    assert dataset.transform == "mnist-procedure"
    assert load_folder(tmp_path).digest == dataset.digest


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("training", "testing")])
def test_train_and_test_folders_are_the_split(tmp_path: Path, train: str, test: str) -> None:
    put_classes(tmp_path / train, range(4), each=3)
    put_classes(tmp_path / test, range(4), each=1)
    dataset = load_folder(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (12, 4)


def test_dark_ink_on_light_paper_is_inverted(tmp_path: Path) -> None:
    put(put_among(tmp_path) / "three.png", 255 - stroke())
    np.testing.assert_array_equal(only_image(tmp_path), fit_to_mnist(stroke()))


def test_grainy_paper_and_pale_ink_are_stretched(tmp_path: Path) -> None:
    grain = np.random.default_rng(0).integers(-4, 5, stroke().shape)
    photo = np.where(stroke() > 0, 90, 200) + grain
    put(put_among(tmp_path) / "three.png", photo.astype(np.uint8))
    error = np.abs(only_image(tmp_path).astype(int) - fit_to_mnist(stroke()))
    assert error.max() <= 30


@pytest.mark.parametrize("inverted", [False, True])
def test_pictures_of_28x28_are_finished(tmp_path: Path, inverted: bool) -> None:
    digit = fit_to_mnist(stroke())
    digit[0, 0] = 3  # would not survive the procedure
    for label in range(5):
        put(tmp_path / str(label) / "one.png", 255 - digit if inverted else digit)
    dataset = load_folder(tmp_path)
    assert dataset.transform == "none"
    assert np.all(dataset.train.images == digit)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"no picture", "cannot be read as a picture"), (b"", "cannot be read as a picture")],
    ids=["text", "empty"],
)
def test_a_bad_picture_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    put_classes(tmp_path)
    (tmp_path / "4" / "bad.png").write_bytes(content)
    with pytest.raises(DigitsError, match=rf"4/bad\.png {problem}"):
        load_folder(tmp_path)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_ink_is_named(tmp_path: Path, level: int) -> None:
    put_classes(tmp_path)
    put(tmp_path / "4" / "blank.png", np.full((40, 40), level, np.uint8))
    with pytest.raises(DigitsError, match=rf"4/blank\.png shows no ink: .* {level} to {level}"):
        load_folder(tmp_path)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    put_classes(tmp_path, range(5))
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "notes.txt").write_text("none yet")
    with pytest.raises(DigitsError, match=r"5 holds no pictures"):
        load_folder(tmp_path)


def test_one_class_is_refused(tmp_path: Path) -> None:
    put_classes(tmp_path, range(3, 4), each=10)
    with pytest.raises(DigitsError, match="one class only, 3"):
        load_folder(tmp_path)


@pytest.mark.parametrize(("others", "named"), [(["10"], "10/"), (["a", "b"], "a/, b/"), (["zero", "00"], "00/, zero/")])
@pytest.mark.parametrize("digits", [range(0), range(10)], ids=["alone", "beside digits"])
@pytest.mark.parametrize("part", ["", "train"])
def test_other_classes_are_named(tmp_path: Path, others: list[str], named: str, digits: range, part: str) -> None:
    put_classes(tmp_path / part, digits)
    for other in others:
        put(tmp_path / part / other / "one.png", stroke())
    with pytest.raises(
        DigitsError, match=f"has pictures in {named}: only digits can be read, in 0/ to 9/; rename these"
    ):
        load_folder(tmp_path)


def test_folders_without_pictures_are_no_classes(tmp_path: Path) -> None:
    put_classes(tmp_path)
    put(tmp_path / ".thumbnails" / "0.png", stroke())
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "about.txt").write_text("mine")
    assert len(load_folder(tmp_path).train) == 16


def test_pictures_beside_class_folders_are_refused(tmp_path: Path) -> None:
    put_classes(tmp_path)
    put(tmp_path / "stray.png", stroke())
    with pytest.raises(DigitsError, match=r"holds stray\.png beside class folders \(0/\)"):
        load_folder(tmp_path)


def test_a_test_part_alone_is_refused(tmp_path: Path) -> None:
    put_classes(tmp_path / "test")
    with pytest.raises(DigitsError, match="none to train on"):
        load_folder(tmp_path)


def test_a_folder_without_digits_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DigitsError, match=r"holds no digits: .*train-images-idx3-ubyte.* 0/ to 9/"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My Digits (2024)", "my-digits-2024"),
        ("mnist", "mnist-folder"),
        ("Ziffern_über", "ziffern-ber"),
        ("日本", "digits"),
    ],
)
def test_the_name_is_safe_for_a_registry(tmp_path: Path, folder: str, name: str) -> None:
    put_classes(tmp_path / folder)
    dataset = load_folder(tmp_path / folder)
    assert dataset.name == name
    assert dataset.source == str(tmp_path / folder)
