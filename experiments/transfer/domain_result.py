"""Results of one model in one target domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation import Metrics, measure
from experiments.results import SOURCE_ONLY
from experiments.transfer.alignments import fixed_alignment
from experiments.transfer.domain import Domain, published_name
from experiments.transfer.few_shot import FewShot
from experiments.transfer.proportions import Proportion, proportion_of
from experiments.transfer.robustness import correct_by_corruption, mean_corruption_error
from experiments.transfer.shift import Shift

MAX_PAIRS = 10  # most frequent confusions


@dataclass(frozen=True, eq=False)
class MethodResult:
    """Predictions of a model for the test images of a target domain.

    Attributes
    ----------
    probabilities
        float32 (n, 10).
    metrics
        None if the images have no labels. If they come in several variants, the interval of the accuracy accounts for
        that.
    seconds
        Wall time of the method, without the predictions of an adapted model.
    curve
        Series of an adaptation by name; see `experiments.transfer.adaptation.adaptation.Adapted`.
    """

    probabilities: NDArray[np.float32]
    metrics: Metrics | None
    seconds: float = 0.0
    curve: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class AlignmentResult:
    """A model on the target's images under one alignment.

    Attributes
    ----------
    alignment
        Name of the alignment.
    model
        Name and version of the model: from ``deskew`` on, one that was trained on deskewed images.
    entropy
        Mean entropy in nats of its predictions for the unlabelled images.
    result
        On the test images.
    """

    alignment: str
    model: str
    entropy: float
    result: MethodResult


@dataclass(frozen=True, eq=False)
class DomainResult:
    """All results of one model in one target domain.

    Attributes
    ----------
    label, model
        Short name of the model (``lenet``), and its version (``mnist-lenet v3``) or file.
    source, target
        Name of the dataset that the model was trained on, and the target domain.
    source_metrics
        Metrics on the test images of the source.
    methods
        Results by method: ``none``, ``align`` (the fixed alignment) and adaptation methods.
    alignments
        The alignment ablation, in order; empty if it was not requested.
    shift
        Shift in the model's feature space, or None if it cannot be measured.
    few_shot
        None if it was not requested.
    baseline
        Accuracy of ``mlp_small``, trained on the same source, under each corruption; empty if the target is not
        corrupted or there is no such model.
    """

    label: str
    model: str
    source: str
    target: Domain
    source_metrics: Metrics
    methods: Mapping[str, MethodResult]
    alignments: tuple[AlignmentResult, ...] = ()
    shift: Shift | None = None
    few_shot: FewShot | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)

    @property
    def source_only(self) -> MethodResult:
        """Result of the unadapted model."""
        return self.methods[SOURCE_ONLY]

    def correct(self, found: MethodResult | None = None) -> NDArray[np.bool_]:
        """Return the correctness of each target image, bool (n,), by a method; by the unadapted model without one."""
        return np.asarray((found or self.source_only).probabilities.argmax(axis=1) == self.target.labels)

    @property
    def accuracies(self) -> tuple[Proportion, Proportion]:
        """Accuracies in the source and in the target with labels."""
        confusion = self.source_metrics.confusion
        source = Proportion(int(confusion.trace()), int(confusion.sum()))
        return source, proportion_of(self.correct(), self.target.variants)

    def rates(self, digit: int, other: int) -> tuple[Proportion, Proportion] | None:
        """Return how often a class is predicted as another in source and target; None if one of them lacks it."""
        assert self.source_only.metrics is not None  # noqa: S101 - the target has labels
        rows = [metrics.confusion[digit] for metrics in (self.source_metrics, self.source_only.metrics)]
        counts = [(int(row[other]), int(row.sum())) for row in rows]
        if not all(n for _, n in counts):
            return None
        return Proportion(*counts[0]), Proportion(*counts[1], self.target.variants)

    @property
    def recalls(self) -> dict[int, tuple[Proportion, Proportion]]:
        """Recall of each class in source and target with labels, for classes that occur in both."""
        found = {digit: self.rates(digit, digit) for digit in range(CLASSES)}
        return {digit: pair for digit, pair in found.items() if pair}

    @property
    def recall_changes(self) -> list[float]:
        """Change of each class's recall from source to target; NaN for a class that is missing in one of them."""
        if self.source_only.metrics is None:
            return [nan] * CLASSES
        changes = {digit: after.value - before.value for digit, (before, after) in self.recalls.items()}
        return [changes.get(digit, nan) for digit in range(CLASSES)]

    @property
    def corruption_accuracies(self) -> dict[str, float]:
        """Accuracy under each corruption; empty if the target is not corrupted or has no labels."""
        if self.target.variants == 1 or self.target.labels is None:
            return {}
        return corruption_accuracies(self.target.labels, self.source_only.probabilities)

    @property
    def corruption_error(self) -> float | None:
        """Mean corruption error; None without corruptions or without the baseline."""
        return mean_corruption_error(self.corruption_accuracies, self.baseline) if self.baseline else None

    @property
    def is_corrupted_source(self) -> bool:
        """Whether the target has the images of the source under corruptions, with labels."""
        return published_name(self.source) == published_name(self.target.name) and bool(self.corruption_accuracies)


def method_result(
    target: Domain,
    probabilities: NDArray[np.float32],
    seconds: float = 0.0,
    curve: Mapping[str, tuple[float, ...]] | None = None,
) -> MethodResult:
    """Measure predictions for the test images of a target; there are no metrics if it has no labels."""
    if target.labels is None:
        return MethodResult(probabilities, None, seconds, curve or {})
    metrics = measure(target.labels, probabilities)
    if target.variants > 1:
        low, high = proportion_of(probabilities.argmax(axis=1) == target.labels, target.variants).interval()
        metrics = replace(metrics, accuracy_low=low, accuracy_high=high)
    return MethodResult(probabilities, metrics, seconds, curve or {})


def reported_alignment(alignments: Sequence[AlignmentResult]) -> AlignmentResult:
    """Return the alignment that is reported; see `experiments.transfer.alignments.fixed_alignment`."""
    by_name = {one.alignment: one for one in alignments}
    return by_name[fixed_alignment(by_name)]


def corruption_accuracies(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Compute the accuracy under each corruption from predictions for a dataset ``<name>-c``."""
    correct = correct_by_corruption(labels, probabilities.argmax(axis=1))
    return {name: float(one.mean()) for name, one in correct.items()}


def confused_pairs(confusion: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the most frequent pairs of true and predicted class: ``digit``, ``taken_for``, ``count``, ``share``."""
    counts = confusion.copy()
    np.fill_diagonal(counts, 0)
    support = confusion.sum(axis=1)
    pairs = [divmod(int(i), CLASSES) for i in np.argsort(-counts, axis=None, kind="stable")[:MAX_PAIRS]]
    return [
        {"digit": true, "taken_for": other, "count": int(counts[true, other]),
         "share": float(counts[true, other] / support[true])}
        for true, other in pairs
        if counts[true, other]
    ]  # fmt: skip
