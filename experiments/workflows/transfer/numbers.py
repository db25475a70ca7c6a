"""The numbers of networks in target domains: what goes to metrics and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isnan, nan
from typing import Any

import numpy as np

from experiments import datasets, evaluation, transfer
from experiments.datasets import CLASSES
from experiments.evaluation import Metrics
from experiments.transfer import Findings, Interval, Outcome
from experiments.workflows.transfer.pipeline import NONE

STATE = ("entropy", "confident")  # rows of an adaptation's curve that begin with the network as it came
MOST_PAIRS = 10  # of digits that are taken for each other, in the table


def numbers(target: transfer.Domain, found: Outcome) -> dict[str, float | None]:
    """Return accuracy with its 95 % interval, macro F1 and ECE; None where the target has no labels."""
    if found.metrics is None:
        return dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece"))
    accuracy, low, high = interval(target, found)
    metrics = found.metrics
    return {
        "accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": metrics.macro_f1,
        "ece": metrics.ece,
    }


def details(found: Findings) -> dict[str, Any]:
    """Return what is known of the network as it is beyond `numbers`, as JSON values; None where it needs labels."""
    plain = found.outcomes[NONE]
    changes = {str(digit): _finite(change) for digit, change in enumerate(recall_changes(found))}
    return {
        "entropy": transfer.mean_entropy(plain.probabilities),
        "predicted": np.bincount(plain.probabilities.argmax(axis=1), minlength=CLASSES).tolist(),
        "recall_change": changes if plain.metrics else None,
        "confusion": plain.metrics.confusion.tolist() if plain.metrics else None,
        "confused_pairs": _confused(plain.metrics) if plain.metrics else None,
        "corruptions": corruptions(found) or None,
        "mean_corruption_error": corruption_error(found),
        "shift": {name: _finite(value) for name, value in _shift_metrics(found).items()} or None,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def interval(target: transfer.Domain, found: Outcome) -> Interval:
    """Return accuracy and the ends of its 95 % interval, which is one over digits where these come in several views."""
    metrics = found.metrics
    if metrics is None or target.labels is None:
        return nan, nan, nan
    if target.views == 1:
        return metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high
    right = (found.probabilities.argmax(axis=1) == target.labels).reshape(target.views, -1)
    return (metrics.accuracy, *transfer.interval_over_views(right))


def ladder_rows(found: Findings) -> list[dict[str, Any]]:
    """Return the rungs of the ladder as rows of a table."""
    return [
        {
            "alignment": rung.alignment,
            "network": rung.network,
            **numbers(found.target, rung.outcome),
            "entropy_unlabelled": rung.entropy,
        }
        for rung in found.ladder
    ]


def ways(found: Findings) -> list[dict[str, Any]]:
    """Return what each way brought, as rows of a table."""
    return [
        {"adapt": way, **numbers(found.target, outcome), "seconds": round(outcome.seconds, 2)}
        for way, outcome in found.outcomes.items()
    ]


def from_before(curve: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return the rows of a curve from the state before to the last step, NaN where nothing was measured.

    A row of the state is one value longer than what was descended, or has the states before and after alone.
    """
    last = max((len(values) for name, values in curve.items() if name not in STATE), default=1)
    rows = {}
    for name, values in curve.items():
        row = [nan] * (last + 1)
        if name not in STATE:
            row[1:] = values
        elif len(values) == last + 1:
            row = list(values)
        else:
            row[0], row[-1] = values[0], values[-1]
        rows[name] = row
    return rows


def unit(method: str) -> str:
    """Return what the values of a method's curve were taken at the end of."""
    return "step" if method == "tent" else "epoch"


def steps(rows: Mapping[str, Sequence[float]]) -> Iterator[tuple[int, dict[str, float]]]:
    """Return what was measured at each step, by name."""
    for step in range(max(map(len, rows.values()), default=0)):
        yield step, {name: values[step] for name, values in rows.items() if not isnan(values[step])}


def predictions(found: Findings, outcome: Outcome) -> list[dict[str, Any]]:
    """Return a row for each test digit: what it is, where that is known, and what it was taken for."""
    if found.target.labels is not None:
        return evaluation.predictions_table(found.target.labels, outcome.probabilities)
    digits, sure = outcome.probabilities.argmax(axis=1).tolist(), outcome.probabilities.max(axis=1).tolist()
    files = found.target.files or range(len(digits))
    column = "file" if found.target.files else "index"
    rows = zip(files, digits, sure, strict=True)
    return [{column: file, "predicted": digit, "probability": round(p, 6)} for file, digit, p in rows]


def recall_changes(found: Findings) -> list[float]:
    """Return the change of each digit's recall from source to target, NaN for one that the target does not have."""
    there = found.outcomes[NONE].metrics
    if there is None:
        return [nan] * CLASSES
    both = zip(found.at_home.per_class, there.per_class, strict=True)
    return [new.recall - old.recall if new.support and old.support else nan for old, new in both]


def corruptions(found: Findings) -> dict[str, float]:
    """Return the accuracy under each corruption; empty where the target is not of corrupted digits."""
    if found.target.views == 1 or found.target.labels is None:
        return {}
    predicted = found.outcomes[NONE].probabilities.argmax(axis=1)
    right = transfer.correct_by_corruption(found.target.labels, predicted)
    return {name: float(one.mean()) for name, one in right.items()}


def corruption_error(found: Findings) -> float | None:
    """Return the mean corruption error; None without corruptions or without the network it is relative to."""
    if not found.baseline:
        return None
    return transfer.mean_corruption_error(corruptions(found), found.baseline)


def of_its_source(found: Findings) -> bool:
    """Return whether the target is of the source's digits under corruptions, and labelled."""
    published = [datasets.DERIVED[name].source.name if name in datasets.DERIVED else name
                 for name in (found.source, found.target.name)]  # fmt: skip
    return published[0] == published[1] and bool(corruptions(found))


def metrics_of(found: Findings) -> dict[str, float]:
    """Return all finite numbers of one network in one domain, by the names that MLflow shows."""
    plain = found.outcomes[NONE]
    metrics: dict[str, float] = {"source_accuracy": found.at_home.accuracy}
    if plain.metrics:
        own = {name: value for name, value in numbers(found.target, plain).items() if value is not None}
        changes = {f"recall_change_{digit}": change for digit, change in enumerate(recall_changes(found))}
        metrics |= {**plain.metrics.scalars(), **own, **changes}
        metrics |= {f"adapt/{way}": outcome.metrics.accuracy for way, outcome in found.outcomes.items()
                    if outcome.metrics}  # fmt: skip
        metrics |= {f"alignment/{rung.alignment}": rung.outcome.metrics.accuracy for rung in found.ladder
                    if rung.outcome.metrics}  # fmt: skip
        metrics |= {f"corruption/{name}": accuracy for name, accuracy in corruptions(found).items()}
        if (error := corruption_error(found)) is not None:
            metrics["mean_corruption_error"] = error
    metrics |= {f"seconds/{way}": outcome.seconds for way, outcome in found.outcomes.items()}
    metrics |= {f"shift/{name}": value for name, value in _shift_metrics(found).items()}
    if shots := found.few_shot:
        for i, k in enumerate(shots.per_class):
            metrics[f"few_shot/{k or 'all'}/fine_tuned"] = float(shots.fine_tuned[i].mean())
            metrics[f"few_shot/{k or 'all'}/scratch"] = float(shots.scratch[i].mean())
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _shift_metrics(found: Findings) -> dict[str, float]:
    if found.shift is None:
        return {}
    measures = {name: float(value) for name, value in asdict(found.shift).items() if name != "class_distances"}
    apart = {f"class_distance_{digit}": value for digit, value in enumerate(found.shift.class_distances)}
    return {**measures, **apart}


def tables(found: Findings) -> dict[str, list[dict[str, Any]]]:
    """Return the tables that are kept as files, by the names of these."""
    tables = {"ladder.csv": ladder_rows(found)} if found.ladder else {}
    metrics = found.outcomes[NONE].metrics
    if metrics:
        changes = recall_changes(found)
        tables["per_class.csv"] = [{**vars(one), "recall_change": changes[one.digit]} for one in metrics.per_class]
        tables["confused_pairs.csv"] = _confused(metrics)
    if rows := corruptions(found):
        tables["corruptions.csv"] = [
            {"corruption": name, "accuracy": accuracy, "baseline": (found.baseline or {}).get(name)}
            for name, accuracy in rows.items()
        ]
    if shots := found.few_shot:
        tables["few_shot.csv"] = [
            {"per_class": k or "all", "digits": shots.digits[i], "seed": seed,
             "fine_tuned": shots.fine_tuned[i, seed], "scratch": shots.scratch[i, seed]}
            for i, k in enumerate(shots.per_class)
            for seed in range(shots.fine_tuned.shape[1])
        ]  # fmt: skip
    return tables


def _confused(metrics: Metrics) -> list[dict[str, Any]]:
    """Return the pairs of true and predicted digit that occur most often."""
    counts = metrics.confusion.copy()
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = [divmod(int(place), CLASSES) for place in order]
    support = metrics.confusion.sum(axis=1)
    return [
        {
            "digit": true,
            "taken_for": taken,
            "count": int(counts[true, taken]),
            "share": float(counts[true, taken] / support[true]),
        }
        for true, taken in pairs
        if counts[true, taken]
    ]
