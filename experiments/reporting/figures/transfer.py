"""All figures of models in target domains."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from experiments import evaluation
from experiments.reporting.figures.adaptation_curve import adaptation_curve
from experiments.reporting.figures.adaptation_gains import Gain, adaptation_gains
from experiments.reporting.figures.alignment_ablation import alignment_ablation
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.corruption_heatmap import corruption_heatmap
from experiments.reporting.figures.few_shot_curves import few_shot_curves
from experiments.reporting.figures.layout import Interval
from experiments.reporting.figures.mistakes import misclassified_gallery
from experiments.reporting.figures.placed_map import placed_map
from experiments.reporting.figures.reliability_diagram import reliability_diagram
from experiments.reporting.figures.shift_chart import shift_chart
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.curve import align_series
from experiments.transfer.domain_result import DomainResult
from experiments.transfer.feature_space import SharedMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = Iterator[tuple[str, "Figure"]]


def transfer_figures(result: DomainResult, shared_map: SharedMap | None) -> Figures:
    """Yield the figures of one model in one domain with their names."""
    title = f"{result.model} on {result.target.name}"
    if result.target.labels is not None:
        yield from _source_only_figures(result, shared_map, title)
    curves = {method: align_series(found.curve) for method, found in result.methods.items() if found.curve}
    if curves:
        yield "adaptation_curves", curve_figure(curves, f"{title}: adaptation without labels")
    if few_shot := result.few_shot:
        ks: list[int | Literal["all"]] = [k or "all" for k in few_shot.per_class]
        few_title = f"{title}: few labelled images"
        accuracies = (few_shot.fine_tuned, few_shot.scratch, few_shot.zero_shot)
        yield "few_shot", few_shot_curves(ks, *accuracies, few_title)
    yield from comparison_figures([result], f"to {result.target.name}")


def curve_figure(curves: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> "Figure":
    """Draw the curves of adaptation methods, as from `align_series`."""
    units = {method: ADAPTATIONS[method].unit for method in curves}
    if len({*units.values()}) == 1:
        return adaptation_curve(curves, title, next(iter(units.values())), first=0)
    steps = ", ".join(method for method, unit in units.items() if unit == "step")
    return adaptation_curve(curves, title, f"epoch ({steps}: step)", first=0)


def _source_only_figures(result: DomainResult, shared_map: SharedMap | None, title: str) -> Figures:
    plain, images, labels = result.source_only, result.target.images, result.target.labels
    if plain.metrics is None or labels is None:
        return
    probabilities = plain.probabilities
    yield "confusion", confusion_heatmap(plain.metrics.confusion, False, f"{title}: confusion")
    normalized = f"{title}: confusion, % of each class"
    yield "confusion_normalized", confusion_heatmap(plain.metrics.confusion, True, normalized)
    wrong = evaluation.misclassified(labels, probabilities)
    gallery = f"{title}: misclassified, most confident first"
    yield "misclassified", misclassified_gallery(images, labels, probabilities, wrong, gallery)
    yield "reliability", reliability_diagram(evaluation.calibration(labels, probabilities), f"{title}: reliability")
    if shared_map:
        shown = shared_map.target_indices
        misclassified = probabilities.argmax(axis=1) != labels
        about = f"{result.target.name} on the map of {result.source} by {result.model}"
        source, target = shared_map.source, shared_map.target
        figure = placed_map(source, shared_map.source_labels, target, labels[shown], misclassified[shown], about)
        yield "map", figure


def comparison_figures(results: Sequence[DomainResult], where: str) -> Figures:
    """Yield the figures that show one or several models in one domain."""
    labelled = [one for one in results if one.source_only.metrics]
    if not labelled:
        return
    route = f"From {', '.join(dict.fromkeys(one.source for one in results))} {where}"
    yield (
        "class_changes",
        class_changes({one.model: one.recall_changes for one in labelled}, f"{route}: recall changes"),
    )
    alignments = {
        one.model: {aligned.alignment: _interval(aligned.result.metrics) for aligned in one.alignments}
        for one in labelled
        if one.alignments
    }
    if alignments:
        yield "alignment", alignment_ablation(alignments, f"{route}: alignment, no training")
    if gains := [gain for one in labelled for gain in _gains(one)]:
        yield "adaptation", adaptation_gains(gains, f"{route}: alignment and adaptation without labels")
    accuracies = {one.model: one.corruption_accuracies for one in labelled if one.corruption_accuracies}
    if accuracies:
        clean = {one.model: one.source_metrics.accuracy for one in labelled if one.is_corrupted_source}
        errors = {one.model: error for one in labelled if (error := one.corruption_error) is not None}
        yield "corruptions", corruption_heatmap(accuracies, clean, f"{route}: corruptions", errors)
    if shifts := {one.model: _shift_row(one) for one in labelled if one.shift}:
        yield "shift", shift_chart(shifts, f"{route}: shift in feature space")


def _gains(result: DomainResult) -> Iterator[Gain]:
    before = _interval(result.source_only.metrics)[0]
    for method, found in result.methods.items():
        after = _interval(found.metrics)
        # If the target was aligned already, alignment is no gain.
        if method != SOURCE_ONLY and (method, after[0]) != (ALIGN, before):
            yield Gain(result.model, method, before, after)


def _shift_row(result: DomainResult) -> dict[str, float]:
    if result.shift is None or result.source_only.metrics is None:
        return {}
    return {
        "MMD²": result.shift.mmd,
        "CORAL distance": result.shift.coral,
        "proxy A-distance": result.shift.a_distance,
        "error in the target": 1 - result.source_only.metrics.accuracy,
    }


def matrix_figure(results: Sequence[DomainResult]) -> "Figure":
    """Draw the accuracies of all models in their source and target domains."""
    rows: dict[str, dict[str, Interval]] = {}
    for result in results:
        row = rows.setdefault(f"{result.model} on {result.source}", {})
        row[result.source] = _interval(result.source_metrics)
        row[result.target.name] = _interval(result.source_only.metrics)
    return transfer_matrix(rows, "Accuracy in source and target domains")


def _interval(metrics: Any) -> Interval:
    """Return an accuracy with the bounds of its interval; NaN without labels."""
    if metrics is None:
        return (float("nan"),) * 3
    return metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high
