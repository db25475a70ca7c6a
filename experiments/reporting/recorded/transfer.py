"""Figures of models in target domains."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from experiments.datasets import Split
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figures.adaptation_curve import adaptation_curve
from experiments.reporting.figures.adaptation_gains import Gain, adaptation_gains
from experiments.reporting.figures.alignment_ablation import alignment_ablation
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.corruption_heatmap import corruption_heatmap
from experiments.reporting.figures.few_shot_curves import few_shot_curves
from experiments.reporting.figures.placed_map import placed_map
from experiments.reporting.figures.shift_chart import shift_chart
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.reporting.recorded.evaluation import accuracy_interval, prediction_drawings
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.curve import align_series
from experiments.transfer.domain_result import DomainResult
from experiments.transfer.feature_space import SharedMap


def transfer_drawings(result: DomainResult, shared_map: SharedMap | None) -> dict[str, Drawing]:
    """Return the figures of one model in one domain by name."""
    title = f"{result.model} on {result.target.name}"
    drawings = _source_only_drawings(result, shared_map, title)
    curves = {method: align_series(found.curve) for method, found in result.methods.items() if found.curve}
    if curves:
        drawings["adaptation_curves"] = adaptation_curve_drawing(curves, f"{title}: adaptation without labels")
    if few_shot := result.few_shot:
        ks: list[int | Literal["all"]] = [k or "all" for k in few_shot.per_class]
        accuracies = (few_shot.fine_tuned, few_shot.scratch, few_shot.zero_shot)
        drawings["few_shot"] = Drawing.of(few_shot_curves, ks, *accuracies, f"{title}: few labeled images")
    return drawings | transfer_comparison_drawings([result], f"to {result.target.name}")


def adaptation_curve_drawing(curves: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Drawing:
    """Return the figure of the curves of adaptation methods, as from `align_series`."""
    units = {method: ADAPTATIONS[method].unit for method in curves}
    if len({*units.values()}) == 1:
        return Drawing.of(adaptation_curve, curves, title, next(iter(units.values())), first=0)
    steps = ", ".join(method for method, unit in units.items() if unit == "step")
    return Drawing.of(adaptation_curve, curves, title, f"epoch ({steps}: step)", first=0)


def transfer_comparison_drawings(results: Sequence[DomainResult], where: str) -> dict[str, Drawing]:
    """Return the figures that show one or several models in one domain by name; none without labels."""
    labeled = [one for one in results if one.source_only.metrics]
    route = f"From {', '.join(dict.fromkeys(one.source for one in results))} {where}"
    drawings: dict[str, Drawing] = {}
    if changes := {one.model: one.recall_changes for one in labeled}:
        drawings["class_changes"] = Drawing.of(class_changes, changes, f"{route}: recall changes")
    if alignments := {one.model: _alignments(one) for one in labeled if one.alignments}:
        drawings["alignment"] = Drawing.of(alignment_ablation, alignments, f"{route}: alignment, no training")
    if gains := [gain for one in labeled for gain in _gains(one)]:
        title = f"{route}: alignment and adaptation without labels"
        drawings["adaptation"] = Drawing.of(adaptation_gains, gains, title)
    if accuracies := {one.model: one.corruption_accuracies for one in labeled if one.corruption_accuracies}:
        clean = {one.model: one.source_metrics.accuracy for one in labeled if one.is_corrupted_source}
        errors = {one.model: error for one in labeled if (error := one.corruption_error) is not None}
        drawings["corruptions"] = Drawing.of(corruption_heatmap, accuracies, clean, errors, f"{route}: corruptions")
    if shifts := {one.model: _shift_row(one) for one in labeled if one.shift}:
        drawings["shift"] = Drawing.of(shift_chart, shifts, f"{route}: shift in feature space")
    return drawings


def transfer_matrix_drawing(results: Sequence[DomainResult]) -> Drawing:
    """Return the figure of the accuracies of all models in their source and target domains."""
    rows: dict[str, dict[str, Interval]] = {}
    for result in results:
        row = rows.setdefault(f"{result.model} on {result.source}", {})
        row[result.source] = accuracy_interval(result.source_metrics)
        row[result.target.name] = accuracy_interval(result.source_only.metrics)
    return Drawing.of(transfer_matrix, rows, "Accuracy in source and target domains")


def _source_only_drawings(result: DomainResult, shared_map: SharedMap | None, title: str) -> dict[str, Drawing]:
    plain, labels = result.source_only, result.target.labels
    if plain.metrics is None or labels is None:
        return {}
    probabilities = plain.probabilities
    test = Split(result.target.images, labels)
    drawings = prediction_drawings(test, probabilities, plain.metrics.confusion, title)
    if shared_map:
        shown = shared_map.target_indices
        wrong = (probabilities.argmax(axis=1) != labels)[shown]
        about = f"{result.target.name} on the map of {result.source} by {result.model}"
        source = (shared_map.source, shared_map.source_labels)
        drawings["map"] = Drawing.of(placed_map, *source, shared_map.target, labels[shown], wrong, about)
    return drawings


def _alignments(result: DomainResult) -> dict[str, Interval]:
    return {aligned.alignment: accuracy_interval(aligned.result.metrics) for aligned in result.alignments}


def _gains(result: DomainResult) -> Iterator[Gain]:
    before = accuracy_interval(result.source_only.metrics)[0]
    for method, found in result.methods.items():
        after = accuracy_interval(found.metrics)
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
