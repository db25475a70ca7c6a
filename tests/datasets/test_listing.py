import shutil
from pathlib import Path

import pytest

from experiments.datasets.listing import Listing, catalog


def entry(name: str, data_dir: Path) -> Listing:
    return next(listing for listing in catalog(data_dir) if listing.name == name)


@pytest.fixture(autouse=True)
def nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the environment and the user's cache hold."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    for variable in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


def test_what_is_nowhere_is_missing(tmp_path: Path) -> None:
    listings = catalog(tmp_path)
    assert [(listing.name, listing.state) for listing in listings] == [
        ("mnist", "missing"),
        ("usps", "missing"),
        ("uci", "bundled"),
    ]
    assert all(listing.found is None for listing in listings)


def test_sizes_and_shapes_are_the_published_ones(tmp_path: Path) -> None:
    assert {listing.name: (listing.sizes, listing.shape) for listing in catalog(tmp_path)} == {
        "mnist": ((60_000, 10_000), (28, 28)),
        "usps": ((7_291, 2_007), (16, 16)),
        "uci": ((1_438, 359), (8, 8)),
    }


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist", "usps"])
def test_what_is_as_published_is_verified(name: str, data_dir: Path) -> None:
    listing = entry(name, data_dir)
    assert listing.state == "verified"
    assert listing.found == data_dir / name


@pytest.mark.real_data
def test_a_changed_file_is_corrupt(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "usps").mkdir()
    shutil.copyfile(data_dir / "usps" / "zip.train.gz", tmp_path / "usps" / "zip.train.gz")
    shutil.copyfile(data_dir / "usps" / "zip.train.gz", tmp_path / "usps" / "zip.test.gz")
    listing = entry("usps", tmp_path)
    assert listing.state == "corrupt"
    assert listing.found == tmp_path / "usps"
