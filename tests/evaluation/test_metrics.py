"""Every metric agrees with scikit-learn's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from experiments.evaluation import calibration, measure, wilson_interval
from experiments.results import scalars, to_table

DIGITS = range(10)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw softmax outputs of any skill; with few digits some classes are absent from the labels."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, digits, skill = draw(st.integers(1, 60)), draw(st.integers(1, 10)), draw(st.floats(0, 40))
    labels = generator.integers(0, digits, n)
    scores = np.exp(generator.normal(scale=2, size=(n, 10)) + skill * np.eye(10)[labels])
    return labels, scores / scores.sum(axis=1, keepdims=True)


@settings(deadline=None)
@given(predictions())
def test_metrics_are_scikit_learns(drawn: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    labels, probabilities = drawn
    predicted = probabilities.argmax(axis=1)
    ours = measure(labels, probabilities)
    assert ours.n == len(labels)
    assert ours.accuracy == pytest.approx(reference.accuracy_score(labels, predicted))
    assert ours.log_loss == pytest.approx(reference.log_loss(labels, probabilities, labels=DIGITS))
    assert ours.top2 == pytest.approx(reference.top_k_accuracy_score(labels, probabilities, k=2, labels=DIGITS))
    np.testing.assert_array_equal(ours.confusion, reference.confusion_matrix(labels, predicted, labels=DIGITS))


@settings(deadline=None)
@given(predictions())
def test_precision_recall_and_f1_are_scikit_learns(
    drawn: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    labels, probabilities = drawn
    predicted = probabilities.argmax(axis=1)
    ours = measure(labels, probabilities)
    each = reference.precision_recall_fscore_support(labels, predicted, labels=DIGITS, zero_division=0)
    macro = reference.precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    rows = [(one.precision, one.recall, one.f1, one.support) for one in ours.per_class]
    np.testing.assert_allclose(rows, np.transpose(each))
    assert [one.digit for one in ours.per_class] == list(DIGITS)
    assert (ours.macro_precision, ours.macro_recall, ours.macro_f1) == pytest.approx(macro[:3])


@settings(max_examples=20, deadline=None)
@given(predictions())
def test_interval_and_calibration_are_those_of_their_modules(
    drawn: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    labels, probabilities = drawn
    ours = measure(labels, probabilities)
    calibrated = calibration(labels, probabilities)
    correct = int(np.sum(probabilities.argmax(axis=1) == labels))
    assert (ours.accuracy_low, ours.accuracy_high) == wilson_interval(correct, len(labels))
    assert (ours.ece, ours.mce) == (calibrated.ece, calibrated.mce)


def one_hot(*digits: int) -> NDArray[np.float64]:
    return np.eye(10)[list(digits)]


def test_certain_mistakes_cost_what_the_clip_allows() -> None:
    ours = measure(np.array([3]), one_hot(4))
    assert ours.loss == pytest.approx(16.118, abs=1e-3)  # -ln 1e-7, the ceiling of Keras's loss
    assert ours.log_loss == pytest.approx(36.044, abs=1e-3)  # -ln 2**-52, the ceiling of scikit-learn's


def test_moderate_probabilities_lose_the_same_under_both_clips() -> None:
    probabilities = np.full((2, 10), 0.1)
    ours = measure(np.array([0, 7]), probabilities)
    assert ours.loss == pytest.approx(np.log(10))
    assert ours.log_loss == pytest.approx(np.log(10))


def test_of_equally_probable_digits_the_smaller_is_predicted() -> None:
    probabilities = np.zeros((3, 10))
    probabilities[:, [2, 5, 8]] = 1 / 3
    ours = measure(np.array([2, 5, 8]), probabilities)
    assert ours.confusion[[2, 5, 8], 2].tolist() == [1, 1, 1]
    assert ours.top2 == pytest.approx(2 / 3)


def test_results_are_every_number_by_name() -> None:
    named = scalars(to_table(measure(np.array([3, 3, 4]), one_hot(3, 4, 4)).results()))
    per_digit = {f"{metric}/{digit}" for metric in ("precision", "recall", "f1") for digit in DIGITS}
    overall = {
        "accuracy", "accuracy_low", "accuracy_high", "loss", "log_loss", "top2", "ece", "mce",
        "macro_precision", "macro_recall", "macro_f1",
    }  # fmt: skip
    assert set(named) == per_digit | overall
    assert named["accuracy"] == pytest.approx(2 / 3)
    assert (named["precision/3"], named["recall/3"], named["recall/4"]) == (1, 0.5, 1)
    assert (named["precision/9"], named["recall/9"], named["f1/9"]) == (0, 0, 0)


def test_measuring_leaves_its_arguments_alone() -> None:
    labels, probabilities = np.array([1, 2]), one_hot(1, 3).astype(np.float32)
    arguments: list[NDArray[Any]] = [labels.copy(), probabilities.copy()]
    measure(labels, probabilities)
    np.testing.assert_array_equal(labels, arguments[0])
    np.testing.assert_array_equal(probabilities, arguments[1])
