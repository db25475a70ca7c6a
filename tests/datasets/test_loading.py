import doctest
import gzip
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from idx_writer import digits
from PIL import Image

import experiments.datasets
from experiments.datasets import DATASET_NAMES, Dataset, fetch, load
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.usps import TEST_COUNTS, TRAIN_COUNTS
from experiments.errors import UsageError

# Digits per class, as counted in the literature, e.g. Deng (2012), IEEE Signal Processing Magazine 29(6).
MNIST_COUNTS = (
    (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
)


@cache
def loaded(name: str, folder: Path | None) -> Dataset:
    return load(name, data_dir=folder)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if published.bundle else pytest.mark.real_data)
        for name, published in PUBLISHED.items()
    ],
)
def dataset(request: pytest.FixtureRequest) -> Dataset:
    folder = None if PUBLISHED[request.param].bundle else request.getfixturevalue("data_dir")
    return loaded(request.param, folder)


def test_every_dataset_has_one_shape(dataset: Dataset) -> None:
    assert dataset.name in DATASET_NAMES
    for split in (dataset.train, dataset.test):
        assert split.images.dtype == np.uint8
        assert split.images.shape == (len(split), 28, 28)
        assert split.images.max() == 255
        assert set(np.unique(split.labels)) == set(range(10))
        floats = split.take(range(10)).as_float()
        assert (floats.min(), floats.max()) == (0, 1)


def test_every_digit_is_white_on_black_and_centered(dataset: Dataset) -> None:
    images = dataset.test.images.astype(float)
    mass = images.sum(axis=(1, 2))
    assert np.median(images[:, [0, -1]]) == 0
    for axis in (1, 2):
        centres = (images.sum(axis=axis) @ np.arange(28)) / mass
        assert np.all(np.abs(centres - 14) <= 0.5 + 1e-6)


def test_sizes_are_those_of_the_registry(dataset: Dataset) -> None:
    assert (len(dataset.train), len(dataset.test)) == PUBLISHED[dataset.name].sizes


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "counts", "transform"),
    [("mnist", MNIST_COUNTS, "none"), ("usps", (TRAIN_COUNTS, TEST_COUNTS), "mnist-procedure")],
)
def test_classes_are_as_many_as_published(
    name: str, counts: tuple[tuple[int, ...], ...], transform: str, data_dir: Path
) -> None:
    dataset = loaded(name, data_dir)
    for split, expected in zip((dataset.train, dataset.test), counts, strict=True):
        assert np.bincount(split.labels).tolist() == list(expected)
    assert dataset.transform == transform
    assert dataset.source == str(data_dir / name)


def libsvm_lines(zip_lines: bytes) -> bytes:
    """Rewrite the lines of zip.train or zip.test as LIBSVM writes them, values as they are."""
    written = []
    for label, *values in map(bytes.split, zip_lines.splitlines()):
        pairs = [b"%d:%s" % (index, value) for index, value in enumerate(values, 1)]
        written.append(b" ".join([b"%d" % (float(label) + 1), *pairs]))
    return b"\n".join(written)


@pytest.mark.real_data
def test_usps_is_read_in_libsvms_form_too(data_dir: Path, tmp_path: Path) -> None:
    zipped = loaded("usps", data_dir)
    folder = tmp_path / "usps"
    folder.mkdir()
    for part, name in (("train", "usps"), ("test", "usps.t")):
        published = gzip.decompress((data_dir / "usps" / f"zip.{part}.gz").read_bytes())
        (folder / name).write_bytes(libsvm_lines(published))
    rewritten = load("usps", data_dir=tmp_path)
    assert rewritten.transform == "smoothed+mnist-procedure"
    # Equal here, for the values are those of zip; LIBSVM's own are smoothed.
    assert rewritten.digest == zipped.digest


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist", "usps"])
def test_fetch_finds_what_is_there(name: str, data_dir: Path) -> None:
    assert fetch(name, data_dir=data_dir) == data_dir / name


def test_fetch_of_bundled_digits_needs_nothing() -> None:
    assert (fetch("uci") / "digits.csv.gz").is_file()


def test_a_folder_is_loaded_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label, image in enumerate(digits(10)[0]):
        (tmp_path / "own" / str(label)).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "own" / str(label) / "a.png")
    monkeypatch.chdir(tmp_path)
    assert load("own").name == load(str(tmp_path / "own")).name == "own"
    assert fetch("own") == Path("own")


@pytest.mark.parametrize("use", [load, fetch])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("mnits", r"no dataset or folder 'mnits' \(did you mean mnist\?\): .* mnist, usps, uci"),
        ("USPS", r"did you mean usps\?"),
        ("zebra", "no dataset or folder 'zebra': .* mnist, usps, uci"),
        ("./mnits", r"no folder \./mnits"),
        ("/nowhere/at/all", "no folder /nowhere/at/all"),
        ("", "no dataset or folder ''"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(use: Callable[[str], object], name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        use(name)


def test_a_file_is_no_dataset(tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="is a file: give the folder"):
        load(str(path))


def test_the_import_is_cheap() -> None:
    heavy = {"sklearn", "scipy", "PIL", "pooch", "requests", "platformdirs", "pandas"}
    code = "import sys, experiments.datasets; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert heavy.isdisjoint(modules.split())


def test_the_documented_example_holds() -> None:
    result = doctest.testmod(experiments.datasets)
    assert result.attempted == 4
    assert result.failed == 0
