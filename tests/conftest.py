"""Fixtures that every part of the tests shares."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real data; tests that need it skip where it is absent."""
    configured = os.environ.get("DIGITS_DATA_DIR")
    if not configured:
        pytest.skip(
            "the real MNIST and USPS are needed: set DIGITS_DATA_DIR to a folder with mnist/ and usps/"
        )
    folder = Path(configured).resolve()
    if not (folder / "mnist").is_dir() or not (folder / "usps").is_dir():
        pytest.skip(f"no mnist/ and usps/ in DIGITS_DATA_DIR={configured}")
    return folder
