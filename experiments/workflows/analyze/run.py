"""Analyze the feature space of trained networks, and find the digits that confuse them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments import datasets, tracking
from experiments.errors import UsageError
from experiments.execution.cache import Stages
from experiments.execution.progress import Progress
from experiments.tracking import Store
from experiments.workflows.analyze.pipeline import AnalysisInput, compute_analysis, load_input
from experiments.workflows.analyze.record import (
    AnalyzeManyResult,
    AnalyzeResult,
    analysis_run,
    record,
    record_comparison,
)

DIMENSIONS = (2, 3)


@dataclass(frozen=True)
class AnalyzeOptions:
    """Options of an analysis.

    Attributes
    ----------
    dataset
        Name of the dataset; None for the one that the network was trained on.
    data_dir
        See `experiments.datasets.load`.
    limit
        Size of a stratified sample of both splits; None for all digits.
    components
        Dimensions of the embedding, 2 or 3.
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
        A reference; see `experiments.tracking.resolve_reference`.
    parent
        Id of the parent run for a network that was not trained in this store.

    Raises
    ------
    UsageError
        If the network has no features, its features cannot be analyzed, or there are too few digits.
    DigitsError
        If the reference does not exist, or the data are not available.
    """
    options, progress = options or AnalyzeOptions(), progress or Progress()
    (source,) = _load_inputs(store, [model], options, progress).values()
    stages = Stages(progress, f"analyze {source.name}")
    with analysis_run(store, source, options.components, parent) as run:
        analysis = compute_analysis(source, options.components, stages)
        return record(run, source, analysis, stages)


def analyze_many(
    store: Store,
    models: Sequence[str],
    options: AnalyzeOptions | None = None,
    progress: Progress | None = None,
    parent: str | None = None,
) -> AnalyzeManyResult:
    """Analyze several networks on the same digits, and compare them.

    Parameters and errors are those of `analyze`. Raises `UsageError` also for fewer than two different networks, and if
    the networks were trained on different datasets and `dataset` is not set.
    """
    options, progress = options or AnalyzeOptions(), progress or Progress()
    sources = _load_inputs(store, models, options, progress)
    names = {source.reference.location: name for name, source in sources.items()}
    if len(names) < 2:
        raise UsageError(f"{', '.join(models)} are the same network; name different ones to compare")
    sources = {name: sources[name] for name in names.values()}
    analyses, results = [], {}
    for name, source in sources.items():
        stages = Stages(progress, f"analyze {source.name}")
        with analysis_run(store, source, options.components, parent) as run:
            analyses.append(compute_analysis(source, options.components, stages))
            results[name] = record(run, source, analyses[-1], stages)
    return record_comparison(store, [*sources.values()], analyses, results, parent)


def _load_inputs(
    store: Store, models: Sequence[str], options: AnalyzeOptions, progress: Progress
) -> dict[str, AnalysisInput]:
    """Load and check all networks and the digits before anything is computed."""
    references = tracking.resolve_references(store, {name: name for name in models}, progress.log)
    dataset = options.dataset or tracking.common_dataset(references.values())
    data = datasets.load(dataset, options.data_dir, progress.download)
    return {name: load_input(store, reference, data, options.limit) for name, reference in references.items()}
