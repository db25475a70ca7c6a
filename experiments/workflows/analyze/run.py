"""Look into the feature space of trained networks, and find the digits that confuse them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from experiments import analysis, datasets, reporting, tracking
from experiments.analysis.findings import METHODS, SPLITS, Findings
from experiments.errors import UsageError
from experiments.execution.cache import Stages
from experiments.execution.progress import Progress
from experiments.execution.resume import resume_state
from experiments.reporting.explorer import ExplorerData, explorer_page
from experiments.tracking import Reference, Run, Store
from experiments.workflows.analyze.pipeline import Subject, explore, subject

LISTED = 200  # confusing digits of each split in the result
DIMENSIONS = (2, 3)


@dataclass(frozen=True)
class AnalyzeOptions:
    """What to analyze.

    Attributes
    ----------
    dataset
        Whose digits; None takes those that the network was trained on.
    data_dir
        As for `experiments.datasets.load`.
    limit
        Size of a stratified sample of both splits; None takes all digits.
    components
        Dimensions of the map, 2 or 3.
    """

    dataset: str | None = None
    data_dir: Path | None = None
    limit: int | None = None
    components: int = 3

    def __post_init__(self) -> None:
        if self.components not in DIMENSIONS:
            raise UsageError(f"components must be 2 or 3, received {self.components}")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit must be at least 1, received {self.limit}")


@dataclass(frozen=True)
class AnalyzeResult:
    """What was found of one network.

    Attributes
    ----------
    embedding
        `knn_accuracy`, `knn_accuracy_before`, `trustworthiness`, `seconds`, `perplexity`, `components`.
    clusters
        For ``kmeans`` and ``ward`` the agreement with the classes at ten clusters, over both splits: `k`, `ari`,
        `purity` and more; under `chosen` that at the number of clusters that the silhouette chose.
    confusing
        The 200 most confusing digits of each split, best first within a split: `split`, `index`, `label`,
        `predicted`, `score`, `rank` and the measures.
    seconds
        Wall time of each stage.
    """

    run_id: str
    model: str
    dataset: str
    n: int
    embedding: Mapping[str, Any]
    clusters: Mapping[str, Mapping[str, Any]]
    confusing: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float]
    discussion: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return asdict(self)


@dataclass(frozen=True)
class AnalyzeManyResult:
    """What was found of several networks on the same digits, each in a run of its own, and how they differ.

    `embedding`, `clusters` and `confusing` are those of the first of `models`.
    """

    run_id: str
    model: str
    models: Mapping[str, AnalyzeResult]
    discussion: str
    embedding: Mapping[str, Any]
    clusters: Mapping[str, Mapping[str, Any]]
    confusing: tuple[Mapping[str, Any], ...]


def analyze(
    store: Store,
    model: str,
    options: AnalyzeOptions | None = None,
    progress: Progress | None = None,
    parent: str | None = None,
) -> AnalyzeResult:
    """Analyze one network.

    Parameters
    ----------
    model
        A reference, as `experiments.tracking.resolve_reference` takes it.
    parent
        Id of the run that the analysis belongs under where its network was not trained in this store.

    Raises
    ------
    UsageError
        For a network without features, features in which there is nothing to find, or too few digits.
    DigitsError
        When the reference does not exist, or the data cannot be had.
    """
    options, progress = options or AnalyzeOptions(), progress or Progress()
    (about,) = _subjects(store, [model], options, progress).values()
    return _analyze(store, about, options, progress, parent)[1]


def analyze_many(
    store: Store,
    models: Sequence[str],
    options: AnalyzeOptions | None = None,
    progress: Progress | None = None,
    parent: str | None = None,
) -> AnalyzeManyResult:
    """Analyze several networks on the same digits, and say how they differ.

    Parameters and errors are those of `analyze`; a `UsageError` too where the networks were trained on different data
    and no `dataset` is named, or are fewer than two.
    """
    options, progress = options or AnalyzeOptions(), progress or Progress()
    subjects = _subjects(store, models, options, progress)
    places = {about.reference.location: name for name, about in subjects.items()}
    if len(places) < 2:
        raise UsageError(f"{', '.join(models)} are the same network; name different ones to compare")
    both = {name: _analyze(store, subjects[name], options, progress, parent) for name in places.values()}
    found = {name: findings for name, (findings, _) in both.items()}
    return _compare(store, found, {name: result for name, (_, result) in both.items()}, subjects, parent)


def _subjects(store: Store, models: Sequence[str], options: AnalyzeOptions, progress: Progress) -> dict[str, Subject]:
    """Return what is to be analyzed of each network, checked before anything is computed."""
    references = tracking.resolve_references(store, {name: name for name in models}, progress.log)
    dataset = options.dataset or tracking.common_dataset(references.values())
    data = datasets.load(dataset, options.data_dir, progress.download)
    return {name: subject(store, reference, data, options.limit) for name, reference in references.items()}


def _analyze(
    store: Store, about: Subject, options: AnalyzeOptions, progress: Progress, parent: str | None
) -> tuple[Findings, AnalyzeResult]:
    """Analyze one network in a run of its own."""
    reference, data = about.reference, about.data
    tags = {
        "digits.model": reference.architecture or about.name,
        "digits.dataset": data.name,
        "digits.data_digest": data.digest,
    }
    stages = Stages(progress, f"analyze {about.name}")
    name = f"analyze {reference.architecture or Path(reference.text).stem} on {data.name}"
    identity = {"subject": str(about.folder), "components": options.components}
    with (
        resume_state(store, name, identity) as saved,
        tracking.open_run(
            store,
            "analyze",
            name,
            parent=reference.run_id or parent,
            tags=tags,
            resume=saved.load("run"),
        ) as run,
    ):
        saved.save("run", run.id)
        run.log_dataset(data.name, data.source, data.digest, "analyze", len(about.digits))
        if reference.model_id:
            run.log_used_model(reference.model_id)
        found = explore(about, options.components, stages)
        sections = analysis.discuss(found)
        with stages("figures"):
            _record(run, found, sections, data.name, reference)
        with stages("page"):
            run.log_text(explorer_page(_atlas(found, sections, run.id, data.name)), "explorer.html")
        run.log_metrics({f"seconds/{stage}": seconds for stage, seconds in stages.seconds.items()})
        result = _result(run.id, found, data.name, stages.seconds, analysis.as_markdown(sections))
        run.log_json(vars(result), "analysis.json")
    return found, result


def _record(
    run: Run, found: Findings, sections: tuple[analysis.Section, ...], dataset: str, reference: Reference
) -> None:
    """Write numbers, tables, figures and text to the run."""
    quality, digits = found.quality, found.digits
    run.log_params(
        {
            "model": found.name,
            "dataset": dataset,
            "digits": len(digits),
            "features": found.dimensions,
            "reduced_to": found.reduced,
            "perplexity": found.embedding.perplexity,
            "components": found.embedding.positions.shape[1],
            **{f"tsne_{name}": value for name, value in vars(found.embedding.schedule).items()},
            "clusters": found.counts[0],
            "clusters_chosen": found.count.best,
            "clusters_elbow": found.count.elbow,
        }
    )
    metrics = {**vars(quality), "variance_kept": found.variance, "ward_agreement_with_exact": found.exact_agreement}
    for (method, k, part), agreement in found.agreements.items():
        prefix = f"{method}_{k}_{part}"
        metrics |= {f"{prefix}/{name}": value for name, value in agreement.scalars().items() if name != "k"}
    for split, confusing in found.confusing.items():
        metrics[f"confusing_{split}"] = float((confusing.ranking.measures["ratio"] > 1).sum())
    run.log_metrics(metrics, model_id=reference.model_id)
    for split in SPLITS:
        run.log_text(reporting.csv_text(confusing_rows(found, split)), f"confusing_{split}.csv")
    text = analysis.as_markdown(sections)
    run.log_text(text, "discussion.md")
    run.describe(f"The feature space of **{found.name}** on **{dataset}**. `explorer.html` shows it.\n\n{text}")
    for file, figure in reporting.analysis_figures(found, dataset):
        run.log_figure(figure, f"figures/{file}.png")


def confusing_rows(found: Findings, split: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the digits of a split as rows of a table, the most confusing first."""
    confusing, part = found.confusing[split], found.digits.part(split)
    labels, index = found.digits.labels[part], found.digits.index[part]
    predicted = found.probabilities[part].argmax(axis=1)
    measures = confusing.ranking.measures
    rows = []
    for rank, place in enumerate(confusing.ranking.order[:limit].tolist(), start=1):
        other = int(confusing.closeness.other[place, 0])
        rows.append(
            {
                "split": split,
                "index": int(index[place]),
                "label": int(labels[place]),
                "predicted": int(predicted[place]),
                "predicted_unseen": int(confusing.probabilities[place].argmax()),
                "score": round(float(confusing.ranking.score[place]), 6),
                "rank": rank,
                **{name: _finite(values[place]) for name, values in measures.items()},
                "nearest_other_label": int(found.digits.labels[other]) if other >= 0 else None,
                "nearest_other_index": int(found.digits.index[other]) if other >= 0 else None,
            }
        )
    return rows


def _finite(value: float) -> float | None:
    """Return a number as JSON has it: a ratio is infinite where the class has no other digit."""
    return round(float(value), 6) if np.isfinite(value) else None


def _atlas(found: Findings, sections: tuple[analysis.Section, ...], run_id: str, dataset: str) -> ExplorerData:
    digits = found.digits
    confusion = np.concatenate([found.confusing[split].ranking.share for split in SPLITS]).astype(np.float32)
    groupings = {
        f"{name}, k = {k}": found.clusters(method, k) for method, name in METHODS.items() for k in found.counts
    }
    return ExplorerData(
        title=f"{found.name}: {len(digits):,} digits of {dataset}",
        positions=found.embedding.positions,
        images=digits.images,
        labels=digits.labels,
        predicted=found.probabilities.argmax(axis=1).astype(np.int64),
        probability=np.clip(found.probabilities.max(axis=1), 0, 1).astype(np.float32),
        split=(np.arange(len(digits)) >= digits.train).astype(np.int64),
        index=digits.index,
        groupings=groupings,
        confusion=confusion,
        text=[f"{section.heading}. {' '.join(section.sentences)}" for section in sections],
        facts={
            "data": dataset,
            "features": f"{found.dimensions}, reduced to {found.reduced}",
            "10-NN accuracy of the map": f"{found.quality.knn_accuracy:.4f}",
            "trustworthiness": f"{found.quality.trustworthiness:.4f}",
            "confusing": "; ".join(f"{split} digits as {found.confusing[split].seen_by} sees them" for split in SPLITS),
            "MLflow run": run_id,
        },
    )


def _result(run_id: str, found: Findings, dataset: str, seconds: Mapping[str, float], discussion: str) -> AnalyzeResult:
    clusters = {}
    for method in METHODS:
        ten, *chosen = [found.agreements[method, k, "both"].scalars() for k in found.counts]
        clusters[method] = {**ten, "chosen": chosen[0] if chosen else ten}
    embedding = {
        **vars(found.quality),
        "seconds": found.embedding.seconds,
        "perplexity": found.embedding.perplexity,
        "components": found.embedding.positions.shape[1],
    }
    confusing = tuple(row for split in SPLITS for row in confusing_rows(found, split, LISTED))
    return AnalyzeResult(
        run_id, found.name, dataset, len(found.digits), embedding, clusters, confusing, dict(seconds), discussion
    )


def _compare(
    store: Store,
    found: Mapping[str, Findings],
    results: Mapping[str, AnalyzeResult],
    subjects: Mapping[str, Subject],
    parent: str | None,
) -> AnalyzeManyResult:
    """Say how networks differ, in a run of its own."""
    sections = tuple(section for pair in combinations(found.values(), 2) for section in analysis.contrast(*pair))
    text, data = analysis.as_markdown(sections), next(iter(subjects.values())).data
    names = ", ".join(findings.name for findings in found.values())
    tags = {"digits.model": names, "digits.dataset": data.name, "digits.data_digest": data.digest}
    title = f"feature spaces compared on {data.name}"
    with tracking.open_run(store, "analyze", title, parent=parent, tags=tags) as run:
        run.log_params({"models": names, "dataset": data.name})
        run.log_dataset(data.name, data.source, data.digest, "analyze", next(iter(results.values())).n)
        run.log_text(text, "discussion.md")
        run.log_json({name: result.run_id for name, result in results.items()}, "analyses.json")
        run.describe(f"Feature spaces of {names} on **{data.name}**.\n\n{text}")
    first = next(iter(results.values()))
    return AnalyzeManyResult(run.id, names, results, text, first.embedding, first.clusters, first.confusing)
