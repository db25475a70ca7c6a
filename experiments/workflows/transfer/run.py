"""Measure trained models in domains that they were not trained on, and adapt them without labels or with few."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import tracking
from experiments.errors import UsageError, unknown
from experiments.execution.progress import Progress
from experiments.reporting.discussion.text import to_text
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.tracking import Store
from experiments.training import require_tensorflow
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.transfer import record, rows
from experiments.workflows.transfer.pipeline import measure_task
from experiments.workflows.transfer.record import TaskRecord
from experiments.workflows.transfer.tasks import load_source, load_tasks


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
        Numbers of labeled images of each class to fine-tune on; None for all. Empty: no few-shot learning.
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
            raise UsageError("few-shot needs at least 1 labeled image of each class")
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
        The results in words, plain text.
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
            "results": [row for task in self.tasks for row in rows.task_rows(task)],
            "few_shot": [row for task in self.tasks for row in rows.few_shot_rows(task.table)],
            "skipped": [
                {"model": about["model"], "target": about["target"], "adapt": part, "reason": reason}
                for task in self.tasks
                for about in [rows.subject(task.table)]
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
    run_id, topics = records[0].run_id, records[0].topics
    if len(records) > 1:
        run_id, topics = record.record_comparison(store, found, records, parent)
    return TransferResult(run_id, tuple(records), "\n\n".join(to_text(topics)))
