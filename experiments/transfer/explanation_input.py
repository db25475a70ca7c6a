"""The input of the summaries: one model in one target domain, and the proportions in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation import Metrics
from experiments.evaluation.multiple_tests import significant_keys
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.transfer.alignments import DESKEWED_ALIGNMENTS
from experiments.transfer.domain_result import AlignmentResult, DomainResult, MethodResult
from experiments.transfer.proportions import Proportion, design_effect, paired
from experiments.transfer.shift import Shift


@dataclass(frozen=True, eq=False)
class AdaptationEffect:
    """Correctness of each target image before and after adaptation: bool (m,), m >= 1."""

    before: NDArray[np.bool_]
    after: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DeskewedModel:
    """A model that was trained on the deskewed source, on the deskewed target.

    Attributes
    ----------
    name
        Its name; that of the `ExplanationInput` if it is the same model.
    alignments
        As in `ExplanationInput`.
    """

    name: str
    alignments: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class ExplanationInput:
    """Metrics and correct images of one model in source and target.

    Attributes
    ----------
    name
        Name of the model.
    source, target
        Its metrics on the test images of both.
    shift
        Shift in its feature space; None if it was not measured.
    alignments
        Correctly classified target images, bool (m,), by alignment. The others are compared with the first. All are in
        the order of `correct`.
    alignment
        The alignment that `target` was measured with; empty if unknown.
    deskewed
        A model for deskewed images; None if there is none.
    corruptions
        Source accuracy by corruption, on as many images as `source`. NaN is ignored.
    adaptations
        By method, in the order of `correct`.
    correct
        bool (m,): correctly classified target images, in an order that all models share; None if unknown.
    variants
        Number of variants of each image among the target's images; see `experiments.transfer.domain.Domain`.
    """

    name: str
    source: Metrics
    target: Metrics
    shift: Shift | None = None
    alignments: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    alignment: str = ""
    deskewed: DeskewedModel | None = None
    corruptions: Mapping[str, float] = field(default_factory=dict)
    adaptations: Mapping[str, AdaptationEffect] = field(default_factory=dict)
    correct: NDArray[np.bool_] | None = None
    variants: int = 1


def explanation_input(result: DomainResult, corrupted: DomainResult | None) -> ExplanationInput:
    """Build the input of the summaries from a result in a labelled target.

    Parameters
    ----------
    corrupted
        Result of the same model on its corrupted source, if there is one.
    """
    assert result.source_only.metrics is not None  # noqa: S101 - the target has labels
    correct = _correct(result.source_only, result)
    plain = [one for one in result.alignments if one.alignment not in DESKEWED_ALIGNMENTS]
    deskewed = [one for one in result.alignments if one.alignment in DESKEWED_ALIGNMENTS]
    return ExplanationInput(
        name=result.model,
        source=result.source_metrics,
        target=result.source_only.metrics,
        shift=result.shift,
        alignments=_correct_by_alignment(plain, result),
        alignment=next((one.alignment for one in result.alignments if _is_source_only(one, result)), ""),
        deskewed=DeskewedModel(deskewed[0].model, _correct_by_alignment(deskewed, result)) if deskewed else None,
        corruptions=corrupted.corruption_accuracies if corrupted else {},
        adaptations={
            method: AdaptationEffect(correct, _correct(found, result))
            for method, found in result.methods.items()
            if method not in (SOURCE_ONLY, ALIGN)
        },
        correct=correct,
        variants=result.target.variants,
    )


def _correct(found: MethodResult, result: DomainResult) -> NDArray[np.bool_]:
    return np.asarray(found.probabilities.argmax(axis=1) == result.target.labels)


def _correct_by_alignment(found: Sequence[AlignmentResult], result: DomainResult) -> dict[str, NDArray[np.bool_]]:
    return {one.alignment: _correct(one.result, result) for one in found}


def _is_source_only(one: AlignmentResult, result: DomainResult) -> bool:
    """Return whether an alignment is the one that the target was loaded with."""
    return one.model == result.model and np.array_equal(one.result.probabilities, result.source_only.probabilities)


def accuracies(one: ExplanationInput) -> tuple[Proportion, Proportion]:
    """Return the accuracies in source and target."""
    effect = float(one.variants) if one.correct is None else design_effect(one.correct.reshape(one.variants, -1))
    source, target = (x.confusion for x in (one.source, one.target))
    return Proportion(int(source.trace()), int(source.sum())), Proportion(
        int(target.trace()), int(target.sum()), effect
    )


def confusion(one: ExplanationInput, digit: int, other: int) -> tuple[Proportion, Proportion] | None:
    """Return the rates of confusing a class with another in source and target; None if one of them lacks the class."""
    rows = one.source.confusion[digit], one.target.confusion[digit]
    if not all(row.any() for row in rows):
        return None
    before, after = (
        Proportion(int(row[other]), int(row.sum()), effect)
        for row, effect in zip(rows, (1.0, one.variants), strict=True)
    )
    return before, after


def recalls(one: ExplanationInput) -> dict[int, tuple[Proportion, Proportion]]:
    """Return the recall of each class in source and target, for classes that occur in both."""
    found = {digit: confusion(one, digit, digit) for digit in range(CLASSES)}
    return {digit: pair for digit, pair in found.items() if pair}


def alignment_accuracies(one: ExplanationInput) -> dict[str, Proportion]:
    """Return the target accuracy under each alignment."""
    return {name: proportion_of(correct, one.variants) for name, correct in one.alignments.items()}


def deskewed_accuracies(one: ExplanationInput) -> dict[str, Proportion]:
    """Return the target accuracy of the model for deskewed images under each alignment."""
    found = one.deskewed.alignments if one.deskewed else {}
    return {name: proportion_of(correct, one.variants) for name, correct in found.items()}


def corruptions(one: ExplanationInput) -> dict[str, Proportion]:
    """Return the source accuracy under each corruption."""
    return {
        name: Proportion(round(x * one.source.n), one.source.n) for name, x in one.corruptions.items() if isfinite(x)
    }


def proportion_of(correct: NDArray[np.bool_], variants: int) -> Proportion:
    """Return the proportion of correct images, with the design effect of their variants.

    `correct` is bool (variants * n,): n images in the first variant, then in the second, and so on.
    """
    return Proportion(int(correct.sum()), correct.size, design_effect(correct.reshape(variants, -1)))


def changed(before: NDArray[np.bool_], found: Mapping[str, NDArray[np.bool_]], variants: int) -> list[str]:
    """Return the names whose accuracy on the same images differs significantly from that before.

    All arrays are bool (variants * n,), as in `proportion_of`.
    """
    return significant_keys({name: paired(before, after, variants) for name, after in found.items()})
