"""The contract of published and derived datasets: a new one is tested as soon as it is registered."""

import doctest
import gzip
import hashlib
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from idx_writer import digits
from PIL import Image
from sklearn.datasets import load_digits

from experiments.datasets import DATASET_NAMES, DERIVED, Dataset, catalog, check_trainable, fetch, load
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.derivations.derivation import Derivation, DerivedDataset
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.published_dataset import PublishedDataset, sha256_is
from experiments.datasets.published.usps import TEST_COUNTS, TRAIN_COUNTS
from experiments.errors import DigitsError, UsageError
from experiments.execution.versions import code_version
from experiments.pictures.normalization import fit_to_mnist

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# Digits per class, as counted in the literature, e.g. Deng (2012), IEEE Signal Processing Magazine 29(6).
MNIST_COUNTS = (
    (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
)


@cache
def loaded(name: str, folder: Path | None) -> Dataset:
    return load(name, data_dir=folder)


@pytest.mark.parametrize("dataset", PUBLISHED.values(), ids=PUBLISHED)
class TestEveryPublishedDataset:
    def test_it_says_everything_about_itself(self, dataset: PublishedDataset, tmp_path: Path) -> None:
        assert PUBLISHED[dataset.name] is dataset
        assert re.fullmatch(r"[a-z0-9]+", dataset.name)
        assert dataset.name in DATASET_NAMES
        assert re.fullmatch(".+", dataset.description)
        assert dataset.homepage.startswith("http")
        (train, test), (height, width) = dataset.sizes, dataset.shape
        assert f"| `{dataset.name}` | {train:,} + {test:,} | {height}x{width} |" in README
        (listing,) = [one for one in catalog(tmp_path) if one.name == dataset.name]
        assert (listing.sizes, listing.shape, listing.homepage) == (dataset.sizes, dataset.shape, dataset.homepage)

    def test_it_is_either_bundled_or_has_files_and_mirrors(self, dataset: PublishedDataset) -> None:
        assert bool(dataset.editions) != bool(dataset.bundle)
        for edition in dataset.editions:
            assert len({file.name for file in edition.files}) == len(edition.files) > 0
            assert edition.mirrors
            assert all(re.fullmatch("https://.*/", mirror) for mirror in edition.mirrors)
        if dataset.bundle:
            raw = dataset.bundle.read()
            assert (len(raw.images), raw.images.shape[1:]) == (sum(dataset.sizes), dataset.shape)
            assert fetch(dataset.name) == dataset.bundle.folder()
            assert dataset.bundle.folder().is_dir()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if published.bundle else pytest.mark.real_data)
        for name, published in PUBLISHED.items()
    ],
)
class TestTheDigitsOfEveryPublishedDataset:
    @pytest.fixture
    def dataset(self, name: str, request: pytest.FixtureRequest) -> Dataset:
        return loaded(name, None if PUBLISHED[name].bundle else request.getfixturevalue("data_dir"))

    def test_they_are_28x28_white_on_black_of_ten_classes(self, name: str, dataset: Dataset) -> None:
        assert (len(dataset.train), len(dataset.test)) == PUBLISHED[name].sizes
        assert dataset.transform == ("none" if PUBLISHED[name].shape == (28, 28) else "mnist-procedure")
        for split in (dataset.train, dataset.test):
            assert split.images.dtype == np.uint8
            assert split.images.shape == (len(split), 28, 28)
            assert (split.images.min(), split.images.max()) == (0, 255)
            assert set(np.unique(split.labels)) == set(range(10))
            assert np.median(split.images[:, [0, -1]]) == 0

    def test_their_centers_of_mass_are_at_the_center(self, name: str, dataset: Dataset) -> None:  # noqa: ARG002
        images = dataset.test.images.astype(float)
        mass = images.sum(axis=(1, 2))
        for axis in (1, 2):
            centers = (images.sum(axis=axis) @ np.arange(28)) / mass
            assert np.all(np.abs(centers - 14) <= 0.5 + 1e-6)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "counts"), [("mnist", MNIST_COUNTS), ("usps", (TRAIN_COUNTS, TEST_COUNTS))])
def test_classes_are_as_many_as_published(name: str, counts: tuple[tuple[int, ...], ...], data_dir: Path) -> None:
    dataset = loaded(name, data_dir)
    for split, expected in zip((dataset.train, dataset.test), counts, strict=True):
        assert np.bincount(split.labels).tolist() == list(expected)
    assert dataset.source == str(data_dir / name)
    for fetched in (name, f"{name}-c"):
        assert fetch(fetched, data_dir=data_dir) == data_dir / name


def test_uci_holds_scikit_learns_digits_divided_80_to_20() -> None:
    dataset, published = load("uci"), load_digits()
    counts = np.bincount(published.target)
    train, test = np.bincount(dataset.train.labels), np.bincount(dataset.test.labels)
    np.testing.assert_array_equal(train + test, counts)
    assert np.all(np.abs(test - 0.2 * counts) <= 1)
    # scikit-learn's first digit is in one of the splits, by MNIST's procedure.
    first = fit_to_mnist(np.rint(published.images[0] / 16 * 255).astype(np.uint8))
    images = np.concatenate([dataset.train.images, dataset.test.images])
    assert (images == first).all(axis=(1, 2)).sum() == 1
    assert dataset.source == "scikit-learn"
    assert load("uci").digest == dataset.digest


@pytest.fixture
def nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the environment and the user's cache hold."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    for variable in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


@pytest.mark.usefixtures("nowhere_else")
def test_what_is_nowhere_is_missing(tmp_path: Path) -> None:
    states = {"mnist": ("missing", None), "usps": ("missing", None), "uci": ("bundled", None)}
    assert {one.name: (one.state, one.found) for one in catalog(tmp_path)} == states


@pytest.fixture
def postcards() -> ModuleType:
    """Return the module that the guide shows as the file of a new dataset."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "howto.md").read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "POSTCARDS" in block]
    module = ModuleType("postcards")
    exec(code, module.__dict__)
    return module


@pytest.mark.usefixtures("nowhere_else")
def test_a_new_dataset_is_one_file_and_one_line(
    postcards: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Add the dataset of the guide to the registry, with files of its format, and load it."""
    rng = np.random.default_rng(0)
    (edition,) = postcards.POSTCARDS.editions
    files, folder = [], tmp_path / "postcards"
    folder.mkdir()
    for file, n in zip(edition.files, (600, 200), strict=True):
        rows = np.column_stack([np.arange(n) % 10, rng.integers(0, 256, (n, 256))])
        lines = b"\n".join(",".join(map(str, row)).encode() for row in rows)
        (folder / file.name).write_bytes(gzip.compress(lines))
        files.append(replace(file, check=sha256_is(hashlib.sha256(lines).hexdigest())))
    new = replace(postcards.POSTCARDS, editions=(replace(edition, files=tuple(files), transform="smoothed"),))
    monkeypatch.setitem(PUBLISHED, new.name, new)
    data = load("postcards", data_dir=tmp_path)
    assert (len(data.train), len(data.test)) == new.sizes
    assert (data.name, data.transform, data.source) == ("postcards", "smoothed+mnist-procedure", str(folder))
    np.testing.assert_array_equal(data.test.labels, np.arange(200) % 10)
    framed = load("postcards", data_dir=tmp_path, alignment="frame")
    assert framed.transform == "smoothed+frame"
    assert not np.array_equal(framed.test.images, data.test.images)
    assert (catalog(tmp_path)[-1].state, catalog(tmp_path)[-1].found) == ("verified", folder)
    (folder / edition.files[1].name).write_bytes(gzip.compress(lines[:-1]))
    assert (catalog(tmp_path)[-1].state, catalog(tmp_path)[-1].found) == ("corrupt", folder)


@pytest.mark.parametrize("line", [b"1,2,3", b"1" + b",256" * 256, b"10" + b",0" * 256, b"a" + b",0" * 256, b""])
def test_the_parser_of_the_guide_rejects_malformed_lines(postcards: ModuleType, line: bytes) -> None:
    good = b"1" + b",0" * 256
    for data, problem in ((b"\n".join([good, line, good]), "^cards, line 2: "), (b"", "^cards is empty")):
        with pytest.raises(DigitsError, match=problem):
            postcards.parse_postcards(postcards.Content(Path("cards"), data))


@pytest.mark.parametrize("derivation", DERIVATIONS.values(), ids=DERIVATIONS)
class TestEveryDerivedDataset:
    def test_there_is_one_of_each_published_dataset(self, derivation: Derivation) -> None:
        assert DERIVATIONS[derivation.suffix] is derivation
        assert derivation.suffix.startswith("-")
        assert re.fullmatch(".+", derivation.description)
        names = {source: f"{source}{derivation.suffix}" for source in PUBLISHED}
        for source, name in names.items():
            assert DERIVED[name] == DerivedDataset(PUBLISHED[source], derivation)
            assert DERIVED[name].name == name in DATASET_NAMES
        row = ", ".join(f"`{name}`" for name in names.values())
        assert f"\n| {row} |" in README

    def test_it_is_made_from_loaded_digits(self, derivation: Derivation) -> None:
        source, name = load("uci"), f"uci{derivation.suffix}"
        data = load(name)
        assert (data.name, data.source) == (name, source.source)
        assert data.digest == DERIVED[name].make(source).digest != source.digest
        assert fetch(name) == fetch("uci")

    @pytest.mark.parametrize("options", [None, "train.TrainOptions", "tune.TuneOptions"])
    def test_only_trainable_ones_are_trained_on(self, derivation: Derivation, options: str | None) -> None:
        def use(name: str) -> None:
            if options is None:
                check_trainable(name)
            else:
                module, kind = options.split(".")
                getattr(importlib.import_module(f"experiments.workflows.{module}"), kind)("lenet", name)

        use("uci")
        name = f"uci{derivation.suffix}"
        if derivation.trainable:
            use(name)
        else:
            with pytest.raises(UsageError, match=rf"{name} .* uci\b"):
                use(name)


def test_the_code_of_corrupted_digits_is_that_of_every_corruption() -> None:
    functions = DERIVED["mnist-c"].functions
    modules = {inspect.getmodule(function) for function in functions}
    assert modules >= {inspect.getmodule(corruption.apply) for corruption in CORRUPTIONS.values()}
    assert code_version(*functions) != code_version(*functions[:1])
    assert code_version(*functions) != code_version(*DERIVED["mnist-deskewed"].functions)


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
        ("mnits", r"'mnits' \(did you mean mnist\?\): .* mnist, usps, uci"),
        ("USPS", r"did you mean usps\?"),
        ("usp-c", r"did you mean usps-c\?"),
        ("zebra", "'zebra': .* mnist, usps, uci"),
        ("./mnits", r"no folder \./mnits"),
        ("/nowhere/at/all", "no folder /nowhere/at/all"),
        ("", "''"),
        (__file__, "is a file: .*mnist, usps, uci"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(use: Callable[[str], Any], name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        use(name)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("datasets", {"sklearn", "scipy", "PIL", "pooch", "requests", "platformdirs", "pandas"}),
        ("datasets.corruptions", {"scipy", "skimage"}),
        ("pictures", {"tensorflow", "keras", "mlflow", "sklearn", "pandas", "scipy", "PIL", "experiments.datasets"}),
    ],
)
def test_the_import_is_cheap(module: str, heavy: set[str]) -> None:
    code = f"import sys, experiments.{module}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert heavy.isdisjoint(modules.split())


@pytest.mark.parametrize(
    ("module", "examples"), [("", 4), (".alignment", 2), (".corruptions", 6), (".derivations", 1), (".published", 1)]
)
def test_the_documented_examples_hold(module: str, examples: int) -> None:
    result = doctest.testmod(importlib.import_module(f"experiments.datasets{module}"))
    assert (result.attempted, result.failed) == (examples, 0)
