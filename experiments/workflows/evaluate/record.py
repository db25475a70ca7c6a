"""Record evaluations in MLflow, and read them back: one run per network, and one that compares them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import evaluation, reporting, results, tracking
from experiments.datasets import Dataset
from experiments.evaluation import Comparison
from experiments.models.speed import Speed
from experiments.results import Result
from experiments.tracking import Reference, Run, Store
from experiments.tracking.tags import subject_tags

if TYPE_CHECKING:
    import pandas as pd

ENSEMBLE = "ensemble"  # its name among those of the models
MCNEMAR, ONLY_CORRECT = "mcnemar", "only_correct"
SUMMARY = (
    results.ACCURACY, results.ACCURACY_LOW, results.ACCURACY_HIGH, results.MACRO_F1, results.TOP2, results.LOSS,
    "log_loss", results.ECE, results.LATENCY_MS,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions of networks for one test split, by the names of the networks in tables.

    Attributes
    ----------
    references
        Without the ensemble.
    probabilities, speeds, comparison
        With the ensemble, if there is one, under `ENSEMBLE`.
    ensemble
        Metrics that only an ensemble has; empty without one.
    """

    data: Dataset
    references: Mapping[str, Reference]
    probabilities: Mapping[str, NDArray[np.float32]]
    speeds: Mapping[str, Speed]
    comparison: Comparison
    ensemble: Mapping[str, float]

    def members(self, model: str) -> list[Reference]:
        """Return the networks that a model consists of: one, or all of them for the ensemble."""
        return [self.references[model]] if model in self.references else [*self.references.values()]


def to_table(found: Evaluation) -> "pd.DataFrame":
    """Build the table of results: all models, and the tests between them if there are several."""
    return results.to_table([*_model_results(found), *_test_results(found)])


def _model_results(found: Evaluation) -> Iterator[Result]:
    for model, metrics in found.comparison.rows.items():
        about = _about(found) | {
            "model": model,
            "version": ", ".join(member.full_version for member in found.members(model)),
            "source": ", ".join(dict.fromkeys(member.dataset or "" for member in found.members(model))),
        }
        yield from metrics.results(**about)
        own = {} if model in found.references else found.ensemble
        for metric, number in {**asdict(found.speeds[model]), **own}.items():
            yield Result(metric, number, n=metrics.n, **about)


def _test_results(found: Evaluation) -> Iterator[Result]:
    about = _about(found) | {"n": len(found.data.test)}
    for pair in found.comparison.pairs:
        yield Result(MCNEMAR, pair.test.p_value, model=pair.a, baseline=pair.b, p=pair.p_holm, **about)
        yield Result(ONLY_CORRECT, pair.test.only_a, model=pair.a, baseline=pair.b, **about)
        yield Result(ONLY_CORRECT, pair.test.only_b, model=pair.b, baseline=pair.a, **about)
    if found.comparison.pairs:
        yield Result(results.MISCLASSIFIED_BY_ALL, len(found.comparison.missed_by_all), **about)


def _about(found: Evaluation) -> dict[str, Any]:
    return {"target": found.data.name, "split": "test"}


def metrics_by_model(table: "pd.DataFrame") -> dict[str, dict[str, float]]:
    """Return all metrics of each model by name, among them ``n`` and those of single classes, as ``recall_3``."""
    found: dict[str, dict[str, float]] = {}
    models = table[(table["model"] != "") & (table["baseline"] == "")]
    for model, rows in models.groupby("model", sort=False):
        named = rows["metric"] + rows["group"].map(lambda group: f"_{group}" if group else "")
        found[str(model)] = {"n": int(rows["n"].iloc[0]), **results.by_metric(rows.assign(metric=named))}
    return found


def paired_tests(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the exact McNemar tests.

    Each has the models ``a`` and ``b``, the numbers of images that only one of them classifies correctly, ``only_a``
    and ``only_b``, ``p_value``, and ``p_holm`` after Holm's correction.
    """
    tests = results.select(table, metric=MCNEMAR)[["model", "baseline", "value", "p"]]
    return [
        {
            "a": a,
            "b": b,
            "only_a": _only_correct(table, a, b),
            "only_b": _only_correct(table, b, a),
            "p_value": p_value,
            "p_holm": p_holm,
        }
        for a, b, p_value, p_holm in tests.itertuples(index=False)
    ]


def _only_correct(table: "pd.DataFrame", model: str, baseline: str) -> int:
    return int(results.value(table, ONLY_CORRECT, model=model, baseline=baseline) or 0)


def record(store: Store, found: Evaluation, table: "pd.DataFrame", parent: str | None) -> tuple[str, dict[str, str]]:
    """Record an evaluation in MLflow.

    Parameters
    ----------
    table
        Made of it by `to_table`.
    parent
        Id of the parent run of a comparison. The parent of a network's evaluation is the training of the network.

    Returns
    -------
    tuple
        Id of the comparison's run, or of the only evaluation's; ids of all evaluations by model.
    """
    if len(found.references) == 1:
        (model,) = found.references
        run_id = _record_network(store, found, model, table, parent)
        return run_id, {model: run_id}
    name, tags = f"comparison on {found.data.name}", _tags(found, ", ".join(found.references))
    with tracking.open_run(store, "evaluate", name, parent=parent, tags=tags) as run:
        runs = {model: _record_network(store, found, model, table, parent) for model in found.references}
        if found.ensemble:
            runs[ENSEMBLE] = _record_ensemble(store, found, table, run.id)
        _record_comparison(run, found, table)
    return run.id, runs


def _record_network(store: Store, found: Evaluation, model: str, table: "pd.DataFrame", parent: str | None) -> str:
    """Record one network's evaluation in a run, and return the run's id."""
    data, reference = found.data, found.references[model]
    version, architecture = reference.full_version, reference.architecture
    name, tags = f"{architecture or Path(version).stem} on {data.name}", _tags(found, architecture or version)
    with tracking.open_run(store, "evaluate", name, parent=reference.run_id or parent, tags=tags) as run:
        run.log_params({"model": version, "dataset": data.name, "split": "test", "transform": data.transform})
        metrics = _record_measurements(run, found, model, version, table)
        run.describe(
            f"**{version}** {_accuracy_text(data, metrics)}; {metrics[results.LATENCY_MS]:.2f} ms per image, "
            f"{metrics[results.IMAGES_PER_SECOND]:,.0f} images per second in batches."
        )
    return run.id


def _record_ensemble(store: Store, found: Evaluation, table: "pd.DataFrame", parent: str) -> str:
    """Record the ensemble's evaluation in a run under the comparison, and return the run's id."""
    versions, size = _versions(found), len(found.references)
    name, tags = f"{ENSEMBLE} of {size} on {found.data.name}", _tags(found, ENSEMBLE)
    with tracking.open_run(store, "evaluate", name, parent=parent, tags=tags) as run:
        run.log_params({"model": ENSEMBLE, "members": versions, "dataset": found.data.name, "split": "test"})
        metrics = _record_measurements(run, found, ENSEMBLE, f"{ENSEMBLE} of {size}", table)
        run.describe(
            f"The mean of the probabilities of {versions} {_accuracy_text(found.data, metrics)}; by majority vote "
            f"{metrics[results.VOTE_ACCURACY]:.4f}. The single members: {metrics[results.MEMBERS_ACCURACY]:.4f}, "
            f"standard deviation {metrics[results.MEMBERS_ACCURACY_STD]:.4f}."
        )
    return run.id


def _record_measurements(
    run: Run, found: Evaluation, model: str, title: str, table: "pd.DataFrame"
) -> dict[str, float]:
    """Record inputs, results, predictions and figures of one model, and return its metrics."""
    data, members = found.data, found.members(model)
    rows = results.select(table, model=model, baseline="")
    run.log_dataset(data.name, data.source, data.digest, "test", len(data.test))
    for member in members:
        if member.model_id:
            run.log_used_model(member.model_id)
    run.log_results(rows, model_id=members[0].model_id if len(members) == 1 else None)
    _record_predictions(run, data, found.probabilities[model])
    _record_figures(run, found, model, f"{title} on {data.name} test")
    return metrics_by_model(rows)[model]


def _accuracy_text(data: Dataset, metrics: Mapping[str, float]) -> str:
    return (
        f"on the test split of **{data.name}** ({metrics['n']:,} images): accuracy {metrics[results.ACCURACY]:.4f}, "
        f"95 % interval {metrics[results.ACCURACY_LOW]:.4f} to {metrics[results.ACCURACY_HIGH]:.4f}"
    )


def _record_predictions(run: Run, data: Dataset, probabilities: NDArray[np.float32]) -> None:
    rows = evaluation.predictions_table(data.test.labels, probabilities)
    run.log_text(results.csv_text(rows), "predictions.csv")
    run.log_json(rows, "predictions.json")


def _record_figures(run: Run, found: Evaluation, model: str, title: str) -> None:
    metrics, test = found.comparison.rows[model], found.data.test
    drawings = reporting.evaluation_drawings(test, found.probabilities[model], metrics.confusion, title)
    for name, drawing in drawings.items():
        run.log_figure(drawing, name)
    run.log_text(results.csv_text([vars(digit) for digit in metrics.per_class]), "per_class.csv")


def _record_comparison(run: Run, found: Evaluation, table: "pd.DataFrame") -> None:
    data, missed = found.data, found.comparison.missed_by_all
    title = f"{data.name} test, {len(data.test):,} digits"
    models = ", ".join(found.comparison.rows)
    run.log_params({"models": models, "versions": _versions(found), "dataset": data.name, "split": "test"})
    run.log_dataset(data.name, data.source, data.digest, "test", len(data.test))
    run.log_results(table)
    run.log_json(missed.tolist(), f"{results.MISCLASSIFIED_BY_ALL}.json")
    for name, drawing in reporting.comparison_drawings(data.test, found.probabilities, found.comparison, title).items():
        run.log_figure(drawing, name)
    tables = _comparison_tables(table)
    run.log_text(f"{tables}\n", "comparison.md")
    run.describe(f"Networks compared on {title}.\n\n{tables}")


def _comparison_tables(table: "pd.DataFrame") -> str:
    """Return the models, best accuracy first, and the tests between them as Markdown tables."""
    best_first = sorted(metrics_by_model(table).items(), key=lambda row: -row[1][results.ACCURACY])
    rows = [(name, *(f"{metrics[metric]:.4f}" for metric in SUMMARY)) for name, metrics in best_first]
    tests = paired_tests(table)
    return (
        results.markdown_table(("model", *SUMMARY), rows)
        + "\n\nExact McNemar tests:\n\n"
        + results.markdown_table(tuple(tests[0]), [tuple(test.values()) for test in tests])
    )


def _versions(found: Evaluation) -> str:
    return ", ".join(reference.full_version for reference in found.references.values())


def _tags(found: Evaluation, model: str) -> dict[str, str]:
    return subject_tags(model, found.data.name, found.data.digest)
