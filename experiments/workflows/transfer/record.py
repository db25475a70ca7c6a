"""Everything that `digits transfer` writes to MLflow; `rows` reads it back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, evaluation, reporting, results, tracking
from experiments.evaluation.effects import Topic, to_json
from experiments.execution.resume import ResumeState, resumable_run
from experiments.models.prediction import predict
from experiments.reporting.discussion.text import to_markdown
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.tracking import RegisteredVersion, Run, Store
from experiments.tracking.references import model_params
from experiments.tracking.tags import ADAPTATION, ADAPTED_FROM, subject_tags
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.curve import align_series
from experiments.transfer.discussion import discuss
from experiments.transfer.domain_result import DomainResult, MethodResult, confused_pairs
from experiments.transfer.result_rows import (
    result_rows,
)
from experiments.workflows.transfer.pipeline import DESKEWED_NAME, Measured, adapted_model
from experiments.workflows.transfer.rows import method_rows
from experiments.workflows.transfer.tasks import TransferTask

if TYPE_CHECKING:
    import pandas as pd

    from experiments.workflows.transfer.run import TransferOptions

MAX_NAMED = 3  # models in the name of a comparison
# Without the entropy: in the run of a method it is a curve.
OF_A_METHOD = (results.ACCURACY, results.MACRO_F1, results.ECE, results.SECONDS)
COMPARED = (*OF_A_METHOD, results.ENTROPY, results.SOURCE_ACCURACY, results.MEAN_CORRUPTION_ERROR)


@dataclass(frozen=True, eq=False)
class TaskRecord:
    """The record of one model in one target domain.

    Attributes
    ----------
    table
        Its results; see `experiments.results`.
    confusion
        int64 (10, 10) of the unadapted model, rows are true classes; None without labels.
    registered
        Registered versions of adapted models by method.
    skipped
        As in `Measured`.
    topics
        The discussion.
    """

    run_id: str
    table: "pd.DataFrame"
    topics: Sequence[Topic]
    confusion: NDArray[np.int64] | None
    registered: Mapping[str, RegisteredVersion] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def open_task_run(
    store: Store, task: TransferTask, options: "TransferOptions", parent: str | None
) -> Iterator[tuple[Run, ResumeState]]:
    """Open the run of a task, under the run that trained the model; after an interruption, the same run again."""
    source, target = task.source, task.target
    name = f"transfer {source.label} on {target.name}"
    chosen = ("adapt", "few_shot", "seed", "retrain", "register")
    identity = {"task": str(task.cache.folder), **{name: getattr(options, name) for name in chosen}}
    tags = _tags(task, task.data.digest)
    parent = source.reference.run_id or parent
    with resumable_run(store, "transfer", name, identity, parent=parent, tags=tags) as (run, saved):
        run.log_dataset(target.name, task.data.source, task.data.digest, "target", len(target.images))
        run.log_dataset(source.data.name, source.data.source, source.data.digest, "source", len(source.data.test))
        if source.reference.model_id:
            run.log_used_model(source.reference.model_id)
        yield run, saved


def record_task(run: Run, saved: ResumeState, task: TransferTask, measured: Measured, register: bool) -> TaskRecord:
    """Record everything that was computed for a task, each adaptation in a child run."""
    result, version = measured.result, task.source.reference.full_version
    table = results.to_table(result_rows(result, version, task.seed, task.cache.stages.seconds))
    registered = {}
    for method in (method for method in result.methods if method in ADAPTATIONS):
        with _open_method_run(run, task, method, saved) as method_run:
            _record_method(method_run, task, result, method, table)
            if register:
                registered[method] = _register_adapted(method_run, task, method)
    run.log_params(
        {
            "model": result.model,
            "source": result.source,
            "target": result.target.name,
            "transform": result.target.transform,
            "unlabelled": len(result.target.unlabelled),
            "n": len(result.target.images),
            "adapt": ", ".join(result.methods),
            "seed": task.seed,
        }
    )
    run.log_results(table, model_id=task.source.reference.model_id)
    _log_predictions(run, result, result.source_only, "predictions.csv")
    if ALIGN in result.methods:
        _log_predictions(run, result, result.methods[ALIGN], "predictions_align.csv")
    metrics = result.source_only.metrics
    if metrics:
        run.log_text(results.csv_text(confused_pairs(metrics.confusion)), "confused_pairs.csv")
    for name, drawing in reporting.transfer_drawings(result, measured.shared_map).items():
        run.log_figure(drawing, name)
    skipped = [f"`{part}` is skipped: {reason}." for part, reason in measured.skipped.items()]
    topics = discuss([result])
    text = "\n\n".join([_markdown(method_rows(table)), *skipped, to_markdown(topics)])
    run.log_json(to_json(topics), "discussion.json")
    run.log_text(text, "discussion.md")
    run.describe(f"**{result.model}**, trained on {result.source}, in the domain **{result.target.name}**.\n\n{text}")
    return TaskRecord(run.id, table, topics, metrics.confusion if metrics else None, registered, measured.skipped)


@contextmanager
def _open_method_run(parent: Run, task: TransferTask, method: str, saved: ResumeState) -> Iterator[Run]:
    name = f"{method}: {task.source.label} on {task.target.name}"
    resume = saved.load(f"run-{method}")
    with tracking.open_run(parent.store, "transfer", name, parent=parent.id, tags=_tags(task), resume=resume) as run:
        saved.save(f"run-{method}", run.id)
        yield run


def _tags(task: TransferTask, digest: str = "") -> dict[str, str]:
    return subject_tags(task.source.label, task.source.data.name, digest, task.target.name)


def _record_method(run: Run, task: TransferTask, result: DomainResult, method: str, table: "pd.DataFrame") -> None:
    """Record the curve of an adaptation step by step, and the results before and after it."""
    import pandas as pd

    adapted, curve = result.methods[method], align_series(result.methods[method].curve)
    for step in range(max(map(len, curve.values()), default=0)):
        run.log_metrics({name: row[step] for name, row in curve.items() if not isnan(row[step])}, step=step)
    about = {"model": result.model, "source": result.source, "target": result.target.name, "adapt": method}
    run.log_params({**about, "seed": task.seed, **ADAPTATIONS[method].settings})
    rows = results.select(table, method=[SOURCE_ONLY, method], group="", metric=OF_A_METHOD)
    before, after = (results.select(rows, method=name) for name in (SOURCE_ONLY, method))
    # In the list of runs, the accuracy of this one is that of the adapted model.
    metrics = [after.assign(method=""), before.assign(metric=before["metric"] + "_before")]
    run.log_results(rows, metrics=pd.concat(metrics))
    _log_predictions(run, result, adapted, "predictions.csv")
    title = f"{result.model} on {result.target.name}: {method}"
    run.log_figure(reporting.adaptation_curve_drawing({method: curve}, title), "curve")
    old, new = (results.value(part, results.ACCURACY) for part in (before, after))
    if old is None or new is None:
        effect = "the target has no labels to measure the accuracy"
    else:
        effect = f"accuracy {old:.4f} before, {new:.4f} after"
    run.describe(
        f"**{result.model}** adapted to **{result.target.name}** by `{method}` on {len(result.target.unlabelled):,} "
        f"unlabeled images: {effect}."
    )


def _log_predictions(run: Run, result: DomainResult, found: MethodResult, file: str) -> None:
    """Record a row per test image: its label, if known, and its prediction."""
    target, rows = result.target, list[dict[str, Any]]()
    if target.labels is not None:
        rows += evaluation.predictions_table(target.labels, found.probabilities)
    else:
        column = "file" if target.files else "index"
        names = target.files or range(len(target.images))
        predicted, confidence = found.probabilities.argmax(axis=1).tolist(), found.probabilities.max(axis=1).tolist()
        rows += [
            {column: name, "predicted": digit, "probability": round(p, 6)}
            for name, digit, p in zip(names, predicted, confidence, strict=True)
        ]
    run.log_text(results.csv_text(rows), file)


def _register_adapted(run: Run, task: TransferTask, method: str) -> RegisteredVersion:
    """Register an adapted model as a version of ``<target>-<model>`` with its origin.

    If the target has labels, its score is the accuracy on the target's validation images, as for models trained on the
    target: the champion is selected among comparable scores.

    Raises
    ------
    UsageError
        If the model is a bare file, whose architecture is unknown.
    """
    source, data = task.source, task.data
    model, network = adapted_model(task, method), source.architecture
    deskewed = DESKEWED_NAME.format(data.name)
    name = deskewed if source.alignment and deskewed in datasets.DERIVED else data.name
    origin = source.reference.version or source.reference.text
    params = {
        **model_params(run.store, source.reference),
        "model": network.name,
        "dataset": name,
        "data": name if data.name in datasets.DATASET_NAMES else data.source,
        "transform": data.transform,
        "adapted_from": origin,
        "adaptation": method,
    }
    example = data.test.take(range(1)).as_float()
    model_id = tracking.log_model(run, model, f"{name}-{network.name}-{method}", params, example)
    score = None
    if isinstance(data, datasets.Dataset):
        _, validation = datasets.split_validation(data.train, network.recipe.validation)
        score = evaluation.measure(validation.labels, predict(model, validation)).accuracy
    run.set_tags({ADAPTED_FROM: origin, ADAPTATION: method})
    description = f"{origin} adapted to {name} by {method} without labels, in run `{run.id}`."
    return tracking.register(
        run,
        model_id,
        dataset=name,
        architecture=network.name,
        score=score,
        description=description,
        adapted_from=origin,
    )


def record_comparison(
    store: Store, found: Sequence[DomainResult], records: Sequence[TaskRecord], parent: str | None
) -> tuple[str, Sequence[Topic]]:
    """Record the main metrics of several tasks, and figures of all models side by side, in a run.

    Returns
    -------
    tuple
        Its id, and the discussion.
    """
    import pandas as pd

    models, sources, targets = _names(found)
    which = f"{len(models)} networks" if len(models) > MAX_NAMED else ", ".join(models)
    tags = subject_tags(", ".join(models), ", ".join(sources), target=", ".join(targets))
    table = pd.concat([results.select(record.table, group="", metric=COMPARED) for record in records])
    table = tracking.with_distinct_models(table.drop_duplicates())  # the accuracy on the source is in several
    rows = [
        {"model": result.model, "source": result.source, "target": result.target.name, **row}
        for result, record in zip(found, records, strict=True)
        for row in method_rows(record.table)
    ]
    topics = discuss(found)
    text = f"{_markdown(rows)}\n\n{to_markdown(topics)}"
    name = f"transfer {which} to {', '.join(targets)}"
    with tracking.open_run(store, "transfer", name, parent=parent, tags=tags) as run:
        run.log_params({"models": ", ".join(models), "targets": ", ".join(targets)})
        run.log_json([record.run_id for record in records], "transfers.json")
        run.log_results(table)
        run.log_figure(reporting.transfer_matrix_drawing(found), "matrix")
        for target in targets:
            group = [result for result in found if result.target.name == target]
            for file, drawing in reporting.transfer_comparison_drawings(group, f"to {target}").items():
                run.log_figure(drawing, f"{target}/{file}")
        run.log_json(to_json(topics), "discussion.json")
        run.log_text(text, "discussion.md")
        run.describe(f"{', '.join(models)} in the domains {', '.join(targets)}.\n\n{text}")
    return run.id, topics


def _names(found: Sequence[DomainResult]) -> tuple[list[str], list[str], list[str]]:
    """Return the names of all models, sources and targets, each once."""
    columns = zip(*((one.model, one.source, one.target.name) for one in found), strict=True)
    models, sources, targets = (list(dict.fromkeys(column)) for column in columns)
    return models, sources, targets


def _markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    return results.markdown_table(tuple(rows[0]), [tuple(map(_text, row.values())) for row in rows])


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
