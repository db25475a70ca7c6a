"""Files are decompressed as their names say, or refused."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.content import content_name, read_content, unpack
from experiments.errors import DigitsError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}


@given(data=st.binary(max_size=2000), suffix=st.sampled_from(list(COMPRESS)))
def test_round_trip(data: bytes, suffix: str) -> None:
    assert unpack(Path(f"file{suffix}"), COMPRESS[suffix](data)).data == data


@given(data=st.binary(min_size=1, max_size=500), suffix=st.sampled_from([".gz", ".bz2"]), cut=st.data())
def test_every_truncation_is_refused(data: bytes, suffix: str, cut: st.DataObject) -> None:
    whole = COMPRESS[suffix](data)
    # An empty gzip or bzip2 file is a valid file of nothing to both libraries; parsers refuse that.
    length = cut.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(DigitsError, match=rf"file\{suffix}"):
        unpack(Path(f"file{suffix}"), whole[:length])


@pytest.mark.parametrize("suffix", [".gz", ".bz2"])
def test_a_compressed_name_must_tell_the_truth(suffix: str) -> None:
    damaged = bytearray(COMPRESS[suffix](bytes(range(256)) * 20))
    damaged[len(damaged) // 2] ^= 0xFF
    for raw in (b"<html>not found</html>", b"\x00\x00\x08\x01\x00\x00\x00\x01\x07", bytes(damaged)):
        with pytest.raises(DigitsError, match=rf"labels\{suffix} .*{raw[:4].hex()}"):
            unpack(Path(f"labels{suffix}"), raw)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match=r"absent\.gz .*No such file"):
        read_content(tmp_path / "absent.gz")


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("usps.t.bz2", bz2.compress(b"7"), "usps.t.bz2"),
        ("usps.t.bz2", b"7 1:1", "usps.t"),
        ("zip.train.gz", gzip.compress(b"7", mtime=0), "zip.train.gz"),
        ("zip.train.gz", b"6.0000 -1", "zip.train"),
    ],
)
def test_content_name_drops_a_suffix_that_is_not_true(name: str, raw: bytes, expected: str) -> None:
    assert content_name(name, raw) == expected
