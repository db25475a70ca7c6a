"""Metrics of one model's predictions for one split."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation.arguments import checked
from experiments.evaluation.calibration import calibration
from experiments.evaluation.intervals import wilson_interval
from experiments.results import ACCURACY, Result

KERAS_EPSILON = 1e-7  # keras.config.epsilon(): Keras's cross-entropy clips probabilities to it
MACHINE_EPSILON = float(np.finfo(np.float64).eps)  # sklearn.metrics.log_loss clips probabilities to it


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one digit against the others.

    `precision` is 0 if the digit was never predicted, `recall` if it never occurs, and `f1` if both are the case;
    `support` is the number of its images.
    """

    digit: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, eq=False)
class Metrics:
    """Metrics of one model on `n` images.

    Attributes
    ----------
    n
        Number of images.
    accuracy, accuracy_low, accuracy_high
        Proportion of correct predictions, and its 95 % Wilson interval.
    loss
        Mean cross-entropy in nats with probabilities clipped at 1e-7, as in Keras: comparable with the training loss,
        unless that smooths the labels.
    log_loss
        Mean cross-entropy in nats with probabilities clipped at float64's epsilon, as in scikit-learn: penalizes
        confident mistakes more.
    top2
        Proportion of images whose true digit is among the two most probable.
    ece, mce
        Expected and maximum calibration error over 15 bins.
    macro_precision, macro_recall, macro_f1
        Means over the digits that occur in the labels or in the predictions, as in scikit-learn.
    per_class
        Metrics of each digit, 0 to 9.
    confusion
        Confusion matrix, counts, int64 (10, 10): true digits in rows, predicted digits in columns.
    """

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    loss: float
    log_loss: float
    top2: float
    ece: float
    mce: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    per_class: tuple[ClassMetrics, ...]
    confusion: NDArray[np.int64]

    def results(self, **about: Any) -> list[Result]:
        """Return all numbers as results; those of a class have the digit as `group` and its support as `n`.

        Parameters
        ----------
        about
            Further fields of each `Result`: model, target, ...
        """
        found = [Result(ACCURACY, self.accuracy, low=self.accuracy_low, high=self.accuracy_high, n=self.n, **about)]
        others = ("loss", "log_loss", "top2", "ece", "mce", "macro_precision", "macro_recall", "macro_f1")
        found += [Result(metric, getattr(self, metric), n=self.n, **about) for metric in others]
        for one in self.per_class:
            for metric in ("precision", "recall", "f1"):
                found.append(Result(metric, getattr(one, metric), group=str(one.digit), n=one.support, **about))
        return found


def measure(labels: NDArray[Any], probabilities: NDArray[Any]) -> Metrics:
    """Compute all metrics of a model's predictions.

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9, n >= 1.
    probabilities
        Predicted distributions, (n, 10). The predicted digit is the most probable one, the smallest if several are
        equally probable.

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    labels, probabilities = checked(labels, probabilities)
    ranking = np.argsort(-probabilities, axis=1, kind="stable")
    confusion = _confusion(labels, ranking[:, 0])
    per_class = _per_class(confusion)
    correct = int(confusion.trace())
    low, high = wilson_interval(correct, len(labels))
    calibrated = calibration(labels, probabilities)
    precision, recall, f1 = _macro(confusion, per_class)
    return Metrics(
        n=len(labels),
        accuracy=correct / len(labels),
        accuracy_low=low,
        accuracy_high=high,
        loss=_cross_entropy(labels, probabilities, KERAS_EPSILON),
        log_loss=_cross_entropy(labels, probabilities, MACHINE_EPSILON),
        top2=float((ranking[:, :2] == labels[:, None]).any(axis=1).mean()),
        ece=calibrated.ece,
        mce=calibrated.mce,
        macro_precision=precision,
        macro_recall=recall,
        macro_f1=f1,
        per_class=per_class,
        confusion=confusion,
    )


def _confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(CLASSES * labels + predicted, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def _per_class(confusion: NDArray[np.int64]) -> tuple[ClassMetrics, ...]:
    correct, support, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision = _ratio(correct, predicted)
    recall = _ratio(correct, support)
    f1 = _ratio(2 * correct, support + predicted)
    return tuple(
        ClassMetrics(digit, float(precision[digit]), float(recall[digit]), float(f1[digit]), int(support[digit]))
        for digit in range(CLASSES)
    )


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute part / whole; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _macro(confusion: NDArray[np.int64], per_class: tuple[ClassMetrics, ...]) -> tuple[float, float, float]:
    """Compute the mean precision, recall and F1 of the digits that occur."""
    occurring = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1))
    rows = [(per_class[i].precision, per_class[i].recall, per_class[i].f1) for i in occurring]
    precision, recall, f1 = np.mean(rows, axis=0).tolist()
    return precision, recall, f1


def _cross_entropy(labels: NDArray[np.int64], probabilities: NDArray[np.float64], epsilon: float) -> float:
    of_labels = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(of_labels.clip(epsilon, 1 - epsilon)).mean())
