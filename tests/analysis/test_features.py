"""Features are what the layer gives; what cannot be analyzed is refused by name."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from experiments.analysis.features import BATCH, check_features, extract, feature_extractor, reduce
from experiments.datasets import Split
from experiments.errors import UsageError
from experiments.models import MODELS
from experiments.models.prediction import predict
from experiments.training.precision import precision_policy


def digits(n: int) -> Split:
    generator = np.random.default_rng(n)
    return Split(generator.integers(0, 256, (n, 28, 28), dtype=np.uint8), generator.integers(0, 10, n))


@pytest.fixture(scope="module")
def model() -> Any:
    return MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)


@pytest.mark.parametrize("n", [1, BATCH, BATCH + 3])
def test_features_and_probabilities_are_the_networks(model: Any, n: int, tmp_path: Path) -> None:
    split = digits(n)
    files = tmp_path / "features.npy", tmp_path / "probabilities.npy"
    features, probabilities = extract(feature_extractor(model, "mlp_small"), split, *files)
    hidden, bias, *_ = model.get_weights()
    expected = np.maximum(split.images.reshape(n, 784) / 255 @ hidden.astype(np.float64) + bias, 0)
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(probabilities, predict(model, split), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(np.load(files[0]), features)
    np.testing.assert_array_equal(np.load(files[1]), probabilities)
    assert not features.flags.writeable
    assert not probabilities.flags.writeable


def test_features_in_bfloat16_come_as_float32(tmp_path: Path) -> None:
    with precision_policy("bfloat16"):
        network = MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)
    assert network.get_layer("penultimate").compute_dtype == "bfloat16"
    files = tmp_path / "features.npy", tmp_path / "probabilities.npy"
    features, probabilities = extract(feature_extractor(network, "mlp_small"), digits(5), *files)
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert np.ptp(features, axis=0).max() > 0


def test_features_that_are_not_flat_are_refused() -> None:
    inputs = keras.Input((28, 28, 1))
    image = keras.layers.Conv2D(2, 3, name="penultimate")(inputs)
    network = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(image)))
    with pytest.raises(UsageError, match=r"'penultimate' of mine .*\(26, 26, 2\)"):
        feature_extractor(network, "mine")


def cloud(n: int, dimensions: int) -> NDArray[np.float32]:
    """Return points whose coordinates spread less and less."""
    points = np.random.default_rng(0).normal(size=(n, dimensions)) / np.arange(1, dimensions + 1)
    return points.astype(np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, BATCH + 1])
def test_features_that_are_not_finite_or_always_the_same_are_refused(value: float, row: int) -> None:
    features = np.full((BATCH + 2, 3), 7, np.float32)
    with pytest.raises(UsageError, match="lenet"):
        check_features(features, "lenet")
    features[row, 1] = 8
    check_features(features, "lenet")
    features[row, 1] = value
    with pytest.raises(UsageError, match="lenet"):
        check_features(features, "lenet")


@pytest.mark.parametrize(("n", "wide"), [(300, 200), (150, 200), (60, 200)])
def test_wide_features_are_reduced_to_scikit_learns_components(n: int, wide: int) -> None:
    features = cloud(n, wide)
    found = reduce(features)
    reduced, most = found.points, min(128, n)
    theirs = PCA(most, svd_solver="full").fit(features.astype(np.float64))
    assert reduced.shape == (n, most)
    assert reduced.dtype == np.float32
    assert reduced.flags.c_contiguous
    assert found.variance == pytest.approx(theirs.explained_variance_ratio_.sum(), abs=1e-4)
    assert 0.99 < found.variance <= 1
    np.testing.assert_allclose(pdist(reduced), pdist(features), rtol=0.01)
    np.testing.assert_allclose(np.abs(reduced[:, 0]), np.abs(theirs.transform(features)[:, 0]), atol=1e-3)


@pytest.mark.parametrize(
    "change", [np.asfortranarray, np.float64, lambda features: np.repeat(features, 2, axis=1)[:, ::2]]
)
def test_narrow_features_stay_as_they_are(change: Any) -> None:
    features = cloud(300, 128)
    found = reduce(change(features))
    assert found.variance == 1
    assert found.points.dtype == np.float32
    assert found.points.flags.c_contiguous
    np.testing.assert_array_equal(found.points, features)
