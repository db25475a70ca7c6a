"""What data sets exist, who publishes them in which files, and what vouches for a file's content."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from experiments.datasets import idx, usps
from experiments.datasets.content import Content
from experiments.datasets.dataset import UNCHANGED, RawSplit
from experiments.errors import DigitsError

Check = Callable[[Content], None]
Parser = Callable[[Sequence[Content]], tuple[RawSplit, RawSplit]]


@dataclass(frozen=True)
class RemoteFile:
    """A file as its mirrors name it, and a check of its content that raises DigitsError."""

    name: str
    check: Check

    def find(self, folder: Path) -> Path | None:
        """Return where the file lies in `folder`, as published or decompressed; None when it does not."""
        for path in (folder / self.name, folder / Path(self.name).stem):
            if path.is_file():
                return path
        return None


@dataclass(frozen=True)
class Edition:
    """One complete form in which a data set is published.

    Attributes
    ----------
    mirrors
        Where the files are: addresses that a file's name is appended to, tried in this order.
    parse
        From the files' contents, in their order, to the training and the test digits.
    transform
        What the publisher did to this form, before it is aligned; see `Dataset`.
    """

    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    parse: Parser
    transform: str


@dataclass(frozen=True)
class Source:
    """A data set that can be asked for by name.

    Attributes
    ----------
    sizes
        Digits for training and for testing.
    shape
        Height and width as published.
    editions
        The forms it is published in, the preferred one first; none when it comes with scikit-learn.
    """

    name: str
    description: str
    sizes: tuple[int, int]
    shape: tuple[int, int]
    homepage: str
    editions: tuple[Edition, ...]


def sha256_is(expected: str) -> Check:
    """Return a check that the content, after decompression, has this SHA-256."""

    def check(content: Content) -> None:
        received = hashlib.sha256(content.data).hexdigest()
        if received != expected:
            raise DigitsError(
                f"{content.path}: the content's SHA-256 is {received[:16]}..., expected {expected[:16]}..."
            )

    return check


def usps_counts_are(expected: Sequence[int]) -> Check:
    """Return a check that LIBSVM's USPS parses and has the publishers' number of digits in each class.

    LIBSVM publishes no hash of the content.
    """

    def check(content: Content) -> None:
        usps.check_counts(usps.parse_libsvm(content), expected, content)

    return check


def _each(parse: Callable[[Content], RawSplit], contents: Sequence[Content]) -> tuple[RawSplit, RawSplit]:
    """Parse an edition that has one file per split."""
    train, test = contents
    return parse(train), parse(test)


def _pairs(contents: Sequence[Content]) -> tuple[RawSplit, RawSplit]:
    """Parse an edition that has images and labels in files of their own."""
    train_images, train_labels, test_images, test_labels = contents
    return idx.parse_split(train_images, train_labels), idx.parse_split(test_images, test_labels)


MNIST = Source(
    name="mnist",
    description="MNIST: census staff and high-school students (LeCun, Cortes, Burges 1998)",
    sizes=(60_000, 10_000),
    shape=(28, 28),
    homepage="http://yann.lecun.com/exdb/mnist/",
    editions=(
        Edition(
            files=(
                RemoteFile(
                    "train-images-idx3-ubyte.gz",
                    sha256_is("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
                ),
                RemoteFile(
                    "train-labels-idx1-ubyte.gz",
                    sha256_is("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
                ),
                RemoteFile(
                    "t10k-images-idx3-ubyte.gz",
                    sha256_is("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
                ),
                RemoteFile(
                    "t10k-labels-idx1-ubyte.gz",
                    sha256_is("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
                ),
            ),
            mirrors=(
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
            ),
            parse=_pairs,
            transform=UNCHANGED,
        ),
    ),
)

USPS = Source(
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
            parse=partial(_each, usps.parse_zip),
            transform=UNCHANGED,
        ),
        Edition(
            files=(
                RemoteFile("usps.bz2", usps_counts_are(usps.TRAIN_COUNTS)),
                RemoteFile("usps.t.bz2", usps_counts_are(usps.TEST_COUNTS)),
            ),
            mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
            parse=partial(_each, usps.parse_libsvm),
            transform="smoothed",
        ),
    ),
)

UCI = Source(
    name="uci",
    description="UCI optical digits (Alpaydin, Kaynak 1998), the part in scikit-learn",
    sizes=(1_438, 359),
    shape=(8, 8),
    homepage="https://archive.ics.uci.edu/dataset/80",
    editions=(),
)

SOURCES = {source.name: source for source in (MNIST, USPS, UCI)}
