"""What all adaptations have in common: the network stays as it was, and a seed gives the same one again."""

from collections.abc import Callable
from functools import partial
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
from small_networks import ImageArray, dense, noise, normed, randomised

from experiments.errors import DigitsError, UsageError
from experiments.models import IMAGE_SHAPE
from experiments.training.precision import precision_policy
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.adaptation import Adapted
from experiments.transfer.adaptation.curve import AdaptationCurve, align_series
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.objectives import cross_entropy, diversity, mean_entropy
from experiments.transfer.predictions import entropy, predict_images

EPOCHS = 2
SHORT: dict[str, Callable[..., Adapted]] = {
    name: partial(method.adapt, epochs=EPOCHS) if "epochs" in method.settings else method.adapt
    for name, method in ADAPTATIONS.items()
}
IMAGES = noise(70)

every = pytest.mark.parametrize("method", SHORT)


def run(method: str, model: keras.Model, images: ImageArray = IMAGES, seed: int = 0) -> Adapted:
    return SHORT[method](model, images, seed)


def unlike(some: keras.Model, other: keras.Model) -> list[bool]:
    return [bool((a != b).any()) for a, b in zip(some.get_weights(), other.get_weights(), strict=True)]


def states(model: keras.Model) -> list[Any]:
    """Return all that layers have besides weights: settings, what is frozen, and where their random numbers are."""
    generators = [layer.seed_generator.state.numpy().tolist() for layer in model.layers if hasattr(layer, "rate")]
    return [generators, [(layer.get_config(), layer.trainable) for layer in model.layers]]


@every
def test_the_network_stays_as_it_was(method: str) -> None:
    model, copy = randomised(normed(), size=3), randomised(normed(), size=3)
    before = states(model)
    adapted = run(method, model).model
    assert not any(unlike(model, copy))
    assert states(model) == before
    assert any(unlike(model, adapted))
    np.testing.assert_array_equal(predict_images(model, IMAGES), predict_images(copy, IMAGES))
    assert not {id(weight) for weight in model.weights} & {id(weight) for weight in adapted.weights}
    for mine, other in zip(model.layers, adapted.layers, strict=True):
        assert mine.get_config() == other.get_config()
        assert mine.trainable == other.trainable


@every
def test_a_seed_gives_the_same_network_whatever_was_drawn_before(method: str) -> None:
    model = randomised(normed(), size=3)
    first = run(method, model, seed=5)
    keras.random.normal((3,))
    layers.Dropout(0.5)(np.ones((2, 2)), training=True)
    again = run(method, model, seed=5)
    assert not any(unlike(first.model, again.model))
    assert first.curve == again.curve
    if "epochs" in ADAPTATIONS[method].settings:
        assert any(unlike(first.model, run(method, model, seed=6).model))


@every
def test_the_curve_is_of_the_network_before_and_after(method: str) -> None:
    model = randomised(normed(), size=3)
    found = run(method, model)
    curve = found.curve
    for index, network in ((0, model), (-1, found.model)):
        said = predict_images(network, IMAGES)
        assert curve["entropy"][index] == pytest.approx(scipy_entropy(said, axis=1).mean(), rel=1e-4)
        assert curve["confident"][index] == pytest.approx((said.max(axis=1) > 0.968).mean())
    epochs = EPOCHS if "epochs" in ADAPTATIONS[method].settings else 1
    assert {len(curve[name]) for name in ("entropy", "confident")} == {epochs + 1}
    assert {len(values) for name, values in curve.items() if name not in ("entropy", "confident")} <= {epochs}
    assert found.seconds > 0


@every
def test_a_stack_of_networks_is_one(method: str) -> None:
    inner = normed()
    features = keras.Model(inner.inputs, inner.get_layer("penultimate").output)
    model = randomised(keras.Sequential([keras.Input(IMAGE_SHAPE), features, layers.Dense(10, activation="softmax")]))
    model.trainable = False
    adapted = run(method, model).model
    assert any(unlike(model, adapted))


@every
def test_networks_in_bfloat16_are_adapted_even_if_their_probabilities_are(method: str) -> None:
    with precision_policy("bfloat16"):
        inputs = keras.Input(IMAGE_SHAPE)
        x = layers.BatchNormalization()(layers.Dense(8, activation="relu")(layers.Flatten()(inputs)))
        model = randomised(keras.Model(inputs, layers.Dense(10, activation="softmax")(x)), size=3)
    found = run(method, model)
    assert any(unlike(model, found.model))
    assert predict_images(found.model, IMAGES).dtype == np.float32
    assert {weight.dtype for weight in found.model.get_weights()} == {np.dtype(np.float32)}


@every
@pytest.mark.parametrize("n", [0, 1])
def test_one_digit_is_refused(method: str, n: int) -> None:
    with pytest.raises(UsageError, match=f"adaptation needs at least 2 unlabelled images, received {n}"):
        run(method, randomised(normed()), IMAGES[:n])


@every
def test_two_digits_will_do(method: str) -> None:
    assert np.isfinite(predict_images(run(method, randomised(normed()), IMAGES[:2]).model, IMAGES)).all()


@every
def test_numbers_that_are_none_end_it(method: str) -> None:
    model = randomised(normed())
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(DigitsError, match="the adaptation diverged: its entropy is not finite; try another method"):
        run(method, model)


PROBABILITIES = np.random.default_rng(0).dirichlet(np.full(10, 0.2), 40).astype(np.float32)


def test_entropies_are_scipy_s() -> None:
    exact = scipy_entropy(PROBABILITIES.astype(np.float64), axis=1)
    np.testing.assert_allclose(entropy(PROBABILITIES), exact, atol=1e-6)
    np.testing.assert_array_equal(entropy(np.eye(10, dtype=np.float32)), 0)
    assert float(mean_entropy(tf.constant(PROBABILITIES))) == pytest.approx(exact.mean(), abs=1e-5)
    assert float(diversity(tf.constant(PROBABILITIES))) == pytest.approx(
        scipy_entropy(PROBABILITIES.mean(axis=0)), abs=1e-5
    )


def test_the_cross_entropy_is_with_the_label() -> None:
    labels = np.arange(40) % 10
    expected = rel_entr(np.eye(10)[labels], PROBABILITIES + 1e-7).sum(axis=1)
    np.testing.assert_allclose(cross_entropy(tf.constant(PROBABILITIES), tf.constant(labels)), expected, rtol=1e-4)


@given(n=st.integers(1, 2000), size=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
def test_batches_are_every_digit_once_and_of_about_their_size(n: int, size: int, seed: int) -> None:
    batches = shuffled(n, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(n))
    lengths = {len(batch) for batch in batches}
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= 1.5 * size
    assert min(lengths) >= min(n, 2 * size // 3)


def descended(steps: list[NDArray[np.int64]], **options: Any) -> tuple[float, dict[str, float], int]:
    """Descend the mean square of a weight's distance from numbers; return it, the terms and the times of tracing."""
    weight, numbers, traced = keras.Variable(2.0), tf.constant([1.0, 2.0, 4.0]), []

    def objective(chosen: Any) -> dict[str, Any]:
        traced.append(chosen)
        distances = weight - tf.gather(numbers, chosen)
        return {"loss": tf.reduce_mean(distances**2), "mean": tf.reduce_mean(distances)}

    descent = Descent([weight], keras.optimizers.SGD(0.1), objective, **options)
    terms = descent.epoch(steps)
    return float(weight), terms, len(traced)


def test_a_step_goes_down_the_slope_and_the_penalty() -> None:
    batch = [np.array([0, 2])]
    weight, terms, _ = descended(batch)
    assert weight == pytest.approx(2.1)
    assert terms == {"loss": pytest.approx(2.5), "mean": pytest.approx(-0.5)}
    assert descended(batch, penalty=3.0)[0] == pytest.approx(2.1 - 0.1 * 3 * 2)


def test_terms_are_means_over_steps_of_any_size_which_are_traced_once() -> None:
    after: list[int] = []
    weight, terms, traced = descended([np.array([0]), np.array([1, 2])], after=lambda: after.append(1))
    assert weight == pytest.approx(1.8 + 0.1 * 2.4)
    assert terms == {"loss": pytest.approx((1 + 0.02 + 2.42) / 2), "mean": pytest.approx((1 - 1.2) / 2)}
    assert traced == len(after) == 1


def test_what_is_not_finite_is_no_point_of_a_curve() -> None:
    curve = AdaptationCurve()
    curve.add(loss=1.0)
    for bad in (np.nan, np.inf):
        with pytest.raises(DigitsError, match="its loss is not finite"):
            curve.add(loss=bad)
    assert curve.series() == {"loss": (1.0,)}


def test_series_are_aligned_with_the_unadapted_model_first() -> None:
    epochs = align_series({"entropy": (3.0, 2.0, 1.0), "loss": (0.5, 0.4)})
    assert epochs["entropy"] == [3.0, 2.0, 1.0]
    assert np.isnan(epochs["loss"][0])
    assert epochs["loss"][1:] == [0.5, 0.4]
    steps = align_series({"entropy": (3.0, 1.0), "loss": (0.5, 0.4, 0.3)})
    assert np.isnan(steps["entropy"][1:-1]).all()
    assert (steps["entropy"][0], steps["entropy"][-1]) == (3.0, 1.0)
    assert align_series({"entropy": (3.0, 1.0)}) == {"entropy": [3.0, 1.0]}


def needs_batch_norm(method: str) -> bool:
    try:
        run(method, randomised(dense()))
    except UsageError as error:
        return "batch normalization" in str(error)
    return False


@every
def test_each_method_has_its_row_in_the_documentation(method: str) -> None:
    adaptation = ADAPTATIONS[method]
    assert adaptation.name == method
    settings = ", ".join(f"{name} {value:g}" for name, value in adaptation.settings.items())
    batch_norm = "needed" if needs_batch_norm(method) else ""
    row = " ".join(["|", f"`{method}` | {adaptation.summary} | {settings} |", *[batch_norm] * bool(batch_norm), "|"])
    assert row in (Path(__file__).parents[2] / "docs" / "transfer.md").read_text()


@every
def test_a_method_without_epochs_passes_over_the_images_once(method: str) -> None:
    losses = run(method, randomised(normed(), size=3), noise(250)).curve.get("loss", (0.0,))
    assert len(losses) == (EPOCHS if "epochs" in ADAPTATIONS[method].settings else 1)


def test_every_method_has_a_priority_of_its_own() -> None:
    assert len({method.priority for method in ADAPTATIONS.values()}) == len(ADAPTATIONS)
