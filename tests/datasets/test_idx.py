import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_writer import CODES, digits, idx_bytes
from numpy.typing import NDArray

from experiments.datasets.content import Content
from experiments.datasets.idx import parse, parse_split, read
from experiments.errors import DigitsError

ANY_ARRAY = st.sampled_from(list(CODES)).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


def content(data: bytes, name: str = "file") -> Content:
    return Content(Path(name), data)


@given(array=ANY_ARRAY)
def test_round_trip_of_every_type_and_rank(array: NDArray[Any]) -> None:
    parsed = parse(content(idx_bytes(array)))
    assert parsed.dtype == array.dtype
    assert parsed.dtype.isnative
    np.testing.assert_array_equal(parsed, array)


@given(array=ANY_ARRAY, cut=st.data())
def test_every_truncation_is_refused(array: NDArray[Any], cut: st.DataObject) -> None:
    whole = idx_bytes(array)
    length = cut.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DigitsError, match=r"^file.* received \d+$"):
        parse(content(whole[:length]))


@given(array=ANY_ARRAY, tail=st.binary(min_size=1, max_size=20))
def test_appended_bytes_are_refused(array: NDArray[Any], tail: bytes) -> None:
    with pytest.raises(DigitsError, match=r"^file: an IDX file of shape .* bytes, received"):
        parse(content(idx_bytes(array) + tail))


@pytest.mark.parametrize(
    "start",
    ["0001 0801", "0000 0701", "0000 0a01", "0000 0800", "0000 08ff", "1f8b 0800", "3c68 746d"],
    ids=["magic", "code below", "code unused", "rank 0", "rank 255", "gzip", "html"],
)
def test_what_is_no_idx_file_is_refused(start: str) -> None:
    received = bytes.fromhex(start)
    with pytest.raises(DigitsError, match=f"is no IDX file.*received {received.hex(' ')}"):
        parse(content(received + bytes(64)))


def test_dimensions_beyond_memory_are_refused_unallocated() -> None:
    header = bytes.fromhex("0000 0803 ffffffff ffffffff ffffffff")
    with pytest.raises(DigitsError, match=r"received 16$"):
        parse(content(header))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_read_takes_plain_and_gzipped_files(tmp_path: Path, suffix: str) -> None:
    images, _ = digits(3)
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(idx_bytes(images), mtime=0) if suffix else idx_bytes(images))
    np.testing.assert_array_equal(read(path), images)


def test_a_pair_of_files_becomes_a_split() -> None:
    images, labels = digits(12, side=20)
    raw = parse_split(content(idx_bytes(images)), content(idx_bytes(labels)))
    np.testing.assert_array_equal(raw.images, images)
    np.testing.assert_array_equal(raw.labels, labels)
    assert raw.labels.dtype == np.int64


def test_the_first_column_of_labels_is_the_class() -> None:
    images, labels = digits(12)
    columns = np.stack([labels, labels + 40], axis=1).astype(np.int32)
    raw = parse_split(content(idx_bytes(images)), content(idx_bytes(columns)))
    np.testing.assert_array_equal(raw.labels, labels)


IMAGES, LABELS = digits(12)


@pytest.mark.parametrize(
    ("images", "labels", "problem"),
    [
        (LABELS, IMAGES, r"^images: expected images .* received uint8 of shape \(12,\)"),
        (IMAGES, IMAGES, r"^labels: expected labels .* received uint8 of shape \(12, 28, 28\)"),
        (IMAGES.astype(np.float32), LABELS, "^images: expected images .* received float32"),
        (IMAGES, LABELS.astype(np.float32), "^labels: expected labels .* received float32"),
        (IMAGES[:0], LABELS[:0], "^images: expected images"),
        (IMAGES, LABELS[:-1], "^images has 12 images, labels 11 labels"),
        (IMAGES, LABELS + 1, "^labels has classes 1 to 10: only digits"),
        (IMAGES, LABELS.astype(np.int8) - 1, "^labels has classes -1 to 8: only digits"),
    ],
    ids=[
        "swapped",
        "images twice",
        "float images",
        "float labels",
        "empty",
        "lengths",
        "letters",
        "negative",
    ],
)
def test_files_that_are_no_pair_are_refused(images: NDArray[Any], labels: NDArray[Any], problem: str) -> None:
    with pytest.raises(DigitsError, match=problem):
        parse_split(content(idx_bytes(images), "images"), content(idx_bytes(labels), "labels"))
