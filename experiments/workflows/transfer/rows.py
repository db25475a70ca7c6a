"""The rows that `digits transfer` prints, read from its table of results."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import results
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.transfer.alignments import fixed_alignment
from experiments.transfer.domain_result import confused_pairs
from experiments.transfer.result_rows import (
    ALL,
    CLASS_DISTANCE,
    ENTROPY_UNLABELLED,
    FINE_TUNED,
    LABELLED_IMAGES,
    PREDICTED,
    RECALL_CHANGE,
    SCRATCH,
    SHIFT,
)

if TYPE_CHECKING:
    import pandas as pd

    from experiments.workflows.transfer.record import TaskRecord


def method_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the results of each method: ``adapt``, accuracy with its interval, macro F1, ECE and seconds.

    Metrics that need labels are None without them.
    """
    whole = results.select(table, group="")
    seconds = results.select(table, metric=results.SECONDS)
    return [
        {"adapt": method, **scores(results.select(whole, method=method)), "seconds": duration}
        for method, duration in seconds[["method", "value"]].itertuples(index=False)
        if method  # else it is the time of a stage
    ]


def scores(table: "pd.DataFrame") -> dict[str, float | None]:
    """Return accuracy with its interval, macro F1 and ECE of the rows of one method; None without labels."""
    found = results.by_metric(table)
    names = (results.ACCURACY, results.ACCURACY_LOW, results.ACCURACY_HIGH, results.MACRO_F1, results.ECE)
    return {name: found.get(name) for name in names}


def subject(table: "pd.DataFrame") -> dict[str, str]:
    """Return the ``model``, ``source`` and ``target`` of a task; the model by its version or the name of its file."""
    first = results.select(table, metric=results.ENTROPY).iloc[0]
    return {"model": Path(first["version"]).name, "source": first["source"], "target": first["target"]}


def task_rows(task: "TaskRecord") -> list[dict[str, Any]]:
    """Return the JSON object of each method of a task."""
    table = task.table
    rows = []
    for method in method_rows(table):
        adapt, seconds = method["adapt"], method.pop("seconds")
        row = {
            **subject(table),
            **method,
            "n": int(results.select(table, metric=results.ENTROPY)["n"].iloc[0]),
            "seconds": seconds,
            results.SOURCE_ACCURACY: results.value(table, results.SOURCE_ACCURACY),
            "run_id": task.run_id,
        }
        if adapt == ALIGN:
            alignments = _alignment_rows(table)
            row |= {"alignment": fixed_alignment(one["alignment"] for one in alignments), "ladder": alignments}
        if adapt == SOURCE_ONLY:
            row |= _details(task)
        if version := task.registered.get(adapt):
            row |= {"registered_model": version.registered_model, "version": version.version}
        rows.append(row)
    return rows


def _alignment_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    aligned = results.select(table, method=ALIGN)
    entropies = results.select(aligned, metric=ENTROPY_UNLABELLED)
    return [
        {
            "alignment": name,
            "network": Path(network).name,
            **scores(results.select(aligned, group=name)),
            ENTROPY_UNLABELLED: entropy,
        }
        for name, network, entropy in entropies[["group", "version", "value"]].itertuples(index=False)
    ]


def _details(task: "TaskRecord") -> dict[str, Any]:
    """Return the details of the unadapted model."""
    plain = results.select(task.table, method=SOURCE_ONLY)
    recall_changes, corruptions = _by_group(plain, RECALL_CHANGE), _by_group(plain, results.ACCURACY)
    shift = {name: results.value(plain, name) for name in SHIFT}
    shift |= {f"{CLASS_DISTANCE}_{digit}": value for digit, value in _by_group(plain, CLASS_DISTANCE).items()}
    return {
        results.ENTROPY: results.value(plain, results.ENTROPY),
        PREDICTED: [int(count) for count in _by_group(plain, PREDICTED).values()],
        RECALL_CHANGE: {digit: _finite(value) for digit, value in recall_changes.items()} or None,
        "confusion": None if task.confusion is None else task.confusion.tolist(),
        "confused_pairs": None if task.confusion is None else confused_pairs(task.confusion),
        "corruptions": corruptions or None,
        results.MEAN_CORRUPTION_ERROR: results.value(plain, results.MEAN_CORRUPTION_ERROR),
        "shift": {name: _finite(value) for name, value in shift.items()} if shift["mmd"] is not None else None,
    }


def _by_group(table: "pd.DataFrame", metric: str) -> dict[str, float]:
    """Return the values of a metric by group."""
    rows = results.select(table, metric=metric)
    return {group: value for group, value in zip(rows["group"], rows["value"].tolist(), strict=True) if group}


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def few_shot_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the JSON object of each number of labeled images."""
    images = results.select(table, metric=LABELLED_IMAGES)[["group", "value"]]
    accuracies = results.select(table, metric=results.ACCURACY)
    return [
        {
            **subject(table),
            "per_class": None if group == ALL else int(group),
            "digits": int(count),
            **{
                method: results.select(accuracies, method=method, group=group)["value"].tolist()
                for method in (FINE_TUNED, SCRATCH)
            },
        }
        for group, count in images.itertuples(index=False)
    ]
