"""The contract of all adaptation methods, and the parts that they share."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers
from numpy.typing import NDArray
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy
from small_networks import ImageArray, accuracy, dense, faded, noise, normed, randomised, trained, uci

from experiments.errors import DigitsError, UsageError
from experiments.models import IMAGE_SHAPE
from experiments.training.precision import precision_policy
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.adaptation import Adapted, OnStep
from experiments.transfer.adaptation.curve import STATE, AdaptationCurve, align_series
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.objectives import cross_entropy, diversity, mean_entropy
from experiments.transfer.predictions import entropy, predict_images

IMAGES = noise(250)
SEED = 5


def adapt(
    name: str,
    model: keras.Model,
    images: ImageArray = IMAGES,
    seed: int = SEED,
    on_step: OnStep | None = None,
    epochs: int = 2,
) -> Adapted:
    """Run a method, for few epochs if it has a parameter for their number."""
    method = ADAPTATIONS[name].adapt
    few = {"epochs": epochs} if "epochs" in inspect.signature(method).parameters else {}
    return method(model, images, seed, on_step, **few)


def source_network() -> keras.Model:
    return randomised(normed(), size=3)


def differ(some: keras.Model, other: keras.Model) -> list[bool]:
    return [bool((a != b).any()) for a, b in zip(some.get_weights(), other.get_weights(), strict=True)]


def states(model: keras.Model) -> list[Any]:
    """Return all that layers have besides weights: settings, what is frozen, and the states of random generators."""
    generators = [layer.seed_generator.state.numpy().tolist() for layer in model.layers if hasattr(layer, "rate")]
    return [generators, [(layer.get_config(), layer.trainable) for layer in model.layers]]


def needs_batch_norm(name: str) -> bool:
    try:
        adapt(name, randomised(dense()), IMAGES[:9])
    except UsageError as error:
        return "batch normalization" in str(error)
    return False


@dataclass(frozen=True)
class Ran:
    """A method, the network it was given, its state before, and what came of it."""

    name: str
    model: keras.Model
    before: list[Any]
    adapted: Adapted
    steps: list[tuple[int, int]]


@pytest.fixture(scope="module", params=ADAPTATIONS)
def ran(request: pytest.FixtureRequest) -> Ran:
    model, steps = source_network(), list[tuple[int, int]]()
    before = states(model)
    adapted = adapt(request.param, model, on_step=lambda *step: steps.append(step))
    return Ran(request.param, model, before, adapted, steps)


class TestEveryMethod:
    """A method gets a network and unlabeled images, and returns another network of the same layers."""

    def test_leaves_the_network_as_it_was(self, ran: Ran) -> None:
        assert not any(differ(ran.model, source_network()))
        assert states(ran.model) == ran.before
        assert not {id(weight) for weight in ran.model.weights} & {id(weight) for weight in ran.adapted.model.weights}

    def test_returns_a_network_of_the_same_layers_with_other_weights(self, ran: Ran) -> None:
        adapted = ran.adapted.model
        assert any(differ(ran.model, adapted))
        for before, after in zip(ran.model.layers, adapted.layers, strict=True):
            assert (after.get_config(), after.trainable) == (before.get_config(), before.trainable)
        predicted = predict_images(adapted, IMAGES)
        assert predicted.shape == (len(IMAGES), 10)
        assert predicted.dtype == np.float32
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)

    def test_measures_the_predictions_before_and_after(self, ran: Ran) -> None:
        curve = ran.adapted.curve
        for index, network in ((0, ran.model), (-1, ran.adapted.model)):
            predicted = predict_images(network, IMAGES)
            assert curve["entropy"][index] == pytest.approx(scipy_entropy(predicted, axis=1).mean(), rel=1e-4)
            assert curve["confident"][index] == pytest.approx((predicted.max(axis=1) > 0.968).mean())
        units = len(ran.steps)
        for name, values in curve.items():
            assert len(values) in ({2, units + 1} if name in STATE else {units})
        assert ran.adapted.seconds > 0

    def test_reports_every_unit_of_work(self, ran: Ran) -> None:
        assert ran.steps == [(step, len(ran.steps)) for step in range(1, len(ran.steps) + 1)]

    def test_gives_the_same_network_for_a_seed_whatever_was_drawn_before(self, ran: Ran) -> None:
        keras.random.normal((3,))
        layers.Dropout(0.5)(np.ones((2, 2)), training=True)
        again = adapt(ran.name, ran.model)
        assert not any(differ(ran.adapted.model, again.model))
        assert ran.adapted.curve == again.curve

    def test_treats_frozen_networks_in_a_network_as_their_layers(self, ran: Ran) -> None:
        inner = normed()
        features = keras.Model(inner.inputs, inner.get_layer("penultimate").output)
        stack = [keras.Input(IMAGE_SHAPE), features, layers.Dropout(0.3), layers.Dense(10, activation="softmax")]
        model = keras.Sequential(stack)
        model.set_weights(ran.model.get_weights())
        model.trainable = False
        adapted = adapt(ran.name, model).model
        assert differ(model, adapted) == differ(ran.model, ran.adapted.model)
        if ADAPTATIONS[ran.name].unit == "step" or ran.name == "adabn":  # without dropout, which has another order
            for nested, flat in zip(adapted.get_weights(), ran.adapted.model.get_weights(), strict=True):
                np.testing.assert_allclose(nested, flat, atol=1e-4)

    def test_adapts_networks_in_bfloat16_even_if_their_probabilities_are(self, ran: Ran) -> None:
        with precision_policy("bfloat16"):
            inputs = keras.Input(IMAGE_SHAPE)
            x = layers.BatchNormalization()(layers.Dense(8, activation="relu")(layers.Flatten()(inputs)))
            model = randomised(keras.Model(inputs, layers.Dense(10, activation="softmax")(x)), size=3)
        adapted = adapt(ran.name, model, IMAGES[:70]).model
        assert any(differ(model, adapted))
        assert predict_images(adapted, IMAGES[:2]).dtype == np.float32
        assert {weight.dtype for weight in adapted.get_weights()} == {np.dtype(np.float32)}

    def test_needs_two_images(self, ran: Ran) -> None:
        for n in (0, 1):
            with pytest.raises(UsageError, match=f"at least 2 .* {n}$"):
                adapt(ran.name, ran.model, IMAGES[:n])
        assert np.isfinite(predict_images(adapt(ran.name, ran.model, IMAGES[:2]).model, IMAGES)).all()

    def test_ends_at_numbers_that_are_not_finite(self, ran: Ran) -> None:
        model = normed()
        model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
        with pytest.raises(DigitsError, match="entropy"):
            adapt(ran.name, model)

    def test_has_its_name_and_its_row_in_the_documentation(self, ran: Ran) -> None:
        method = ADAPTATIONS[ran.name]
        assert method.name == ran.name
        needed = "needed " if needs_batch_norm(ran.name) else ""
        settings = ", ".join(f"{name} {value:g}" for name, value in method.settings.items())
        row = f"| `{method.name}` | {method.summary} | {settings} | {needed}|"
        assert row in (Path(__file__).parents[2] / "docs" / "transfer.md").read_text()


def test_every_method_has_a_priority_of_its_own() -> None:
    assert len({method.priority for method in ADAPTATIONS.values()}) == len(ADAPTATIONS)


def moved(images: ImageArray) -> ImageArray:
    return np.ascontiguousarray(np.roll(images, 2, axis=2))


# How much accuracy a method wins back in a shifted domain, after so many epochs.
PROMISED: dict[str, tuple[Callable[[ImageArray], ImageArray], float, int]] = {
    "adabn": (faded, 0.3, 0),
    "tent": (faded, 0.3, 0),
    "shot": (faded, 0.3, 2),
    "self-training": (moved, 0.02, 12),  # it needs confident predictions to begin with
}


@pytest.mark.parametrize("name", PROMISED)
def test_accuracy_in_a_shifted_domain_is_won_back(name: str) -> None:
    change, gain, epochs = PROMISED[name]
    model, digits = trained(), uci()
    images = change(digits.images)
    found = adapt(name, model, images, epochs=epochs)
    assert accuracy(found.model, images, digits.labels) > accuracy(model, images, digits.labels) + gain
    assert found.curve["entropy"][-1] < found.curve["entropy"][0]


@pytest.mark.parametrize("name", ["shot", "self-training"])
def test_a_rate_beyond_reason_ends_the_adaptation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[ADAPTATIONS[name].adapt.__module__]
    monkeypatch.setattr(module, "RATE", 1e30)
    monkeypatch.setattr(module, "CONFIDENT", 0.0, raising=False)
    with pytest.raises(DigitsError, match=r"not finite"):
        adapt(name, randomised(dense()))


PROBABILITIES = np.random.default_rng(0).dirichlet(np.full(10, 0.2), 40).astype(np.float32)


def test_entropies_are_scipy_s() -> None:
    exact = scipy_entropy(PROBABILITIES.astype(np.float64), axis=1)
    np.testing.assert_allclose(entropy(PROBABILITIES), exact, atol=1e-6)
    np.testing.assert_array_equal(entropy(np.eye(10, dtype=np.float32)), 0)
    assert float(mean_entropy(tf.constant(PROBABILITIES))) == pytest.approx(exact.mean(), abs=1e-5)
    of_mean = scipy_entropy(PROBABILITIES.mean(axis=0))
    assert float(diversity(tf.constant(PROBABILITIES))) == pytest.approx(of_mean, abs=1e-5)


def test_the_cross_entropy_is_with_the_label() -> None:
    labels = np.arange(40) % 10
    expected = rel_entr(np.eye(10)[labels], PROBABILITIES + 1e-7).sum(axis=1)
    np.testing.assert_allclose(cross_entropy(tf.constant(PROBABILITIES), tf.constant(labels)), expected, rtol=1e-4)


@given(n=st.integers(1, 2000), size=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
def test_batches_are_every_image_once_and_of_about_their_size(n: int, size: int, seed: int) -> None:
    batches = shuffled(n, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(n))
    lengths = {len(batch) for batch in batches}
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= 1.5 * size
    assert min(lengths) >= min(n, 2 * size // 3)


def descend(batches: list[NDArray[np.int64]], **options: Any) -> tuple[float, dict[str, float], int]:
    """Descend the mean square of a weight's distance from numbers; return it, the terms and the number of traces."""
    weight, numbers, traced = keras.Variable(2.0), tf.constant([1.0, 2.0, 4.0]), []

    def objective(chosen: Any) -> dict[str, Any]:
        traced.append(chosen)
        distances = weight - tf.gather(numbers, chosen)
        return {"loss": tf.reduce_mean(distances**2), "mean": tf.reduce_mean(distances)}

    terms = Descent([weight], keras.optimizers.SGD(0.1), objective, **options).epoch(batches)
    return float(weight), terms, len(traced)


def test_a_step_goes_down_the_slope_and_the_penalty() -> None:
    batch = [np.array([0, 2])]
    weight, terms, _ = descend(batch)
    assert weight == pytest.approx(2.1)
    assert terms == {"loss": pytest.approx(2.5), "mean": pytest.approx(-0.5)}
    assert descend(batch, penalty=3.0)[0] == pytest.approx(2.1 - 0.1 * 3 * 2)


def test_terms_are_means_over_steps_of_any_size_which_are_traced_once() -> None:
    after: list[int] = []
    count: Callable[[], None] = lambda: after.append(1)  # noqa: E731 - called while it is traced
    weight, terms, traced = descend([np.array([0]), np.array([1, 2])], after=count)
    assert weight == pytest.approx(1.8 + 0.1 * 2.4)
    assert terms == {"loss": pytest.approx((1 + 0.02 + 2.42) / 2), "mean": pytest.approx((1 - 1.2) / 2)}
    assert traced == len(after) == 1


def test_a_curve_has_finite_values_only() -> None:
    curve = AdaptationCurve()
    curve.add(loss=1.0)
    for bad in (np.nan, np.inf):
        with pytest.raises(DigitsError, match="loss"):
            curve.add(loss=bad)
    assert curve.series() == {"loss": (1.0,)}


def test_series_are_aligned_with_the_unadapted_model_first() -> None:
    nan = pytest.approx(np.nan, nan_ok=True)
    epochs = align_series({"entropy": (3.0, 2.0, 1.0), "loss": (0.5, 0.4)})
    assert epochs == {"entropy": [3.0, 2.0, 1.0], "loss": [nan, 0.5, 0.4]}
    steps = align_series({"entropy": (3.0, 1.0), "loss": (0.5, 0.4, 0.3)})
    assert steps["entropy"] == [3.0, nan, nan, 1.0]
    assert align_series({"entropy": (3.0, 1.0)}) == {"entropy": [3.0, 1.0]}
