"""Metrics, calibration and intervals are those of scikit-learn and SciPy; malformed predictions are refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from experiments.evaluation import calibration, compare, measure, misclassified, predictions_table, wilson_interval
from experiments.results import scalars, to_table

DIGITS = range(10)
Predictions = tuple[NDArray[np.int64], NDArray[np.float64]]


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    """Draw softmax outputs of any skill; with few digits some classes are absent from the labels."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, digits, skill = draw(st.integers(1, 60)), draw(st.integers(1, 10)), draw(st.floats(0, 40))
    labels = generator.integers(0, digits, n)
    scores = np.exp(generator.normal(scale=2, size=(n, 10)) + skill * np.eye(10)[labels])
    return labels, scores / scores.sum(axis=1, keepdims=True)


def confident(values: list[float], predicted: Any = 0) -> NDArray[np.float64]:
    """Return rows that predict a digit with the given probabilities, each above 0.1."""
    probabilities = np.repeat((1 - np.array(values))[:, None] / 9, 10, axis=1)
    probabilities[np.arange(len(values)), predicted] = values
    return probabilities


def one_hot(*digits: int) -> NDArray[np.float64]:
    return np.eye(10)[list(digits)]


@given(predictions())
def test_metrics_are_scikit_learns(drawn: Predictions) -> None:
    labels, probabilities = drawn
    predicted = probabilities.argmax(axis=1)
    ours = measure(labels, probabilities)
    assert ours.n == len(labels)
    assert ours.accuracy == pytest.approx(reference.accuracy_score(labels, predicted))
    assert ours.log_loss == pytest.approx(reference.log_loss(labels, probabilities, labels=DIGITS))
    assert ours.top2 == pytest.approx(reference.top_k_accuracy_score(labels, probabilities, k=2, labels=DIGITS))
    np.testing.assert_array_equal(ours.confusion, reference.confusion_matrix(labels, predicted, labels=DIGITS))
    each = reference.precision_recall_fscore_support(labels, predicted, labels=DIGITS, zero_division=0)
    macro = reference.precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    rows = [(one.precision, one.recall, one.f1, one.support) for one in ours.per_class]
    np.testing.assert_allclose(rows, np.transpose(each))
    assert [one.digit for one in ours.per_class] == list(DIGITS)
    assert (ours.macro_precision, ours.macro_recall, ours.macro_f1) == pytest.approx(macro[:3])
    assert (ours.accuracy_low, ours.accuracy_high) == wilson_interval(int(ours.confusion.trace()), ours.n)
    calibrated = calibration(labels, probabilities)
    assert (ours.ece, ours.mce) == (calibrated.ece, calibrated.mce)


def test_certain_mistakes_cost_what_the_clip_allows() -> None:
    ours = measure(np.array([3]), one_hot(4))
    assert ours.loss == pytest.approx(16.118, abs=1e-3)  # -ln 1e-7, the ceiling of Keras's loss
    assert ours.log_loss == pytest.approx(36.044, abs=1e-3)  # -ln 2**-52, the ceiling of scikit-learn's
    moderate = measure(np.array([0, 7]), np.full((2, 10), 0.1))
    assert moderate.loss == moderate.log_loss == pytest.approx(np.log(10))


def test_of_equally_probable_digits_the_smaller_is_predicted() -> None:
    probabilities = np.zeros((3, 10))
    probabilities[:, [2, 5, 8]] = 1 / 3
    ours = measure(np.array([2, 5, 8]), probabilities)
    assert ours.confusion[[2, 5, 8], 2].tolist() == [1, 1, 1]
    assert ours.top2 == pytest.approx(2 / 3)


def test_results_are_every_number_by_name() -> None:
    labels, probabilities = np.array([3, 3, 4]), one_hot(3, 4, 4).astype(np.float32)
    named = scalars(to_table(measure(labels, probabilities).results()))
    per_digit = {f"{metric}/{digit}" for metric in ("precision", "recall", "f1") for digit in DIGITS}
    overall = {
        "accuracy", "accuracy_low", "accuracy_high", "loss", "log_loss", "top2", "ece", "mce",
        "macro_precision", "macro_recall", "macro_f1",
    }  # fmt: skip
    assert set(named) == per_digit | overall
    assert named["accuracy"] == pytest.approx(2 / 3)
    assert (named["precision/3"], named["recall/3"], named["recall/4"]) == (1, 0.5, 1)
    assert (named["precision/9"], named["recall/9"], named["f1/9"]) == (0, 0, 0)
    # Its arguments are left alone.
    np.testing.assert_array_equal(labels, [3, 3, 4])
    np.testing.assert_array_equal(probabilities, one_hot(3, 4, 4))


@given(predictions())
def test_filled_bins_are_scikit_learns_calibration_curve(drawn: Predictions) -> None:
    labels, probabilities = drawn
    ours = calibration(labels, probabilities)
    correct = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(correct, probabilities.max(axis=1), n_bins=15, pos_label=True)
    filled = ours.counts > 0
    np.testing.assert_allclose(ours.accuracy[filled], accuracy)
    np.testing.assert_allclose(ours.confidence[filled], confidence)
    gaps = np.abs(accuracy - confidence)
    assert ours.ece == pytest.approx(np.sum(gaps * ours.counts[filled]) / len(labels))
    assert ours.mce == pytest.approx(gaps.max())
    assert ours.counts.sum() == len(labels)
    assert np.isnan(ours.accuracy[~filled]).all()
    assert np.isnan(ours.confidence[~filled]).all()
    np.testing.assert_allclose(ours.edges, np.arange(16) / 15)


def test_a_bin_includes_its_upper_bound() -> None:
    edge = float(np.linspace(0, 1, 16)[9])
    counts = calibration(np.array([0, 0, 0]), confident([edge, edge + 1e-6, 1.0])).counts
    assert counts.tolist() == [0] * 8 + [1, 1, 0, 0, 0, 0, 1]


@given(
    counts=st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    confidence=st.floats(0.01, 0.999),
)
def test_intervals_are_scipys(counts: tuple[int, int], confidence: float) -> None:
    successes, n = counts
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson_interval(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "received"),
    [((0, 0), "0 of 0"), ((-1, 5), "-1 of 5"), ((6, 5), "6 of 5"), ((1, 2, 0.0), "0.0"), ((1, 2, 1.0), "1.0")],
)
def test_impossible_counts_and_confidences_are_refused(arguments: tuple[float, ...], received: str) -> None:
    with pytest.raises(ValueError, match=f"received {received}"):
        wilson_interval(*arguments)


FUNCTIONS: list[Callable[[Any, Any], object]] = [
    measure,
    calibration,
    misclassified,
    predictions_table,
    lambda labels, probabilities: compare(labels, {"cnn": probabilities}),
]
UNIFORM = np.full((2, 10), 0.1)


def with_value(value: float) -> Any:
    changed = UNIFORM.copy()
    changed[1, 3] = value
    return changed


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], np.empty((0, 10)), r"received \(0,\)"),
        ([[1, 2]], UNIFORM, r"received \(1, 2\)"),
        ([1.0, 2.0], UNIFORM, "received float64"),
        ([1, 10], UNIFORM, r"received 1\.\.10"),
        ([-1, 2], UNIFORM, r"received -1\.\.2"),
        ([1, 2, 3], UNIFORM, r"\(3, 10\), received \(2, 10\)"),
        ([1, 2], UNIFORM[:, :9], r"\(2, 10\), received \(2, 9\)"),
        ([1, 2], with_value(np.nan), "finite, received .*nan.* in row 1"),
        ([1, 2], with_value(np.inf), "finite, received .*inf.* in row 1"),
        ([1, 2], with_value(-0.1), r"received -0\.1\.\."),
        ([1, 2], with_value(0.2), r"received 1\.1 in row 1"),
    ],
)
def test_malformed_predictions_are_refused(
    function: Callable[[Any, Any], object], labels: list[Any], probabilities: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(np.array(labels), probabilities)


@settings(max_examples=50)
@given(predictions())
def test_exactly_the_mistakes_are_listed(drawn: Predictions) -> None:
    labels, probabilities = drawn
    order = misclassified(labels, probabilities)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == np.flatnonzero(probabilities.argmax(axis=1) != labels).tolist()
    assert (np.diff(probabilities.max(axis=1)[order]) <= 0).all()
    # Of equally confident ones the first comes first.
    assert misclassified(np.array([1, 2, 7, 3, 4]), confident([0.5, 0.9, 0.99, 0.9, 0.6], 7)).tolist() == [1, 3, 4, 0]


def test_the_table_has_a_row_for_each_image() -> None:
    probabilities = confident([0.75, 0.5], [3, 8])
    right, wrong = predictions_table(np.array([3, 1]), probabilities)
    expected = {"index": 1, "label": 1, "predicted": 8, "correct": False, "confidence": 0.5}
    assert list(wrong.items())[:5] == list(expected.items())
    assert [wrong[f"p{i}"] for i in range(10)] == pytest.approx(probabilities[1])
    assert list(wrong)[5:] == [f"p{i}" for i in range(10)]
    assert (right["index"], right["label"], right["predicted"], right["correct"]) == (0, 3, 3, True)
    assert right["confidence"] == 0.75
    assert {type(value) for value in right.values()} == {int, bool, float}
