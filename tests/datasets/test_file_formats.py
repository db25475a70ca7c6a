"""Compressed files, IDX files and both published forms of USPS are read exactly, or refused by name and place."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_writer import CODES, digits, idx_bytes, put_idx
from numpy.typing import NDArray
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from experiments.datasets.content import Content, content_name, read_content, unpack
from experiments.datasets.dataset import RawSplit
from experiments.datasets.idx import parse, parse_split, read
from experiments.datasets.published.usps import TEST_COUNTS, USPS, parse_libsvm, parse_zip
from experiments.errors import DigitsError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}
ANY_ARRAY = st.sampled_from(list(CODES)).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)
IMAGES, LABELS = digits(12)
# Pixels of USPS as published: three decimals.
PIXELS = arrays(np.int64, st.tuples(st.integers(1, 3), st.just(256)), elements=st.integers(-1000, 1000))


def content(data: bytes, name: str = "file") -> Content:
    return Content(Path(name), data)


def usps(text: str) -> Content:
    return content(text.encode(), "usps")


@given(data=st.binary(max_size=2000), suffix=st.sampled_from(list(COMPRESS)))
def test_compressed_content_round_trip(data: bytes, suffix: str) -> None:
    assert unpack(Path(f"file{suffix}"), COMPRESS[suffix](data)).data == data


@given(data=st.binary(min_size=1, max_size=500), suffix=st.sampled_from([".gz", ".bz2"]), cut=st.data())
def test_every_truncation_of_compressed_content_is_refused(data: bytes, suffix: str, cut: st.DataObject) -> None:
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


@given(array=ANY_ARRAY)
def test_idx_round_trip_of_every_type_and_rank(array: NDArray[Any]) -> None:
    parsed = parse(content(idx_bytes(array)))
    assert parsed.dtype == array.dtype
    assert parsed.dtype.isnative
    np.testing.assert_array_equal(parsed, array)


@given(array=ANY_ARRAY, length=st.data(), tail=st.binary(min_size=1, max_size=20))
def test_too_few_and_too_many_bytes_of_idx_are_refused(array: NDArray[Any], length: st.DataObject, tail: bytes) -> None:
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
def test_plain_and_gzipped_idx_files_are_read(tmp_path: Path, name: str) -> None:
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


def zip_line(label: str = "6.0000", values: int = 256, value: str = "-1.0000") -> str:
    return " ".join([label, *[value] * values]) + " \n"


@settings(max_examples=20)
@given(thousandths=PIXELS, formatted=st.sampled_from(["{:.4f}", "{:g}"]))
def test_zip_round_trip(thousandths: NDArray[np.int64], formatted: str) -> None:
    labels = np.arange(len(thousandths)) * 4 % 10
    rows = np.column_stack([labels, thousandths / 1000])
    raw = parse_zip(usps("\n".join(" ".join(formatted.format(value) for value in row) for row in rows)))
    np.testing.assert_array_equal(raw.images, np.rint((thousandths / 1000 + 1) * 127.5).reshape(-1, 16, 16))
    np.testing.assert_array_equal(raw.labels, labels)
    assert raw.images.dtype == np.uint8
    assert raw.labels.dtype == np.int64


@settings(max_examples=20)
@given(thousandths=PIXELS)
def test_libsvm_agrees_with_scikit_learn(
    thousandths: NDArray[np.int64], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("libsvm") / "usps"
    dump_svmlight_file(thousandths / 1000, np.arange(len(thousandths)) + 1, str(path), zero_based=False)
    values, labels = load_svmlight_file(str(path), n_features=256)
    raw = parse_libsvm(read_content(path))
    np.testing.assert_array_equal(raw.images, np.rint((values.toarray() + 1) * 127.5).reshape(-1, 16, 16))
    np.testing.assert_array_equal(raw.labels, labels - 1)


def test_a_value_that_libsvm_leaves_out_is_zero_which_is_mid_grey() -> None:
    raw = parse_libsvm(usps("10 1:-1 256:1.000000 \n1\n"))
    np.testing.assert_array_equal(raw.labels, [9, 0])
    np.testing.assert_array_equal(raw.images[0].ravel(), [0, *[128] * 254, 255])
    np.testing.assert_array_equal(raw.images[1], 128)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (zip_line(values=255), "256 numbers"),
        (zip_line(values=257), "258 numbers"),
        (zip_line(label="10"), "0 to 9, received 10"),
        (zip_line(label="0.5"), "0 to 9, received 0.5"),
        (zip_line(label="nan"), "0 to 9, received nan"),
        (zip_line(value="1.5"), r"\[-1, 1\], received 1.5"),
        (zip_line(value="nan"), r"\[-1, 1\], received nan"),
        (zip_line(value="1,5"), "1,5"),
        ("\n", "blank line"),
    ],
)
def test_a_malformed_zip_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(DigitsError, match=f"^usps, line 3: .*{problem}"):
        parse_zip(usps(zip_line() * 2 + line + zip_line()))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0 1:0.5", "1 to 10, received 0"),
        ("11 1:0.5", "1 to 10, received 11"),
        ("7 0:0.5", "1 to 256"),
        ("7 257:0.5", "1 to 256"),
        ("7 2:0.5 2:0.5", "index once"),
        ("7 1.5:0.5", "index once"),
        ("7 a:0.5", "index once"),
        ("7 0.5", "index:value"),
        ("7 1:1.1", r"\[-1, 1\], received 1.1"),
        ("7 1:nan", r"\[-1, 1\], received nan"),
        ("7 1:0.5:2", "0.5:2"),
        ("7 1:", "''"),
        ("", "blank line"),
    ],
)
def test_a_malformed_libsvm_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(DigitsError, match=f"^usps, line 2: .*{problem}"):
        parse_libsvm(usps(f"7 1:-1\n{line}\n7 1:-1\n"))


@pytest.mark.parametrize("parse", [parse_zip, parse_libsvm])
def test_an_empty_file_is_refused(parse: Callable[[Content], RawSplit]) -> None:
    with pytest.raises(DigitsError, match=r"^usps is empty"):
        parse(usps(""))


def test_files_of_libsvm_are_known_by_their_counts_and_blurred() -> None:
    lines = [f"{digit + 1} 1:0.5\n" * count for digit, count in enumerate(TEST_COUNTS)]
    edition = USPS.editions[1]
    file, right = edition.files[1], usps("".join(lines))
    file.check(right)
    with pytest.raises(DigitsError, match=r"^usps: .*359, 264, .* 160, 170, .*360, 264"):
        file.check(usps("1\n" + "".join(lines)))
    assert (file.name, edition.transform) == ("usps.t.bz2", "smoothed")
    train, test = edition.parse((usps("7 1:1"), right))
    assert (train.labels.tolist(), len(test.images)) == ([6], 2007)
