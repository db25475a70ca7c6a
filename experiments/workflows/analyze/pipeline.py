"""Order and caching of the computations of an analysis."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, tracking
from experiments.analysis.centroids import centroids
from experiments.analysis.cluster_metrics import compare_with_classes
from experiments.analysis.clusters import METHODS, agreement_with_exact, kmeans, reported_clusters, ward
from experiments.analysis.confusing import rank_splits
from experiments.analysis.digits import SPLITS, AnalyzedDigits
from experiments.analysis.duplicates import near_duplicates
from experiments.analysis.embedding import Embedding, embed, embedding_quality, neighbors_needed
from experiments.analysis.features import ReducedFeatures, check_features, extract, feature_extractor, reduce
from experiments.analysis.held_out import HeldOut, held_out
from experiments.analysis.image_attributes import image_attributes
from experiments.analysis.neighbors import Neighbors, nearest
from experiments.analysis.outliers import outlier_scores
from experiments.analysis.result import Analysis
from experiments.analysis.tsne import SCHEDULE
from experiments.datasets import Dataset, Split
from experiments.errors import UsageError
from experiments.evaluation.arguments import check_probabilities
from experiments.execution.cache import FOLDER, Cache, Stages, digest, discard_unused
from experiments.execution.versions import code_version
from experiments.tracking import Reference, Store

if TYPE_CHECKING:
    import keras

LEAST_TRAIN = 60  # digits; with fewer, neighbors, folds and clusters mean nothing
LEAST_TEST = 20


@dataclass(frozen=True, eq=False)
class AnalysisInput:
    """A network and the digits to analyze.

    Attributes
    ----------
    name
        Name of the network.
    extractor
        Computes features and probabilities.
    digits
        The digits of both splits that are analyzed.
    folder
        Cache of what was computed for this network and these digits; its parent is for these digits alone.
    """

    name: str
    reference: Reference
    extractor: "keras.Model"
    data: Dataset
    digits: AnalyzedDigits
    folder: Path


def load_input(store: Store, reference: Reference, data: Dataset, limit: int | None) -> AnalysisInput:
    """Load a network, and all digits of both splits or a stratified sample of `limit`.

    Raises
    ------
    UsageError
        If too few digits or a single class are left, or the network has no layer of features.
    DigitsError
        If the network cannot be loaded.
    """
    digits = _select_digits(data, limit)
    name = reference.version or Path(reference.text).name
    extractor = feature_extractor(tracking.load_network(store, reference), name)
    model = hashlib.sha256(tracking.model_file(store, reference).read_bytes()).hexdigest()[:16]
    sampled = "" if len(digits) == len(data.train) + len(data.test) else f"-{len(digits)}"
    caches = store.root / FOLDER
    discard_unused(caches)
    return AnalysisInput(name, reference, extractor, data, digits, caches / f"{data.digest[:16]}{sampled}" / model)


def _select_digits(data: Dataset, limit: int | None) -> AnalyzedDigits:
    proportion = 1.0 if limit is None else min(1.0, limit / (len(data.train) + len(data.test)))
    parts = []
    for split in (data.train, data.test):
        index = datasets.sample_indices(split, max(1, round(proportion * len(split))))
        parts.append((split.images[index], split.labels[index], index))
    images, labels, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    digits = AnalyzedDigits(images, labels, index.astype(np.int64), len(parts[0][1]))
    tests = len(digits) - digits.train
    if digits.train < LEAST_TRAIN or tests < LEAST_TEST:
        raise UsageError(
            f"{f'--limit {limit} leaves' if limit else 'there are'} {digits.train} training and {tests} test digits; "
            f"an analysis needs at least {LEAST_TRAIN} and {LEAST_TEST}"
        )
    classes = np.unique(digits.labels[: digits.train])
    if len(classes) < 2:
        raise UsageError(f"all training digits are of class {classes[0]}; an analysis needs at least two classes")
    return digits


def compute_analysis(source: AnalysisInput, dimensions: int, stages: Stages) -> Analysis:
    """Analyze the feature space of a network; stages that take long are cached.

    Parameters
    ----------
    dimensions
        Dimensions of the embedding, 2 or 3.

    Raises
    ------
    UsageError
        If the features of the network cannot be analyzed.
    """
    digits, labels = source.digits, source.digits.labels
    train, test = (digits.part(split) for split in SPLITS)
    features, probabilities = _features(source, stages)
    reduced, neighbors, embedding = _embedding(source, features, dimensions, stages)
    points = reduced.points
    with stages("quality of the map"):
        quality = embedding_quality(points, neighbors, labels, embedding.positions)
    with stages("kmeans") as on_progress:
        choice = kmeans(points, on_step=on_progress)
    with stages("ward"):
        tree = ward(points, neighbors)
        exact_agreement, exact_sample = agreement_with_exact(points)
    with stages("duplicates"):
        duplicates = near_duplicates(digits.images[train], labels[train], digits.images[test], labels[test])
    with stages("image attributes"):
        attributes = image_attributes(digits.images)
    with stages("clusters and classes"):
        groupings = reported_clusters(choice, tree)
        metrics = compare_with_classes(groupings, digits)
    split = Split(np.ascontiguousarray(digits.images[train]), labels[train])
    # In the folder of the digits: the same for every network.
    arrays = Cache(source.folder.parent, stages).get_or_compute(
        "held-out training digits", {}, partial(held_out, split)
    )
    unseen = HeldOut(**{field.name: arrays[field.name] for field in fields(HeldOut)})
    with stages("confusing digits"):
        ten = [groupings[method, choice.reported[0]] for method in METHODS]
        confusing = rank_splits(digits, points, probabilities, unseen, ten, source.reference.label)
    return Analysis(
        name=source.name,
        label=source.reference.label,
        digits=digits,
        probabilities=probabilities,
        dimensions=features.shape[1],
        reduced=points.shape[1],
        variance=reduced.variance,
        embedding=embedding,
        quality=quality,
        choice=choice,
        tree=tree,
        exact_agreement=exact_agreement,
        exact_sample=exact_sample,
        groupings=groupings,
        cluster_metrics=metrics,
        confusing=confusing,
        centroids=centroids(points, labels),
        duplicates=duplicates,
        outliers=outlier_scores(neighbors),
        attributes=attributes,
    )


def _features(source: AnalysisInput, stages: Stages) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features (n, d), memory-mapped, and probabilities (n, 10) of all digits."""
    folder = source.folder / f"features-{digest({}, extract)}"
    with stages("features") as on_progress:
        if not folder.exists():
            source.folder.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=source.folder, prefix="features-", suffix=".new"))
            split = Split(source.digits.images, source.digits.labels)
            files = fresh / "features.npy", fresh / "probabilities.npy"
            features, probabilities = extract(source.extractor, split, *files, on_progress)
            try:
                check_features(features, source.name)
                check_probabilities(probabilities, source.reference.text)
            except UsageError:
                shutil.rmtree(fresh)
                raise
            del features, probabilities
            fresh.rename(folder)
        source.folder.touch()
    return np.load(folder / "features.npy", mmap_mode="r"), np.load(folder / "probabilities.npy")


def _embedding(
    source: AnalysisInput, features: NDArray[np.float32], dimensions: int, stages: Stages
) -> tuple[ReducedFeatures, Neighbors, Embedding]:
    """Reduce features, find their neighbors and embed them. The cache of each also depends on the code before it."""
    cache = Cache(source.folder, stages)
    arrays = cache.get_or_compute(
        "reduction", {"features": code_version(extract)}, partial(reduce, features), progress=False
    )
    reduced = ReducedFeatures(arrays["points"], float(arrays["variance"]))
    k = neighbors_needed(len(features))
    arrays = cache.get_or_compute(
        "neighbors",
        {"points": code_version(extract, reduce), "k": k},
        partial(nearest, reduced.points, k),
        progress=False,
    )
    neighbors = Neighbors(arrays["indices"], arrays["distances"])
    arrays = cache.get_or_compute(
        "map",
        {"neighbors": code_version(extract, reduce, nearest), "dimensions": dimensions},
        partial(embed, reduced.points, neighbors, dimensions, SCHEDULE),
    )
    return reduced, neighbors, Embedding(arrays["positions"], float(arrays["perplexity"]))
