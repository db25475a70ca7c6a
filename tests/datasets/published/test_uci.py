import numpy as np
from sklearn.datasets import load_digits

from experiments.datasets import load
from experiments.datasets.published.uci import UCI
from experiments.pictures.normalization import fit_to_mnist


def test_it_holds_scikit_learns_digits_divided_80_to_20() -> None:
    dataset = load("uci")
    published = np.bincount(load_digits().target)
    train, test = np.bincount(dataset.train.labels), np.bincount(dataset.test.labels)
    np.testing.assert_array_equal(train + test, published)
    assert (len(dataset.train), len(dataset.test)) == UCI.sizes
    assert np.all(np.abs(test - 0.2 * published) <= 1)


def test_gray_levels_are_scaled_and_images_normalized() -> None:
    dataset = load("uci")
    published = load_digits()
    # scikit-learn's first digit is in one of the splits, by MNIST's procedure.
    first = fit_to_mnist(np.rint(published.images[0] / 16 * 255).astype(np.uint8))
    images = np.concatenate([dataset.train.images, dataset.test.images])
    assert (images == first).all(axis=(1, 2)).sum() == 1
    assert (images.min(), images.max()) == (0, 255)
    assert dataset.transform == "mnist-procedure"
    assert dataset.source == "scikit-learn"


def test_the_split_is_the_same_in_every_run() -> None:
    assert load("uci").digest == load("uci").digest
