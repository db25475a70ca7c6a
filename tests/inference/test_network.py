"""Networks on ONNX Runtime: their numbers, their settings, and files that are no digit classifiers."""

import numpy as np
import onnx
import pytest
from known_networks import PIXELS, halves, linear_network, other_network

from experiments.errors import DigitsError, UsageError
from experiments.inference import Network, Settings
from experiments.inference.network import BATCH
from experiments.models.onnx_export import with_metadata

SETTINGS = Settings(temperature=1.7, min_score=-3.25, source="here")


@pytest.mark.parametrize("count", [1, BATCH + 3])
def test_logits_and_features_of_any_number_of_images(count: int) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(PIXELS, 10)).astype(np.float32)
    images = rng.random((count, 28, 28, 1), np.float32)
    scores = Network(linear_network(weights)).scores(images)
    np.testing.assert_allclose(scores.logits, images.reshape(count, -1) @ weights, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(scores.features, images.reshape(count, -1))


def test_settings_are_kept_in_the_file_beside_other_metadata() -> None:
    assert Network(halves()).settings == Settings(1.0, -np.inf, "")
    content = with_metadata(with_metadata(halves(), {"author": "x"}), SETTINGS.to_metadata())
    assert Network(content).settings == SETTINGS
    assert {one.key for one in onnx.load_from_string(content).metadata_props} >= {"author", "digits.temperature"}
    assert Network(with_metadata(content, {"digits.temperature": "2"})).settings.temperature == 2


@pytest.mark.parametrize("wrong", [{"temperature": "0"}, {"temperature": "warm"}, {"min_score": "nan"}])
def test_settings_out_of_range_are_refused(wrong: dict[str, str]) -> None:
    content = with_metadata(halves(), {f"digits.{key}": value for key, value in wrong.items()})
    with pytest.raises(DigitsError, match="wrong settings"):
        Network(content)


@pytest.mark.parametrize("content", [b"", b"no network", halves()[:500]])
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(DigitsError, match=r"no readable ONNX model|no digit classifier"):
        Network(content)


@pytest.mark.parametrize(
    "content", [other_network((32, 32, 3)), other_network((28, 28)), other_network(outputs=("logits", "x"))]
)
def test_a_network_for_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(UsageError, match="no digit classifier"):
        Network(content)
