"""Reader of IDX, the format of MNIST: http://yann.lecun.com/exdb/mnist/ as kept by many archives.

A file is two zero bytes, a type code, the rank, one big-endian 32-bit size per dimension, and the values,
big-endian, in C order. A file whose length does not match its header is rejected.
"""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.content import Content, read_content
from experiments.datasets.dataset import CLASSES, RawSplit
from experiments.errors import DigitsError

TYPE_CODES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_RANK = 64  # of a NumPy array


def read(path: Path) -> NDArray[Any]:
    """Read an IDX file, gzipped if its name ends in ``.gz``.

    Returns
    -------
    An array of the shape and type of the file, in native byte order; a read-only view if the values are bytes.

    Raises
    ------
    DigitsError
        If the file is not a complete IDX file, naming the file, what was expected and what was received.
    """
    return parse(read_content(path))


def parse(content: Content) -> NDArray[Any]:
    """Parse the content of an IDX file; see `read`."""
    dtype, shape, start = _header(content)
    expected = start + dtype.itemsize * math.prod(shape)
    if len(content.data) != expected:
        raise DigitsError(
            f"{content.path}: an IDX file of shape {shape} and type {dtype.name} has {expected:,} bytes, "
            f"received {len(content.data):,}"
        )
    values = np.frombuffer(content.data, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def parse_split(images: Content, labels: Content) -> RawSplit:
    """Parse a pair of IDX files: images ``uint8 (n, height, width)`` and labels of 0 to 9.

    Labels may have several columns, as in QMNIST (https://github.com/facebookresearch/qmnist); the first is the class.

    Raises
    ------
    DigitsError
        If a file holds something else, or their lengths differ.
    """
    pixels = parse_images(images)
    classes = parse(labels)
    if classes.ndim not in {1, 2} or not np.issubdtype(classes.dtype, np.integer) or not classes.size:
        raise DigitsError(f"{labels.path}: expected labels (integers, one per image), {_received(classes)}")
    if len(pixels) != len(classes):
        raise DigitsError(f"{images.path} has {len(pixels):,} images, {labels.path} {len(classes):,} labels")
    return RawSplit(pixels, _digits(classes.reshape(len(classes), -1)[:, 0], labels.path))


def parse_images(content: Content) -> NDArray[np.uint8]:
    """Parse an IDX file of images, ``uint8 (n, height, width)``, read-only.

    Raises
    ------
    DigitsError
        If it holds something else.
    """
    pixels = parse(content)
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise DigitsError(f"{content.path}: expected images (uint8, three dimensions), {_received(pixels)}")
    return pixels


def _header(content: Content) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Parse the header: type, shape and the offset of the first value."""
    data = content.data
    if len(data) < 4:
        raise DigitsError(f"{content.path}: an IDX header has at least 4 bytes, received {len(data)}")
    zeros, code, rank = struct.unpack_from(">HBB", data)
    if zeros or code not in TYPE_CODES or not 1 <= rank <= MAX_RANK:
        raise DigitsError(
            f"{content.path} is no IDX file: expected 0000, a type code of 08 to 0e and a rank of 1 to "
            f"{MAX_RANK}, received {data[:4].hex(' ')}"
        )
    start = 4 + 4 * rank
    if len(data) < start:
        raise DigitsError(f"{content.path}: an IDX header of rank {rank} has {start} bytes, received {len(data)}")
    return np.dtype(TYPE_CODES[code]), struct.unpack_from(f">{rank}I", data, 4), start


def _digits(classes: NDArray[Any], path: Path) -> NDArray[np.int64]:
    if classes.min() < 0 or classes.max() >= CLASSES:
        raise DigitsError(
            f"{path} has classes {classes.min()} to {classes.max()}: only digits, 0 to 9, can be read; leave the "
            "others out"
        )
    return classes.astype(np.int64)


def _received(array: NDArray[Any]) -> str:
    return f"received {array.dtype} of shape {array.shape}"
