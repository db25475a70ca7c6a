"""The contract of the published datasets, and what follows from their registry."""

import doctest
import gzip
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.datasets import DATASET_NAMES, catalog, load, published
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.published_dataset import PublishedDataset, sha256_is
from experiments.errors import DigitsError

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
HOWTO = (ROOT / "docs" / "howto.md").read_text()

every = pytest.mark.parametrize("dataset", PUBLISHED.values(), ids=PUBLISHED)


@every
def test_it_says_everything_about_itself(dataset: PublishedDataset) -> None:
    assert PUBLISHED[dataset.name] is dataset
    assert re.fullmatch(r"[a-z0-9]+", dataset.name)
    assert dataset.description
    assert "\n" not in dataset.description
    assert dataset.homepage.startswith("http")
    assert min(*dataset.sizes, *dataset.shape) > 0


@every
def test_it_is_either_bundled_or_has_files_and_mirrors(dataset: PublishedDataset) -> None:
    assert bool(dataset.editions) != bool(dataset.bundle)
    for edition in dataset.editions:
        assert len({file.name for file in edition.files}) == len(edition.files) > 0
        assert edition.mirrors
        assert all(re.fullmatch("https://.*/", mirror) for mirror in edition.mirrors)
    if dataset.bundle:
        assert dataset.bundle.folder().is_dir()
        raw = dataset.bundle.read()
        assert (len(raw.images), raw.images.shape[1:]) == (sum(dataset.sizes), dataset.shape)


@every
def test_it_is_listed(dataset: PublishedDataset, tmp_path: Path) -> None:
    (listing,) = [one for one in catalog(tmp_path) if one.name == dataset.name]
    assert (listing.sizes, listing.shape, listing.homepage) == (dataset.sizes, dataset.shape, dataset.homepage)
    assert dataset.name in DATASET_NAMES


@every
def test_it_is_in_the_table_of_the_readme(dataset: PublishedDataset) -> None:
    (train, test), (height, width) = dataset.sizes, dataset.shape
    assert f"| `{dataset.name}` | {train:,} + {test:,} | {height}x{width} |" in README


def test_the_documented_example_holds() -> None:
    result = doctest.testmod(published)
    assert (result.attempted, result.failed) == (1, 0)


@pytest.fixture
def postcards() -> ModuleType:
    """Return the module that the guide shows as the file of a new dataset."""
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", HOWTO, re.DOTALL) if "POSTCARDS" in block]
    module = ModuleType("postcards")
    exec(code, module.__dict__)
    return module


def lines(rows: NDArray[np.int64]) -> bytes:
    return b"\n".join(",".join(map(str, row)).encode() for row in rows)


def test_a_new_dataset_is_one_file_and_one_line(
    postcards: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Add the dataset of the guide to the registry, with files of its format, and load it."""
    rng = np.random.default_rng(0)
    rows = [np.column_stack([np.arange(n) % 10, rng.integers(0, 256, (n, 256))]) for n in (600, 200)]
    (edition,) = postcards.POSTCARDS.editions
    files = []
    (tmp_path / "postcards").mkdir()
    for file, part in zip(edition.files, rows, strict=True):
        (tmp_path / "postcards" / file.name).write_bytes(gzip.compress(lines(part)))
        files.append(replace(file, check=sha256_is(hashlib.sha256(lines(part)).hexdigest())))
    new = replace(postcards.POSTCARDS, editions=(replace(edition, files=tuple(files)),))
    monkeypatch.setitem(PUBLISHED, new.name, new)
    data = load("postcards", data_dir=tmp_path)
    assert (len(data.train), len(data.test)) == new.sizes
    assert (data.name, data.transform) == ("postcards", "mnist-procedure")
    np.testing.assert_array_equal(data.test.labels, np.arange(200) % 10)
    assert catalog(tmp_path)[-1].state == "verified"


@pytest.mark.parametrize("line", [b"1,2,3", b"1" + b",256" * 256, b"10" + b",0" * 256, b"a" + b",0" * 256, b""])
def test_the_parser_of_the_guide_rejects_malformed_lines(postcards: ModuleType, line: bytes) -> None:
    good = b"1" + b",0" * 256
    with pytest.raises(DigitsError, match=r"^cards, line 2: expected a label"):
        postcards.parse_postcards(postcards.Content(Path("cards"), b"\n".join([good, line, good])))
    with pytest.raises(DigitsError, match=r"^cards is empty"):
        postcards.parse_postcards(postcards.Content(Path("cards"), b""))
