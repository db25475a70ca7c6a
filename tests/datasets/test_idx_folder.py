"""Folders with IDX files of the user's own, with and without labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_writer import digits, put_idx
from numpy.typing import NDArray

from experiments.datasets import Unlabelled, load_target
from experiments.datasets.folder import load_folder
from experiments.errors import DigitsError
from experiments.pictures.normalization import fit_to_mnist

TRAIN, TEST = digits(40), digits(20, seed=1)
MNIST_NAMES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
PLAIN_NAMES = [name.removesuffix(".gz") for name in MNIST_NAMES]
QMNIST_NAMES = [
    f"qmnist-{part}-{kind}.gz" for part in ("train", "test") for kind in ("images-idx3-ubyte", "labels-idx2-int")
]
EMNIST_NAMES = [f"emnist-digits-{name}".replace("t10k", "test") for name in MNIST_NAMES]


def put_all(folder: Path, names: list[str], train: Any = TRAIN, test: Any = TEST) -> None:
    for name, array in zip(names, [*train, *test], strict=True):
        put_idx(folder / name, array)


def turned(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.swapaxes(images, 1, 2))


@pytest.mark.parametrize(
    "names",
    [MNIST_NAMES, PLAIN_NAMES, [name.replace("-idx", ".idx") for name in PLAIN_NAMES], EMNIST_NAMES],
    ids=["gzip", "plain", "dotted", "emnist"],
)
@pytest.mark.parametrize("side", [28, 20])
def test_images_are_read_turned_and_fitted(tmp_path: Path, names: list[str], side: int) -> None:
    transposed, parts = names is EMNIST_NAMES, (digits(40, side), digits(20, side, seed=1))
    put_all(tmp_path, names, *parts)
    dataset = load_folder(tmp_path)
    for split, (images, labels) in zip((dataset.train, dataset.test), parts, strict=True):
        upright = turned(images) if transposed else images
        expected = upright if side == 28 else [fit_to_mnist(image) for image in upright]
        np.testing.assert_array_equal(split.images, expected)
        np.testing.assert_array_equal(split.labels, labels)
    transforms = ["transpose"] * transposed + ["mnist-procedure"] * (side != 28)
    assert dataset.transform == ("+".join(transforms) or "none")


def test_qmnists_labels_have_columns(tmp_path: Path) -> None:
    train, test = (
        (images, np.outer(labels, [1, 500, 7, 7, 7, 7, 7, 7]).astype(np.int32)) for images, labels in (TRAIN, TEST)
    )
    put_all(tmp_path, QMNIST_NAMES, train, test)
    dataset = load_folder(tmp_path)
    np.testing.assert_array_equal(dataset.train.labels, TRAIN[1])
    np.testing.assert_array_equal(dataset.test.labels, TEST[1])
    assert dataset.transform == "none"


def on_black(n: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return `n` blots, white on black."""
    images = np.zeros((n, height, width), np.uint8)
    images[:, height // 4 : -(height // 4), width // 3 : -(width // 3)] = digits(n, side=1)[0] // 2 + 120
    return images


@pytest.mark.parametrize(("height", "width"), [(16, 16), (28, 28), (100, 60)])
@pytest.mark.parametrize("paper", [255, 230])
@pytest.mark.parametrize("names", [MNIST_NAMES, EMNIST_NAMES], ids=["mnist", "emnist"])
def test_dark_ink_on_light_paper_is_inverted(
    tmp_path: Path, height: int, width: int, paper: int, names: list[str]
) -> None:
    light = np.minimum(on_black(40, height, width), paper)
    loaded = []
    dark = (paper - light).astype(np.uint8)
    dark[:, 0, 0] = 255  # lighter than the paper
    for name, images in (("ink", light), ("paper", dark)):
        put_all(tmp_path / name, names, (images, TRAIN[1]), (images[:20], TEST[1]))
        loaded.append(load_folder(tmp_path / name))
    for part in ("train", "test"):
        np.testing.assert_array_equal(getattr(loaded[1], part).images, getattr(loaded[0], part).images)
    transforms = ["transpose"] * (names is EMNIST_NAMES) + ["inverted"] + ["mnist-procedure"] * (height != 28)
    assert loaded[1].transform == "+".join(transforms)
    assert "inverted" not in loaded[0].transform


def test_without_test_files_a_fifth_is_held_out(tmp_path: Path) -> None:
    for name, array in zip(MNIST_NAMES[:2], TRAIN, strict=True):
        put_idx(tmp_path / name, array)
    dataset = load_folder(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (32, 8)
    assert load_folder(tmp_path).digest == dataset.digest


@pytest.mark.parametrize("missing", MNIST_NAMES)
def test_a_missing_half_is_named(tmp_path: Path, missing: str) -> None:
    put_all(tmp_path, MNIST_NAMES)
    (tmp_path / missing).unlink()
    part, kind, *_ = missing.replace("t10k", "test").split("-")
    with pytest.raises(DigitsError, match=f"no {part} {kind}"):
        load_folder(tmp_path)


def test_several_sets_in_a_folder_are_refused(tmp_path: Path) -> None:
    put_all(tmp_path, EMNIST_NAMES)
    put_all(tmp_path, [name.replace("digits", "mnist") for name in EMNIST_NAMES])
    with pytest.raises(DigitsError, match=r"\(emnist-digits-\*, emnist-mnist-\*\)"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("labels", "problem"), [(TRAIN[1] + 1, "classes 1 to 10"), (np.full_like(TRAIN[1], 7), "class only, 7")]
)
def test_letters_and_a_single_class_are_refused(tmp_path: Path, labels: NDArray[np.uint8], problem: str) -> None:
    put_all(tmp_path, EMNIST_NAMES, (TRAIN[0], labels))
    with pytest.raises(DigitsError, match=problem):
        load_folder(tmp_path)
    if labels.max() > 9:
        with pytest.raises(DigitsError, match=problem):
            load_target(str(tmp_path))


@pytest.mark.parametrize("names", [MNIST_NAMES, PLAIN_NAMES], ids=["gzip", "plain"])
@pytest.mark.parametrize("parts", [[0], [2], [0, 2]], ids=["train", "test", "both"])
def test_networks_are_used_on_images_without_labels(tmp_path: Path, names: list[str], parts: list[int]) -> None:
    content = {0: TRAIN[0], 2: TEST[0]}
    for part in parts:
        put_idx(tmp_path / names[part], content[part])
    data = load_target(str(tmp_path))
    assert isinstance(data, Unlabelled)
    assert data.files == ()
    assert data.transform == "none"
    np.testing.assert_array_equal(data.train.images, content[parts[0]])
    np.testing.assert_array_equal(data.test.images, content[parts[-1]])
    with pytest.raises(DigitsError, match="train-labels-idx1-ubyte" if 0 in parts else "none to train on"):
        load_folder(tmp_path)


@pytest.mark.parametrize("side", [16, 28])
def test_images_without_labels_are_inverted_too(tmp_path: Path, side: int) -> None:
    images = np.zeros((5, side, side), np.uint8)
    images[:, 4:-4, side // 2 :] = 200
    images[:, :, -2:] = 0
    put_idx(tmp_path / "t10k-images-idx3-ubyte", np.invert(images))
    data = load_target(str(tmp_path))
    assert data.transform == ("inverted" if side == 28 else "inverted+mnist-procedure")
    expected = images if side == 28 else np.stack([fit_to_mnist(image) for image in images])
    np.testing.assert_array_equal(data.test.images, expected)
