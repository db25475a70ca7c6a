"""The figures of networks in target domains."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from experiments import evaluation, reporting
from experiments.transfer import Findings, Interval, Outcome
from experiments.workflows.transfer.numbers import (
    corruption_error,
    corruptions,
    from_before,
    interval,
    of_its_source,
    recall_changes,
)
from experiments.workflows.transfer.pipeline import ALIGN, NONE, Placed


def figures(found: Findings, placed: Placed | None) -> Iterator[tuple[str, Any]]:
    """Return the figures of one network in one domain, each under the name of its file."""
    title = f"{found.name} on {found.target.name}"
    plain = found.outcomes[NONE]
    if plain.metrics and found.target.labels is not None:
        images, labels = found.target.images, found.target.labels
        yield "confusion", reporting.confusion_heatmap(plain.metrics.confusion, False, f"{title}: confusion")
        normalised = f"{title}: confusion, % of each digit"
        yield "confusion_normalised", reporting.confusion_heatmap(plain.metrics.confusion, True, normalised)
        missed = evaluation.misclassified(labels, plain.probabilities)
        yield (
            "misclassified",
            reporting.misclassified_gallery(
                images, labels, plain.probabilities, missed, f"{title}: misclassified, most confident first"
            ),
        )
        calibrated = evaluation.calibration(labels, plain.probabilities)
        yield "reliability", reporting.reliability_diagram(calibrated, f"{title}: reliability")
        if placed:
            yield "map", _map(found, placed, labels, plain)
    methods = {way: from_before(one.curve) for way, one in found.outcomes.items() if one.curve}
    if methods:
        named = f"{title}: adaptation without labels"
        yield "adaptation_curves", reporting.adaptation_curve(methods, named, "epoch (tent: step)", first=0)
    if shots := found.few_shot:
        ks: list[int | Literal["all"]] = [k or "all" for k in shots.per_class]
        yield (
            "few_shot",
            reporting.few_shot_curves(
                ks, shots.fine_tuned, shots.scratch, shots.zero_shot, f"{title}: learning from few labelled digits"
            ),
        )
    yield from compared_figures([found], f"to {found.target.name}")


def _map(found: Findings, placed: Placed, labels: Any, plain: Outcome) -> Any:
    wrong = plain.probabilities.argmax(axis=1) != labels
    return reporting.placed_map(
        placed.reference,
        placed.reference_labels,
        placed.positions,
        labels[placed.chosen],
        wrong[placed.chosen],
        f"{found.target.name} on the map that {found.name} makes of {found.source}",
    )


def compared_figures(group: Sequence[Findings], where: str) -> Iterator[tuple[str, Any]]:
    """Return the figures that show one network or several in one domain."""
    labelled = [found for found in group if found.target.labels is not None]
    if not labelled:
        return
    home = ", ".join(dict.fromkeys(found.source for found in group))
    route = f"From {home} {where}"
    changes = {found.name: recall_changes(found) for found in labelled}
    yield "class_changes", reporting.class_changes(changes, f"{route}: change of recall")
    ladders = {
        found.name: {rung.alignment: interval(found.target, rung.outcome) for rung in found.ladder}
        for found in labelled
        if found.ladder
    }
    if ladders:
        yield "alignment", reporting.alignment_ablation(ladders, f"{route}: alignment, no training")
    gains = [gain for found in labelled for gain in _gains(found)]
    if gains:
        yield "adaptation", reporting.adaptation_gains(gains, f"{route}: alignment and adaptation without labels")
    accuracies = {found.name: corruptions(found) for found in labelled if corruptions(found)}
    if accuracies:
        clean = {found.name: found.at_home.accuracy for found in labelled if of_its_source(found)}
        errors = {found.name: error for found in labelled if (error := corruption_error(found)) is not None}
        yield "corruptions", reporting.corruption_heatmap(accuracies, clean, f"{route}: corruptions", errors)
    shifts = {found.name: _shift_row(found) for found in labelled if found.shift}
    if shifts:
        yield "shift", reporting.shift_chart(shifts, f"{route}: shift in feature space")


def _gains(found: Findings) -> Iterator[reporting.Gain]:
    plain = found.outcomes[NONE].metrics
    for way, outcome in found.outcomes.items():
        if way != NONE and plain:
            accuracy, low, high = interval(found.target, outcome)
            if (way, accuracy) != (ALIGN, plain.accuracy):  # it came aligned
                yield reporting.Gain(found.name, way, plain.accuracy, (accuracy, low, high))


def _shift_row(found: Findings) -> dict[str, float]:
    shift, metrics = found.shift, found.outcomes[NONE].metrics
    if shift is None or metrics is None:
        return {}
    return {
        "MMD²": shift.mmd,
        "CORAL distance": shift.coral,
        "proxy A-distance": shift.a_distance,
        "error in the target": 1 - metrics.accuracy,
    }


def matrix(findings: Sequence[Findings]) -> dict[str, dict[str, Interval]]:
    """Return accuracies with their intervals, by network and domain, that of its source first."""
    rows: dict[str, dict[str, Interval]] = {}
    for found in findings:
        row = rows.setdefault(f"{found.name} on {found.source}", {})
        home = found.at_home
        row[found.source] = (home.accuracy, home.accuracy_low, home.accuracy_high)
        row[found.target.name] = interval(found.target, found.outcomes[NONE])
    return rows
