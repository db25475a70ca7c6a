"""MNIST: 28x28, official split 60,000 + 10,000, four IDX files."""

from collections.abc import Sequence

from experiments.datasets import idx
from experiments.datasets.content import Content
from experiments.datasets.dataset import RawSplit
from experiments.datasets.published.published_dataset import Edition, PublishedDataset, RemoteFile, sha256_is


def parse_pairs(contents: Sequence[Content]) -> tuple[RawSplit, RawSplit]:
    """Parse the images and labels of the training digits, then those of the test digits."""
    train_images, train_labels, test_images, test_labels = contents
    return idx.parse_split(train_images, train_labels), idx.parse_split(test_images, test_labels)


MNIST = PublishedDataset(
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
            parse=parse_pairs,
        ),
    ),
)
