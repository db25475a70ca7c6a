"""The contract of the published datasets, and what follows from their registry."""

import doctest
import re
from pathlib import Path

import pytest

from experiments.datasets import DATASET_NAMES, catalog, published
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.published_dataset import PublishedDataset

README = Path(__file__).parents[3] / "README.md"

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
    assert f"| `{dataset.name}` | {train:,} + {test:,} | {height}x{width} |" in README.read_text()


def test_the_documented_example_holds() -> None:
    result = doctest.testmod(published)
    assert (result.attempted, result.failed) == (1, 0)
