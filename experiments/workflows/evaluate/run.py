"""Measure trained networks on a test split, and compare them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, evaluation, reporting, tracking
from experiments.datasets import Dataset
from experiments.evaluation import Comparison, Ensemble, Metrics
from experiments.execution import Progress
from experiments.models.speed import Speed, one_after_another, predict_and_time
from experiments.tracking import Reference, Run, Store
from experiments.workflows.evaluate.ensemble import ENSEMBLE, check_members, joined_numbers
from experiments.workflows.networks import check_probabilities, load_network

MAIN_METRICS = (
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "macro_f1",
    "top2",
    "loss",
    "log_loss",
    "ece",
    "latency_ms",
)


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of an evaluation.

    Attributes
    ----------
    dataset
        Whose test split; None takes the data that the networks were trained on.
    data_dir
        As for `experiments.datasets.load`.
    ensemble
        Whether to measure the ensemble of the networks too: the mean of their probabilities. Its run belongs to the
        comparison.
    """

    dataset: str | None = None
    data_dir: Path | None = None
    ensemble: bool = False


@dataclass(frozen=True)
class EvaluateResult:
    """Networks measured on one test split.

    Attributes
    ----------
    run_id
        The comparison's run where there are several networks, else the evaluation's.
    dataset
        Name of the data.
    models
        For each name: the metrics as numbers, among them accuracy with its Wilson 95 %
        interval, loss, n, ece, macro_f1; `latency_ms`, the median milliseconds for one image, and
        `images_per_second` in full batches, both on this machine; and `run_id` of its own evaluation. Under `ENSEMBLE`,
        where one was asked for, also `members` (their names), `members_accuracy` (mean) with `members_accuracy_std`
        (that of a sample), and `vote_accuracy`, by the majority of the members in place of the mean of their
        probabilities.
    misclassified_by_all
        Indices into the test split, ascending.
    pairs
        Exact McNemar tests: `a`, `b`, `only_a` and `only_b` (digits that one alone gets right), `p_value`, `p_holm`.
    """

    run_id: str
    dataset: str
    models: Mapping[str, Mapping[str, Any]]
    misclassified_by_all: tuple[int, ...]
    pairs: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return asdict(self)


def evaluate(
    store: Store,
    models: Mapping[str, str],
    options: EvaluateOptions | None = None,
    progress: Progress | None = None,
    parent: str | None = None,
) -> EvaluateResult:
    """Measure each network on the test split and, where there are several, compare them.

    Parameters
    ----------
    models
        A reference, as `experiments.tracking.resolve_reference` takes it, for each name to show.
    parent
        Id of the run that a comparison belongs under; an evaluation belongs under the training of its network.

    Raises
    ------
    UsageError
        For no model, networks trained on different data and no `dataset`, or an ensemble of fewer than two networks,
        of one and the same network, or with one called like it.
    DigitsError
        When a reference does not exist, or the network does not take 28x28 pictures to probabilities of ten classes.
    """
    options, progress = options or EvaluateOptions(), progress or Progress()
    references = tracking.resolve_references(store, models, progress.log)
    if options.ensemble:
        check_members(references)
    dataset = options.dataset or tracking.common_dataset(references.values())
    data = datasets.load(dataset, options.data_dir, progress.download)
    probabilities: dict[str, NDArray[np.float32]] = {}
    speeds: dict[str, Speed] = {}
    for name, reference in references.items():
        progress.stage(f"evaluate {name} on {data.name}")
        probabilities[name], speeds[name] = predict_and_time(load_network(store, reference), data.test)
        check_probabilities(probabilities[name], reference)
    together = evaluation.ensemble(list(probabilities.values())) if options.ensemble else None
    if together:
        probabilities[ENSEMBLE] = together.probabilities
        speeds[ENSEMBLE] = one_after_another(speeds.values())
    comparison = evaluation.compare(data.test.labels, probabilities)
    joined = joined_numbers(together, comparison, data.test.labels) | asdict(speeds[ENSEMBLE]) if together else {}
    with ExitStack() as stack:
        summary = (
            stack.enter_context(_open_comparison(store, tuple(models), data, parent)) if len(references) > 1 else None
        )
        runs = {
            name: _record(store, reference, data, probabilities[name], comparison.rows[name], speeds[name], parent)
            for name, reference in references.items()
        }
        if summary and together:
            runs[ENSEMBLE] = _record_ensemble(store, references, data, together, comparison, joined, summary.id)
        if summary:
            _record_comparison(summary, comparison, references, data, probabilities, speeds)
    return _result(summary.id if summary else next(iter(runs.values())), data, comparison, speeds, runs, joined)


def _record(
    store: Store,
    reference: Reference,
    data: Dataset,
    probabilities: NDArray[np.float32],
    metrics: Metrics,
    speed: Speed,
    parent: str | None,
) -> str:
    """Write one network's evaluation to a run of its own, and return its id."""
    model = _version(reference)
    tags = {
        "digits.model": reference.architecture or model,
        "digits.dataset": data.name,
        "digits.data_digest": data.digest,
    }
    name = f"{reference.architecture or Path(reference.text).stem} on {data.name}"
    with tracking.open_run(store, "evaluate", name, parent=reference.run_id or parent, tags=tags) as run:
        run.describe(
            f"**{model}** on the test split of **{data.name}** ({metrics.n:,} digits): accuracy "
            f"{metrics.accuracy:.4f}, 95 % interval {metrics.accuracy_low:.4f} to {metrics.accuracy_high:.4f}; "
            f"{speed.latency_ms:.2f} ms an image, {speed.images_per_second:,.0f} images a second in batches."
        )
        run.log_params({"model": model, "dataset": data.name, "split": "test", "transform": data.transform})
        run.log_dataset(data.name, data.source, data.digest, "test", metrics.n)
        if reference.model_id:
            run.log_used_model(reference.model_id)
        run.log_metrics({**metrics.scalars(), **asdict(speed)}, model_id=reference.model_id)
        _record_predictions(run, data, probabilities)
        _record_figures(run, f"{model} on {data.name} test", data, probabilities, metrics)
    return run.id


def _version(reference: Reference) -> str:
    """Return the registered version that a network is, or the file it lies in."""
    return reference.version or reference.text


def _record_ensemble(
    store: Store,
    members: Mapping[str, Reference],
    data: Dataset,
    together: Ensemble,
    comparison: Comparison,
    joined: Mapping[str, float],
    parent: str,
) -> str:
    """Write the ensemble's evaluation to a run under the comparison, and return its id."""
    metrics = comparison.rows[ENSEMBLE]
    names = ", ".join(_version(member) for member in members.values())
    tags = {"digits.model": ENSEMBLE, "digits.dataset": data.name, "digits.data_digest": data.digest}
    with tracking.open_run(
        store, "evaluate", f"{ENSEMBLE} of {len(members)} on {data.name}", parent=parent, tags=tags
    ) as run:
        run.describe(
            f"The mean of the probabilities of {names} on the test split of **{data.name}** ({metrics.n:,} digits): "
            f"accuracy {metrics.accuracy:.4f}, 95 % interval {metrics.accuracy_low:.4f} to "
            f"{metrics.accuracy_high:.4f}; by majority vote {joined['vote_accuracy']:.4f}. The members alone: "
            f"{joined['members_accuracy']:.4f}, standard deviation {joined['members_accuracy_std']:.4f}."
        )
        run.log_params({"model": ENSEMBLE, "members": names, "dataset": data.name, "split": "test"})
        run.log_dataset(data.name, data.source, data.digest, "test", metrics.n)
        for member in members.values():
            if member.model_id:
                run.log_used_model(member.model_id)
        run.log_metrics({**metrics.scalars(), **joined})
        _record_predictions(run, data, together.probabilities)
        _record_figures(run, f"ensemble of {len(members)} on {data.name} test", data, together.probabilities, metrics)
    return run.id


def _record_predictions(run: Run, data: Dataset, probabilities: NDArray[np.float32]) -> None:
    rows = evaluation.predictions_table(data.test.labels, probabilities)
    run.log_text(reporting.csv_text(rows), "predictions.csv")
    run.log_json(rows, "predictions.json")


def _record_figures(run: Run, title: str, data: Dataset, probabilities: NDArray[np.float32], metrics: Metrics) -> None:
    images, labels = data.test.images, data.test.labels
    mistakes = evaluation.misclassified(labels, probabilities)
    figures = {
        "confusion": reporting.confusion_heatmap(metrics.confusion, False, f"{title}: confusion"),
        "confusion_normalised": reporting.confusion_heatmap(
            metrics.confusion, True, f"{title}: confusion, % of each digit"
        ),
        "sample_predictions": reporting.prediction_grid(
            images[:25], labels[:25], probabilities[:25], f"{title}: first digits"
        ),
        "misclassified": reporting.misclassified_gallery(
            images, labels, probabilities, mistakes, f"{title}: misclassified, most confident first"
        ),
        "reliability": reporting.reliability_diagram(
            evaluation.calibration(labels, probabilities), f"{title}: reliability"
        ),
    }
    for name, figure in figures.items():
        run.log_figure(figure, f"figures/{name}.png")
    run.log_text(reporting.csv_text([vars(digit) for digit in metrics.per_class]), "per_class.csv")


def _open_comparison(
    store: Store, names: Sequence[str], data: Dataset, parent: str | None
) -> AbstractContextManager[Run]:
    tags = {"digits.model": ", ".join(names), "digits.dataset": data.name, "digits.data_digest": data.digest}
    return tracking.open_run(store, "evaluate", f"comparison on {data.name}", parent=parent, tags=tags)


def _record_comparison(
    run: Run,
    comparison: Comparison,
    references: Mapping[str, Reference],
    data: Dataset,
    probabilities: Mapping[str, NDArray[np.float32]],
    speeds: Mapping[str, Speed],
) -> None:
    title = f"{data.name} test, {len(data.test):,} digits"
    missed, models = comparison.missed_by_all, _numbers(comparison, speeds)
    versions = ", ".join(_version(reference) for reference in references.values())
    run.log_params({"models": ", ".join(comparison.rows), "versions": versions, "dataset": data.name, "split": "test"})
    run.log_dataset(data.name, data.source, data.digest, "test", len(data.test))
    run.log_metrics({"misclassified_by_all": len(missed)})
    run.log_metrics({f"accuracy_{_metric_name(name)}": metrics.accuracy for name, metrics in comparison.rows.items()})
    run.log_figure(reporting.model_comparison(comparison, f"Accuracy on {title}"), "figures/comparison.png")
    best = max(comparison.rows, key=lambda name: comparison.rows[name].accuracy)
    run.log_figure(
        reporting.misclassified_gallery(
            data.test.images,
            data.test.labels,
            probabilities[best],
            missed[np.argsort(-probabilities[best][missed].max(axis=1), kind="stable")],
            f"{title}: missed by all, as {best} sees them, most confident first",
        ),
        "figures/missed_by_all.png",
    )
    table = reporting.markdown_table(("model", *MAIN_METRICS), table_rows(models))
    tests = reporting.markdown_table(tuple(PAIR_COLUMNS), [tuple(pair.values()) for pair in pair_rows(comparison)])
    run.log_text(f"{table}\n\nExact McNemar tests:\n\n{tests}\n", "comparison.md")
    everything = {"models": models, "pairs": pair_rows(comparison), "missed_by_all": missed.tolist()}
    run.log_json(everything, "comparison.json")
    run.describe(f"Networks compared on {title}.\n\n{table}\n\nExact McNemar tests for each pair:\n\n{tests}")


PAIR_COLUMNS = ("a", "b", "only_a", "only_b", "p_value", "p_holm")


def table_rows(models: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """Return name and `MAIN_METRICS` of each network, as text, best accuracy first."""
    best_first = sorted(models.items(), key=lambda row: -row[1]["accuracy"])
    return [(name, *(f"{numbers[metric]:.4f}" for metric in MAIN_METRICS)) for name, numbers in best_first]


def pair_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the McNemar test of each pair under `PAIR_COLUMNS`."""
    return [
        {
            "a": pair.a,
            "b": pair.b,
            "only_a": pair.test.only_a,
            "only_b": pair.test.only_b,
            "p_value": pair.test.p_value,
            "p_holm": pair.p_holm,
        }
        for pair in comparison.pairs
    ]


def _metric_name(reference: str) -> str:
    """Replace what MLflow does not take in a metric's name."""
    return "".join(c if c.isalnum() or c in "_-. " else "_" for c in reference)


def _numbers(comparison: Comparison, speeds: Mapping[str, Speed]) -> dict[str, dict[str, float]]:
    """Return all numbers of each network by their names."""
    return {
        name: {**metrics.scalars(), "n": metrics.n, **asdict(speeds[name])} for name, metrics in comparison.rows.items()
    }


def _result(
    run_id: str,
    data: Dataset,
    comparison: Comparison,
    speeds: Mapping[str, Speed],
    runs: Mapping[str, str],
    joined: Mapping[str, float],
) -> EvaluateResult:
    models: dict[str, dict[str, Any]] = {
        name: {**numbers, "run_id": runs[name]} for name, numbers in _numbers(comparison, speeds).items()
    }
    if joined:
        models[ENSEMBLE] |= {"members": [name for name in models if name != ENSEMBLE], **joined}
    missed = tuple(int(index) for index in comparison.missed_by_all)
    return EvaluateResult(run_id, data.name, models, missed, tuple(pair_rows(comparison)))
