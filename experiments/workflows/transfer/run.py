"""Measure trained models in domains that they were not trained on, and adapt them without labels or with few."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import results, tracking
from experiments.analysis.text import as_text
from experiments.errors import UsageError, unknown
from experiments.execution.progress import Progress
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.tracking import Store
from experiments.training import require_tensorflow
from experiments.transfer.adaptation import ADAPTATIONS
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
from experiments.transfer.summary import summarize
from experiments.workflows.transfer import record
from experiments.workflows.transfer.pipeline import measure_task
from experiments.workflows.transfer.record import TaskRecord
from experiments.workflows.transfer.tasks import load_source, load_tasks

if TYPE_CHECKING:
    import pandas as pd


def method_names() -> tuple[str, ...]:
    """Return the choices of `TransferOptions.adapt`."""
    return (SOURCE_ONLY, ALIGN, *ADAPTATIONS)


@dataclass(frozen=True)
class TransferOptions:
    """Targets and methods.

    Attributes
    ----------
    targets
        Domains, each as in `experiments.datasets.load_target`.
    adapt
        Members of `method_names`; ``none`` is always included.
    few_shot
        Numbers of labelled images of each class to fine-tune on; None for all. Empty: no few-shot learning.
    seed
        Seed of the adaptations.
    register
        Whether to register adapted models as versions of ``<target>-<model>``.
    data_dir
        As in `experiments.datasets.load`.
    retrain
        Whether ``align`` trains the model on deskewed images if no such model is registered; else the alignments that
        need it are left out.

    Raises
    ------
    UsageError
        If there is no target, a method is unknown or needs TensorFlow, a number is out of range, or `register` is set
        without an adaptation method.
    """

    targets: tuple[str, ...]
    adapt: tuple[str, ...] = (SOURCE_ONLY,)
    few_shot: tuple[int | None, ...] = ()
    seed: int = 0
    register: bool = False
    data_dir: Path | None = None
    retrain: bool = False

    def __post_init__(self) -> None:
        if not self.targets:
            raise UsageError("name at least one target")
        for method in self.adapt:
            if method not in method_names():
                raise unknown("method", method, method_names())
        if self.methods:
            require_tensorflow(f"adapting a network without labels ({self.methods[0]})")
        if any(k is not None and k < 1 for k in self.few_shot):
            raise UsageError("few-shot needs at least 1 labelled image of each class")
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"seed must be in [0, 2**31), received {self.seed}")
        if self.register and not self.methods:
            raise UsageError(f"--register needs an adapted network; choose a method: {', '.join(ADAPTATIONS)}")

    @property
    def methods(self) -> tuple[str, ...]:
        """The adaptation methods among `adapt`, each once, in the order of the registry."""
        return tuple(method for method in ADAPTATIONS if method in self.adapt)


@dataclass(frozen=True, eq=False)
class TransferResult:
    """Results of models in target domains.

    Attributes
    ----------
    run_id
        Run of the comparison if there are several pairs of model and target, else of the pair.
    tasks
        The record of each pair of model and target.
    discussion
        The results in words.
    """

    run_id: str
    tasks: tuple[TaskRecord, ...]
    discussion: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints.

        ``results`` has a row for each model, target and method; what needs labels is null without them.
        """
        return {
            "run_id": self.run_id,
            "results": [row for task in self.tasks for row in _method_rows(task)],
            "few_shot": [row for task in self.tasks for row in _few_shot_rows(task.table)],
            "skipped": [
                {"model": about["model"], "target": about["target"], "adapt": part, "reason": reason}
                for task in self.tasks
                for about in [_about(task.table)]
                for part, reason in task.skipped.items()
            ],
            "discussion": self.discussion,
        }


def transfer(
    store: Store,
    models: Sequence[str],
    options: TransferOptions,
    progress: Progress | None = None,
    parent: str | None = None,
) -> TransferResult:
    """Measure each model in each target domain, apply the methods, and compare.

    Parameters
    ----------
    models
        References, as in `experiments.tracking.resolve_reference`.
    parent
        Parent run of a comparison; the run of one model and target is a child of the model's training.

    Raises
    ------
    UsageError
        If a target is the data that a model was trained on, or a network does not output class probabilities.
    DigitsError
        If a reference or dataset does not exist.
    """
    progress = progress or Progress()
    references = tracking.resolve_references(store, {name: name for name in models}, progress.log)
    for reference in references.values():
        if options.register and reference.architecture is None:
            raise UsageError(
                f"the architecture of {reference.text} is unknown, so it cannot be registered; name a registered model"
            )
    distinct = {reference.location: reference for reference in references.values()}
    sources = [load_source(store, reference, options.data_dir, progress) for reference in distinct.values()]
    found, records = [], []
    for task in load_tasks(sources, options, progress):
        with record.open_task_run(store, task, options, parent) as (run, saved):
            measured = measure_task(store, task, options, progress, run.id)
            records.append(record.record_task(run, saved, task, measured, options.register))
        found.append(measured.result)
    run_id = records[0].run_id if len(records) == 1 else record.record_comparison(store, found, records, parent)
    return TransferResult(run_id, tuple(records), as_text(summarize(found)))


def _about(table: "pd.DataFrame") -> dict[str, str]:
    first = table.iloc[0]
    return {"model": first["version"], "source": first["source"], "target": first["target"]}


def _method_rows(task: TaskRecord) -> list[dict[str, Any]]:
    table = task.table
    rows = []
    for method in record.method_rows(table):
        adapt, seconds = method["adapt"], method.pop("seconds")
        row = {
            **_about(table),
            **method,
            "n": int(results.select(table, metric=results.ENTROPY)["n"].iloc[0]),
            "seconds": seconds,
            "source_accuracy": results.value(table, results.SOURCE_ACCURACY),
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
            "network": network,
            **record.scores(results.select(aligned, group=name)),
            ENTROPY_UNLABELLED: entropy,
        }
        for name, network, entropy in entropies[["group", "version", "value"]].itertuples(index=False)
    ]


def _details(task: TaskRecord) -> dict[str, Any]:
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


def _few_shot_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    images = results.select(table, metric=LABELLED_IMAGES)[["group", "value"]]
    accuracies = results.select(table, metric=results.ACCURACY)
    return [
        {
            **_about(table),
            "per_class": None if group == ALL else int(group),
            "digits": int(count),
            **{
                method: results.select(accuracies, method=method, group=group)["value"].tolist()
                for method in (FINE_TUNED, SCRATCH)
            },
        }
        for group, count in images.itertuples(index=False)
    ]
