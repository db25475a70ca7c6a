"""IDX files of every type are read; what is not exactly one is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_writer import CODES, digits, idx_bytes, put_idx
from numpy.typing import NDArray

from experiments.datasets.content import Content
from experiments.datasets.idx import parse, parse_split, read
from experiments.errors import DigitsError

ANY_ARRAY = st.sampled_from(list(CODES)).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)
IMAGES, LABELS = digits(12)


def content(data: bytes, name: str = "file") -> Content:
    return Content(Path(name), data)


@given(array=ANY_ARRAY)
def test_round_trip_of_every_type_and_rank(array: NDArray[Any]) -> None:
    parsed = parse(content(idx_bytes(array)))
    assert parsed.dtype == array.dtype
    assert parsed.dtype.isnative
    np.testing.assert_array_equal(parsed, array)


@given(array=ANY_ARRAY, length=st.data(), tail=st.binary(min_size=1, max_size=20))
def test_too_few_and_too_many_bytes_are_refused(array: NDArray[Any], length: st.DataObject, tail: bytes) -> None:
    whole = idx_bytes(array)
    cut = whole[: length.draw(st.integers(0, len(whole) - 1))]
    for data in (cut, whole + tail):
        with pytest.raises(DigitsError, match=rf"^file.* received {len(data):,}$"):
            parse(content(data))


@pytest.mark.parametrize(
    "start",
    ["0001 0801", "0000 0701", "0000 0a01", "0000 0800", "0000 08ff", "1f8b 0800", "3c68 746d"],
    ids=["magic", "code below", "code unused", "rank 0", "rank 255", "gzip", "html"],
)
def test_what_is_no_idx_file_is_refused(start: str) -> None:
    received = bytes.fromhex(start)
    with pytest.raises(DigitsError, match=f"^file .*{received.hex(' ')}"):
        parse(content(received + bytes(64)))


def test_dimensions_beyond_memory_are_refused_unallocated() -> None:
    header = bytes.fromhex("0000 0803 ffffffff ffffffff ffffffff")
    with pytest.raises(DigitsError, match=r"received 16$"):
        parse(content(header))


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_plain_and_gzipped_files_are_read(tmp_path: Path, name: str) -> None:
    put_idx(tmp_path / name, IMAGES)
    np.testing.assert_array_equal(read(tmp_path / name), IMAGES)


@pytest.mark.parametrize("labels", [LABELS, np.stack([LABELS, LABELS + 40], axis=1).astype(np.int32)])
def test_a_pair_of_files_becomes_a_split_whose_classes_are_the_first_column(labels: NDArray[Any]) -> None:
    images, _ = digits(12, side=20)
    raw = parse_split(content(idx_bytes(images)), content(idx_bytes(labels)))
    np.testing.assert_array_equal(raw.images, images)
    np.testing.assert_array_equal(raw.labels, LABELS)
    assert raw.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("images", "labels", "problem"),
    [
        (LABELS, IMAGES, r"^images: .* uint8 of shape \(12,\)"),
        (IMAGES, IMAGES, r"^labels: .* uint8 of shape \(12, 28, 28\)"),
        (IMAGES.astype(np.float32), LABELS, "^images: .* received float32"),
        (IMAGES, LABELS.astype(np.float32), "^labels: .* received float32"),
        (IMAGES[:0], LABELS[:0], "^images: "),
        (IMAGES, LABELS[:0], "^labels: "),
        (IMAGES, LABELS[:-1], "^images .*12 .*labels 11"),
        (IMAGES, LABELS + 1, "^labels .* 1 to 10"),
        (IMAGES, LABELS.astype(np.int8) - 1, "^labels .* -1 to 8"),
    ],
    ids="swapped twice float-images float-labels empty no-labels lengths letters negative".split(),
)
def test_files_that_are_no_pair_are_refused(images: NDArray[Any], labels: NDArray[Any], problem: str) -> None:
    with pytest.raises(DigitsError, match=problem):
        parse_split(content(idx_bytes(images), "images"), content(idx_bytes(labels), "labels"))
