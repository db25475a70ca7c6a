"""Everything that `digits analyze` writes to MLflow, and the reading of its results."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import reporting, tracking
from experiments.analysis.clusters import METHODS
from experiments.analysis.digits import BOTH, SPLITS
from experiments.analysis.discussion import contrast, discuss
from experiments.analysis.embedding import TRUST_SAMPLE, Quality, perplexity_for
from experiments.analysis.result import Analysis
from experiments.analysis.tsne import SCHEDULE
from experiments.evaluation.effects import Topic, to_json
from experiments.execution.cache import Stages
from experiments.execution.resume import resumable_run
from experiments.reporting.discussion.text import to_markdown
from experiments.reporting.explorer import ExplorerData, explorer_page
from experiments.results import (
    CONFUSING,
    SECONDS,
    TRUSTWORTHINESS,
    Result,
    by_metric,
    csv_text,
    select,
    to_table,
    value,
)
from experiments.tracking import Run, Store
from experiments.tracking.tags import subject_tags
from experiments.workflows.analyze.pipeline import AnalysisInput

if TYPE_CHECKING:
    import pandas as pd

LISTED = 200  # confusing digits of each split in the result


@dataclass(frozen=True, eq=False)
class AnalyzeResult:
    """Result of the analysis of one network.

    Attributes
    ----------
    model, dataset, n
        Name of the network, name of the dataset, and number of digits.
    components
        Dimensions of the embedding.
    table
        The results; see `experiments.results`.
    confusing
        The 200 most confusing digits of each split, best first within a split: `split`, `index`, `label`,
        `predicted`, `score`, `rank` and the measures.
    discussion
        Description of the results, in Markdown.
    """

    run_id: str
    model: str
    dataset: str
    n: int
    components: int
    table: "pd.DataFrame"
    confusing: tuple[Mapping[str, Any], ...]
    discussion: str

    @property
    def embedding(self) -> dict[str, Any]:
        """Quality of the embedding, its time in seconds, and its settings."""
        return {
            **{field.name: value(self.table, field.name) for field in fields(Quality)},
            "seconds": self.seconds["map"],
            "perplexity": perplexity_for(self.n),
            "components": self.components,
        }

    @property
    def clusters(self) -> dict[str, dict[str, Any]]:
        """Cluster metrics of each method on both splits, at ten clusters; under `chosen` at the chosen number."""
        found = {}
        for method in METHODS:
            groups = select(self.table, method=method, split=BOTH).groupby("group", sort=False)
            ten, *chosen = [{"k": int(str(k)), **by_metric(rows)} for k, rows in groups]
            found[method] = {**ten, "chosen": chosen[0] if chosen else ten}
        return found

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time of each stage."""
        rows = select(self.table, metric=SECONDS)
        return dict(zip(rows["group"], rows["value"], strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        about = {"run_id": self.run_id, "model": self.model, "dataset": self.dataset, "n": self.n}
        numbers = {"embedding": self.embedding, "clusters": self.clusters, "confusing": self.confusing}
        return {**about, **numbers, "seconds": self.seconds, "discussion": self.discussion}


@dataclass(frozen=True, eq=False)
class AnalyzeManyResult:
    """Results of several networks on the same digits, each with its own run, and of their comparison."""

    run_id: str
    model: str
    models: Mapping[str, AnalyzeResult]
    discussion: str

    @property
    def confusing(self) -> tuple[Mapping[str, Any], ...]:
        """The most confusing digits to the first network."""
        return next(iter(self.models.values())).confusing

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints; the numbers are those of the first network."""
        models = {name: result.to_json() for name, result in self.models.items()}
        numbers = {key: next(iter(models.values()))[key] for key in ("embedding", "clusters", "confusing")}
        return {
            "run_id": self.run_id, "model": self.model, "models": models, "discussion": self.discussion, **numbers,
        }  # fmt: skip


@contextmanager
def analysis_run(store: Store, source: AnalysisInput, components: int, parent: str | None) -> Iterator[Run]:
    """Open the run of an analysis, or resume an interrupted one."""
    reference, data = source.reference, source.data
    tags = subject_tags(reference.architecture or source.name, data.name, data.digest)
    name = f"analyze {reference.architecture or Path(reference.text).stem} on {data.name}"
    identity = {"input": str(source.folder), "components": components}
    parent = reference.run_id or parent
    with resumable_run(store, "analyze", name, identity, parent=parent, tags=tags) as (run, _):
        run.log_dataset(data.name, data.source, data.digest, "analyze", len(source.digits))
        if reference.model_id:
            run.log_used_model(reference.model_id)
        yield run


def record(run: Run, source: AnalysisInput, analysis: Analysis, stages: Stages) -> AnalyzeResult:
    """Write parameters, tables, text, figures and results to the run."""
    dataset, embedding = source.data.name, analysis.embedding
    components = embedding.positions.shape[1]
    run.log_params(
        {
            "model": analysis.name,
            "dataset": dataset,
            "digits": len(analysis.digits),
            "features": analysis.dimensions,
            "reduced_to": analysis.reduced,
            "perplexity": embedding.perplexity,
            "components": components,
            **{f"tsne_{name}": setting for name, setting in vars(SCHEDULE).items()},
            "clusters": analysis.choice.reported[0],
        }
    )
    topics = discuss(analysis)
    text = to_markdown(topics)
    with stages("figures"):
        for split in SPLITS:
            run.log_text(csv_text(confusing_rows(analysis, split)), f"confusing_{split}.csv")
        run.log_json(to_json(topics), "discussion.json")
        run.log_text(text, "discussion.md")
        run.describe(f"The feature space of **{analysis.name}** on **{dataset}**. `explorer.html` shows it.\n\n{text}")
        for name, drawing in reporting.analysis_drawings(analysis, dataset).items():
            run.log_figure(drawing, name)
    with stages("page"):
        explorer = _explorer_data(analysis, topics, run.id, dataset)
        run.log_data(explorer.to_npz(), "explorer")
        run.log_text(explorer_page(explorer), "explorer.html")
    table = to_table(_results(source, analysis, stages.seconds))
    run.log_results(table, model_id=source.reference.model_id)
    confusing = tuple(row for split in SPLITS for row in confusing_rows(analysis, split, LISTED))
    return AnalyzeResult(run.id, analysis.name, dataset, len(analysis.digits), components, table, confusing, text)


def _results(source: AnalysisInput, analysis: Analysis, seconds: Mapping[str, float]) -> Iterator[Result]:
    """Yield all results of an analysis."""
    reference, digits, choice = source.reference, analysis.digits, analysis.choice
    result = partial(
        Result,
        model=reference.label,
        version=reference.full_version,
        source=reference.dataset or "",
        target=source.data.name,
    )
    for metric, number in vars(analysis.quality).items():
        n = min(len(digits), TRUST_SAMPLE) if metric == TRUSTWORTHINESS else len(digits)
        yield result(metric, number, n=n)
    yield result("variance_kept", analysis.variance, n=len(digits))
    yield result("ward_agreement_with_exact", analysis.exact_agreement, n=analysis.exact_sample)
    yield result("clusters_chosen", choice.best, n=len(digits))
    yield result("clusters_elbow", choice.elbow, n=len(digits))
    for (method, k, split), metrics in analysis.cluster_metrics.items():
        n = int(metrics.contingency.sum())
        for metric, number in metrics.scalars().items():
            yield result(metric, number, split=split, method=method, group=str(k), n=n)
    for split, confusing in analysis.confusing.items():
        yield result(CONFUSING, confusing.count, split=split, n=len(confusing.ranking.order))
    for stage, duration in seconds.items():
        yield result(SECONDS, duration, group=stage)


def confusing_rows(analysis: Analysis, split: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the digits of a split as rows of a table, the most confusing first."""
    confusing, digits = analysis.confusing[split], analysis.digits
    part = digits.part(split)
    labels, index = digits.labels[part], digits.index[part]
    predicted = analysis.probabilities[part].argmax(axis=1)
    rows = []
    for rank, position in enumerate(confusing.ranking.order[:limit].tolist(), start=1):
        other = int(confusing.distances.other[position, 0])
        rows.append(
            {
                "split": split,
                "index": int(index[position]),
                "label": int(labels[position]),
                "predicted": int(predicted[position]),
                "predicted_unseen": int(confusing.probabilities[position].argmax()),
                "score": round(float(confusing.ranking.score[position]), 6),
                "rank": rank,
                **{name: _finite(values[position]) for name, values in confusing.ranking.measures.items()},
                "nearest_other_label": int(digits.labels[other]) if other >= 0 else None,
                "nearest_other_index": int(digits.index[other]) if other >= 0 else None,
            }
        )
    return rows


def _finite(number: float) -> float | None:
    """Round a number for JSON, which has no infinity: the ratio of a class with a single digit."""
    return round(float(number), 6) if np.isfinite(number) else None


def _explorer_data(analysis: Analysis, topics: Sequence[Topic], run_id: str, dataset: str) -> ExplorerData:
    digits, quality = analysis.digits, analysis.quality
    confusion = np.concatenate([analysis.confusing[split].ranking.percentile for split in SPLITS])
    seen_by = [f"{split} digits as {analysis.confusing[split].seen_by} sees them" for split in SPLITS]
    return ExplorerData(
        title=f"{analysis.name}: {len(digits):,} digits of {dataset}",
        positions=analysis.embedding.positions,
        images=digits.images,
        labels=digits.labels,
        predicted=analysis.probabilities.argmax(axis=1).astype(np.int64),
        probability=np.clip(analysis.probabilities.max(axis=1), 0, 1).astype(np.float32),
        split=(np.arange(len(digits)) >= digits.train).astype(np.int64),
        index=digits.index,
        groupings={f"{METHODS[method]}, k = {k}": clusters for (method, k), clusters in analysis.groupings.items()},
        confusion=confusion.astype(np.float32),
        topics=topics,
        facts={
            "data": dataset,
            "features": f"{analysis.dimensions}, reduced to {analysis.reduced}",
            "10-NN accuracy of the map": f"{quality.knn_accuracy:.4f}",
            "trustworthiness": f"{quality.trustworthiness:.4f}",
            "confusing": "; ".join(seen_by),
            "MLflow run": run_id,
        },
    )


def record_comparison(
    store: Store,
    sources: Sequence[AnalysisInput],
    analyses: Sequence[Analysis],
    results: Mapping[str, AnalyzeResult],
    parent: str | None,
) -> AnalyzeManyResult:
    """Record the comparison of several networks in a separate run."""
    import pandas as pd

    topics = [topic for pair in combinations(analyses, 2) for topic in contrast(*pair)]
    text = to_markdown(topics)
    data, names = sources[0].data, ", ".join(analysis.name for analysis in analyses)
    tags = subject_tags(names, data.name, data.digest)
    title = f"feature spaces compared on {data.name}"
    with tracking.open_run(store, "analyze", title, parent=parent, tags=tags) as run:
        run.log_params({"models": names, "dataset": data.name})
        run.log_dataset(data.name, data.source, data.digest, "analyze", len(sources[0].digits))
        run.log_json(to_json(topics), "discussion.json")
        run.log_text(text, "discussion.md")
        run.log_json({name: result.run_id for name, result in results.items()}, "analyses.json")
        table = pd.concat([result.table for result in results.values()], ignore_index=True)
        run.log_results(tracking.with_distinct_models(table[table["metric"] != SECONDS]))
        run.describe(f"Feature spaces of {names} on **{data.name}**.\n\n{text}")
    return AnalyzeManyResult(run.id, names, results, text)
