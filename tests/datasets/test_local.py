import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from idx_writer import digits, idx_bytes

from experiments.datasets.local import locate, read_verified, search_folders
from experiments.datasets.published.mnist import MNIST
from experiments.datasets.published.published_dataset import PublishedDataset, RemoteFile, sha256_is
from experiments.errors import DigitsError

NAMES = [file.name for file in MNIST.editions[0].files]
CONTENTS = dict(zip(NAMES, map(idx_bytes, (*digits(30), *digits(20))), strict=True))


@pytest.fixture
def tiny() -> PublishedDataset:
    files = tuple(
        RemoteFile(name, sha256_is(hashlib.sha256(content).hexdigest())) for name, content in CONTENTS.items()
    )
    return replace(MNIST, name="tiny", editions=(replace(MNIST.editions[0], files=files),))


def put(root: Path, compressed: bool = True) -> Path:
    folder = root / "tiny"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        if compressed:
            (folder / name).write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(content)
    return folder


def test_the_order_of_looking(tmp_path: Path, tiny: PublishedDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_DATA_DIR", str(tmp_path / "env"))
    given, env, cache = search_folders(tiny, tmp_path / "given")
    assert (given, env) == (tmp_path / "given" / "tiny", tmp_path / "env" / "tiny")
    assert cache.parts[-2:] == ("digits", "tiny") or cache.parts[-3:] == ("digits", "Cache", "tiny")
    assert locate(tiny, tmp_path / "given") is None
    put(tmp_path / "env")
    assert locate(tiny, tmp_path / "given") == (env, tiny.editions[0])
    put(tmp_path / "given")
    assert locate(tiny, tmp_path / "given") == (given, tiny.editions[0])
    assert locate(tiny, None) == (env, tiny.editions[0])


def test_an_incomplete_folder_is_passed_over(
    tmp_path: Path, tiny: PublishedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA_DIR", str(tmp_path / "env"))
    (put(tmp_path / "given") / NAMES[2]).unlink()
    env = put(tmp_path / "env")
    assert locate(tiny, tmp_path / "given") == (env, tiny.editions[0])


@pytest.mark.parametrize("compressed", [True, False])
def test_compressed_and_plain_files_are_read(tmp_path: Path, tiny: PublishedDataset, compressed: bool) -> None:
    copy = read_verified(put(tmp_path, compressed), tiny.editions[0])
    assert [content.data for content in copy.contents] == list(CONTENTS.values())


@pytest.mark.parametrize(
    "damage",
    [gzip.compress(CONTENTS[NAMES[0]], mtime=0), gzip.compress(CONTENTS[NAMES[1]], mtime=0)[:-1], b""],
    ids=["another file", "truncated", "empty"],
)
def test_a_corrupt_file_is_named_with_what_to_do(tmp_path: Path, tiny: PublishedDataset, damage: bytes) -> None:
    folder = put(tmp_path)
    (folder / NAMES[1]).write_bytes(damage)
    with pytest.raises(DigitsError, match=rf"{NAMES[1]}.*; delete the file and run `digits data fetch tiny`$"):
        read_verified(folder, tiny.editions[0])
