"""USPS in its two published forms: 16x16, official split 7,291 + 2,007.

`parse_zip` reads the files of "The Elements of Statistical Learning" (https://hastie.su.domains/ElemStatLearn/).
`parse_libsvm` reads those of LIBSVM (https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/): the same digits in the
same order, blurred by a Gaussian with a standard deviation of 0.75 pixels.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.content import Content
from experiments.datasets.dataset import CLASSES, RawSplit
from experiments.datasets.published.published_dataset import (
    Check,
    Edition,
    PublishedDataset,
    RemoteFile,
    parse_each,
    sha256_is,
)
from experiments.errors import DigitsError

SIDE = 16
PIXELS = SIDE * SIDE
INDICES = dict.fromkeys(b"%d" % index for index in range(1, PIXELS + 1))  # of LIBSVM, in order
# Number of digits of each class, from the publishers' note, zip.info.txt.
TRAIN_COUNTS = (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644)
TEST_COUNTS = (359, 264, 198, 166, 200, 160, 170, 147, 166, 177)


def parse_zip(content: Content) -> RawSplit:
    """Parse lines of a label and 256 values in [-1, 1], row by row, ink positive; -1 becomes 0 and 1 255.

    Raises
    ------
    DigitsError
        Naming the file and the first line with another format.
    """
    lines = _lines(content)
    for number, line in enumerate(lines, 1):
        if len(line) != 1 + PIXELS:
            raise _malformed(content, number, f"expected a label and 256 values, received {len(line)} numbers")
    labels = _convert([line[:1] for line in lines], _label, content)
    pixels = _convert([line[1:] for line in lines], _pixel, content)
    return RawSplit(pixels.reshape(-1, SIDE, SIDE), labels[:, 0].astype(np.int64))


def parse_libsvm(content: Content) -> RawSplit:
    """Parse lines of a label 1 to 10 (the digit and 1) and sparse ``index:value``, index 1 to 256.

    A value that is left out is 0, as always in LIBSVM: the gray level halfway between paper and ink.

    Raises
    ------
    DigitsError
        Naming the file and the first line with another format.
    """
    lines = _lines(content)
    labels, pixels = [], []
    for number, (label, *pairs) in enumerate(lines, 1):
        try:
            labels.append(_label(label, first=1))
            pixels.append(_dense(pairs))
        except ValueError as error:
            raise _malformed(content, number, str(error)) from error
    images = np.frombuffer(b"".join(pixels), np.uint8).reshape(-1, SIDE, SIDE)
    return RawSplit(images, np.array(labels, np.int64))


def check_counts(raw: RawSplit, expected: Sequence[int], content: Content) -> None:
    """Raise DigitsError unless each class has the number of digits that the publishers state."""
    counts = np.bincount(raw.labels, minlength=CLASSES).tolist()
    if counts != list(expected):
        raise DigitsError(f"{content.path}: expected {list(expected)} digits of the classes 0 to 9, received {counts}")


def counts_are(expected: Sequence[int]) -> Check:
    """Build a check that a file of LIBSVM parses and each class has the number of digits that the publishers state.

    LIBSVM publishes no hash of the content.
    """

    def check(content: Content) -> None:
        check_counts(parse_libsvm(content), expected, content)

    return check


def _lines(content: Content) -> list[list[bytes]]:
    lines = [line.split() for line in content.data.splitlines()]
    if not lines:
        raise DigitsError(f"{content.path} is empty: expected one line per digit")
    for number, line in enumerate(lines, 1):
        if not line:
            raise _malformed(content, number, "expected a label and values, received a blank line")
    return lines


def _convert(lines: list[list[bytes]], convert: Callable[[bytes], int], content: Content) -> NDArray[np.uint8]:
    """Convert each distinct spelling once: the 1.9 million values of the training set have 2,000 spellings."""
    values: dict[bytes, int] = {}
    for number, line in enumerate(lines, 1):
        for spelling in set(line) - values.keys():
            try:
                values[spelling] = convert(spelling)
            except ValueError as error:
                raise _malformed(content, number, str(error)) from error
    converted = b"".join(bytes(map(values.__getitem__, line)) for line in lines)
    return np.frombuffer(converted, np.uint8).reshape(len(lines), -1)


def _label(spelling: bytes, first: int = 0) -> int:
    digit = float(spelling) - first
    if digit not in range(CLASSES):
        raise ValueError(f"expected a label of {first} to {first + CLASSES - 1}, received {spelling.decode()}")
    return int(digit)


@lru_cache(maxsize=2**16)  # 2 million values have few spellings
def _pixel(spelling: bytes) -> int:
    value = float(spelling)
    if not -1 <= value <= 1:
        raise ValueError(f"expected a value in [-1, 1], received {spelling.decode()}")
    return round((value + 1) * 127.5)


def _dense(pairs: list[bytes]) -> bytes:
    """Convert one line of ``index:value`` to 256 pixels."""
    values = dict(pair.partition(b":")[::2] for pair in pairs)
    if len(values) != len(pairs) or not values.keys() <= INDICES.keys():
        raise ValueError(f"expected index:value pairs, each index once and of 1 to {PIXELS}")
    return bytes(_pixel(values.get(index, b"0")) for index in INDICES)


def _malformed(content: Content, number: int, problem: str) -> DigitsError:
    return DigitsError(f"{content.path}, line {number}: {problem}")


USPS = PublishedDataset(
    name="usps",
    description="USPS: postal codes on envelopes (Hull 1994), the official split",
    sizes=(7_291, 2_007),
    shape=(16, 16),
    homepage="https://hastie.su.domains/ElemStatLearn/data.html",
    editions=(
        Edition(
            files=(
                RemoteFile(
                    "zip.train.gz",
                    sha256_is("abc9f5c75b997cabe66b5d01727d5a681c69298e1641a8d37b55433a52129dc0"),
                ),
                RemoteFile(
                    "zip.test.gz",
                    sha256_is("6bde17b4f1cd68e0630cd2751d6495b5795d9165ab2dc4a0be8b7002b732f4cc"),
                ),
            ),
            mirrors=("https://hastie.su.domains/ElemStatLearn/datasets/",),
            parse=partial(parse_each, parse_zip),
        ),
        Edition(
            files=(
                RemoteFile("usps.bz2", counts_are(TRAIN_COUNTS)),
                RemoteFile("usps.t.bz2", counts_are(TEST_COUNTS)),
            ),
            mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
            parse=partial(parse_each, parse_libsvm),
            transform="smoothed",
        ),
    ),
)
