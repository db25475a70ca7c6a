import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_writer import digits, idx_bytes
from numpy.typing import NDArray

from experiments.datasets.folder import load_folder
from experiments.errors import DigitsError
from experiments.pictures.normalization import fit_to_mnist

TRAIN, TEST = digits(40), digits(20, seed=1)


def put(folder: Path, name: str, array: NDArray[Any]) -> None:
    data = idx_bytes(array)
    (folder / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)


def put_all(folder: Path, names: list[str], train: Any = TRAIN, test: Any = TEST) -> None:
    for name, array in zip(names, [*train, *test], strict=True):
        put(folder, name, array)


MNIST_NAMES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
QMNIST_NAMES = [
    "qmnist-train-images-idx3-ubyte.gz",
    "qmnist-train-labels-idx2-int.gz",
    "qmnist-test-images-idx3-ubyte.gz",
    "qmnist-test-labels-idx2-int.gz",
]
EMNIST_NAMES = [
    "emnist-digits-train-images-idx3-ubyte.gz",
    "emnist-digits-train-labels-idx1-ubyte.gz",
    "emnist-digits-test-images-idx3-ubyte.gz",
    "emnist-digits-test-labels-idx1-ubyte.gz",
]


@pytest.mark.parametrize(
    "names",
    [
        MNIST_NAMES,
        [name.removesuffix(".gz") for name in MNIST_NAMES],
        [name.removesuffix(".gz").replace("-idx", ".idx") for name in MNIST_NAMES],
    ],
    ids=["gzip", "plain", "dotted"],
)
def test_mnists_names(tmp_path: Path, names: list[str]) -> None:
    put_all(tmp_path, names)
    dataset = load_folder(tmp_path)
    for split, (images, labels) in ((dataset.train, TRAIN), (dataset.test, TEST)):
        np.testing.assert_array_equal(split.images, images)
        np.testing.assert_array_equal(split.labels, labels)
    assert dataset.transform == "none"


def test_qmnists_labels_have_columns(tmp_path: Path) -> None:
    def columns(labels: NDArray[np.uint8]) -> NDArray[np.int32]:
        return np.outer(labels, [1, 500, 7, 7, 7, 7, 7, 7]).astype(np.int32)

    train, test = ((images, columns(labels)) for images, labels in (TRAIN, TEST))
    put_all(tmp_path, QMNIST_NAMES, train, test)
    dataset = load_folder(tmp_path)
    np.testing.assert_array_equal(dataset.train.labels, TRAIN[1])
    np.testing.assert_array_equal(dataset.test.labels, TEST[1])
    assert dataset.transform == "none"


def test_emnists_images_are_put_right(tmp_path: Path) -> None:
    put_all(tmp_path, EMNIST_NAMES)
    dataset = load_folder(tmp_path)
    np.testing.assert_array_equal(dataset.train.images, np.swapaxes(TRAIN[0], 1, 2))
    np.testing.assert_array_equal(dataset.test.images, np.swapaxes(TEST[0], 1, 2))
    assert dataset.transform == "transpose"


@pytest.mark.parametrize(
    ("names", "transform"),
    [(MNIST_NAMES, "mnist-procedure"), (EMNIST_NAMES, "transpose+mnist-procedure")],
)
def test_other_sizes_go_through_mnists_procedure(tmp_path: Path, names: list[str], transform: str) -> None:
    train, test = digits(40, side=20), digits(20, side=20)
    put_all(tmp_path, names, train, test)
    dataset = load_folder(tmp_path)
    first = train[0][0].T if "transpose" in transform else train[0][0]
    np.testing.assert_array_equal(dataset.train.images[0], fit_to_mnist(np.ascontiguousarray(first)))
    assert dataset.transform == transform


def on_black(n: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return `n` blots, white on black."""
    images = np.zeros((n, height, width), np.uint8)
    images[:, height // 4 : -(height // 4), width // 3 : -(width // 3)] = digits(n, side=1)[0] // 2 + 120
    return images


@pytest.mark.parametrize(("height", "width"), [(16, 16), (28, 28), (32, 32), (100, 60)])
@pytest.mark.parametrize("paper", [255, 230])
def test_dark_ink_on_light_paper_is_inverted(tmp_path: Path, height: int, width: int, paper: int) -> None:
    images, labels = on_black(40, height, width), TRAIN[1]
    for name in ("ink", "paper"):
        (tmp_path / name).mkdir()
    put_all(tmp_path / "ink", MNIST_NAMES, (np.minimum(images, paper), labels), (images[:20], TEST[1]))
    dark = (paper - np.minimum(images, paper)).astype(np.uint8)
    put_all(tmp_path / "paper", MNIST_NAMES, (dark, labels), (dark[:20], TEST[1]))
    light, inverted = load_folder(tmp_path / "ink"), load_folder(tmp_path / "paper")
    np.testing.assert_array_equal(inverted.train.images, light.train.images)
    assert inverted.test.images.shape == (20, 28, 28)
    assert (light.transform, inverted.transform) == (
        ("none", "inverted") if height == 28 else ("mnist-procedure", "inverted+mnist-procedure")
    )


def test_emnist_on_paper_is_put_right_and_inverted(tmp_path: Path) -> None:
    images = on_black(40, 28, 28)
    put_all(tmp_path, EMNIST_NAMES, (np.invert(images), TRAIN[1]), (np.invert(images[:20]), TEST[1]))
    data = load_folder(tmp_path)
    assert data.transform == "transpose+inverted"
    np.testing.assert_array_equal(data.train.images, np.swapaxes(images, 1, 2))


def test_without_test_files_a_fifth_is_held_out(tmp_path: Path) -> None:
    for name, array in zip(MNIST_NAMES[:2], TRAIN, strict=True):
        put(tmp_path, name, array)
    dataset = load_folder(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (32, 8)
    assert load_folder(tmp_path).digest == dataset.digest


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        (MNIST_NAMES[0], "no train images"),
        (MNIST_NAMES[1], "no train labels"),
        (MNIST_NAMES[2], "no test images"),
        (MNIST_NAMES[3], "no test labels"),
    ],
)
def test_a_missing_half_is_named(tmp_path: Path, missing: str, problem: str) -> None:
    put_all(tmp_path, MNIST_NAMES)
    (tmp_path / missing).unlink()
    with pytest.raises(DigitsError, match=problem):
        load_folder(tmp_path)


def test_several_sets_in_a_folder_are_refused(tmp_path: Path) -> None:
    put_all(tmp_path, EMNIST_NAMES)
    put_all(tmp_path, [name.replace("digits", "mnist") for name in EMNIST_NAMES])
    with pytest.raises(DigitsError, match=r"\(emnist-digits-\*, emnist-mnist-\*\)"):
        load_folder(tmp_path)


def test_letters_are_refused(tmp_path: Path) -> None:
    put_all(tmp_path, EMNIST_NAMES, (TRAIN[0], TRAIN[1] + 1))
    with pytest.raises(DigitsError, match="classes 1 to 10: only digits"):
        load_folder(tmp_path)


def test_one_class_is_refused(tmp_path: Path) -> None:
    put_all(tmp_path, MNIST_NAMES, (TRAIN[0], np.full_like(TRAIN[1], 7)))
    with pytest.raises(DigitsError, match="one class only, 7"):
        load_folder(tmp_path)
