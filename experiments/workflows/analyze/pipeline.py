"""The stages of an analysis: from a trained network and a data set to findings."""

import hashlib
import shutil
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments import analysis, datasets, tracking
from experiments.analysis.findings import BOTH, METHODS, SPLITS, TEST, TRAIN, Confusing, Digits, Findings
from experiments.datasets import Dataset, Split
from experiments.errors import UsageError
from experiments.evaluation.arguments import check_probabilities
from experiments.execution import Cache, ProgressCallback, Stages
from experiments.execution.cache import FOLDER, Arrays, digest, discard_unused
from experiments.tracking import Reference, Store

if TYPE_CHECKING:
    import keras

LEAST_TRAIN = 60  # digits, from which neighbours, folds and clusters mean something
LEAST_TEST = 20


@dataclass(frozen=True, eq=False)
class Subject:
    """What an analysis is about.

    Attributes
    ----------
    name
        Of the network, for the reader.
    extractor
        Gives its features and probabilities.
    digits
        Those of both splits that are analyzed.
    folder
        Where what was computed for this network and these digits is kept; above it, for these digits alone.
    """

    name: str
    reference: Reference
    extractor: "keras.Model"
    data: Dataset
    digits: Digits
    folder: Path

    def split(self, name: str) -> Split:
        """Return the digits of a split that are analyzed."""
        part = self.digits.part(name)
        return Split(np.ascontiguousarray(self.digits.images[part]), self.digits.labels[part])


def subject(store: Store, reference: Reference, data: Dataset, limit: int | None) -> Subject:
    """Return what is to be analyzed: all digits of both splits, or a stratified sample of `limit` in all.

    Raises
    ------
    UsageError
        When too few digits, or those of one class only, are left, or the network has no features of digits.
    DigitsError
        When the network cannot be loaded.
    """
    digits = _digits(data, limit)
    name = reference.version or Path(reference.text).name
    extractor = analysis.feature_extractor(tracking.load_network(store, reference), name)
    model = hashlib.sha256(tracking.model_file(store, reference).read_bytes()).hexdigest()[:16]
    sampled = "" if len(digits) == len(data.train) + len(data.test) else f"-{len(digits)}"
    place = store.root / FOLDER
    discard_unused(place)
    folder = place / f"{data.digest[:16]}{sampled}" / model
    return Subject(name, reference, extractor, data, digits, folder)


def _digits(data: Dataset, limit: int | None) -> Digits:
    share = 1.0 if limit is None else min(1.0, limit / (len(data.train) + len(data.test)))
    parts = []
    for split in (data.train, data.test):
        index = datasets.sample_indices(split, max(1, round(share * len(split))))
        parts.append((split.images[index], split.labels[index], index))
    images, labels, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    digits = Digits(images, labels, index.astype(np.int64), len(parts[0][1]))
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


def explore(about: Subject, dimensions: int, stages: Stages) -> Findings:
    """Find what the feature space of a network holds; what was computed before is taken from the subject's folder.

    Parameters
    ----------
    dimensions
        Of the map, 2 or 3.

    Raises
    ------
    UsageError
        When there is nothing to find in the network's features.
    """
    digits = about.digits
    features, probabilities = _features(about, stages)
    reduced = Cache(about.folder, stages).get_or_compute(
        "reduction", {"most": analysis.MOST_DIMENSIONS}, lambda _: _reduced(features)
    )
    points = reduced["points"]
    neighbours = _neighbours(about, points, stages)
    embedding = _embedding(about, points, neighbours, dimensions, stages)
    with stages("quality of the map"):
        quality = analysis.quality(points, neighbours, digits.labels, embedding.positions)
    with stages("kmeans") as on_progress:
        count = analysis.kmeans(points, on_step=on_progress)
    with stages("ward"):
        tree = analysis.ward(points, neighbours)
        exact_agreement, exact_sample = analysis.agreement_with_exact(points)
    with stages("duplicates"):
        train, test = (about.split(split) for split in SPLITS)
        duplicates = analysis.near_duplicates(train.images, train.labels, test.images, test.labels)
    with stages("traits"):
        traits = analysis.traits(digits.images)
    found = Findings(
        name=about.name,
        digits=digits,
        probabilities=probabilities,
        dimensions=features.shape[1],
        reduced=points.shape[1],
        variance=float(reduced["variance"]),
        embedding=embedding,
        quality=quality,
        count=count,
        tree=tree,
        exact_agreement=exact_agreement,
        exact_sample=exact_sample,
        agreements={},
        confusing={},
        centroids=analysis.centroids(points, digits.labels),
        duplicates=duplicates,
        outliers=analysis.outlier_scores(neighbours),
        traits=traits,
    )
    with stages("clusters and classes"):
        found = replace(found, agreements=_agreements(found))
    return replace(found, confusing=_confusing(about, found, points, stages))


def _features(about: Subject, stages: Stages) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features (n, d), memory-mapped, and probabilities (n, 10) of all digits."""
    place = about.folder / f"features-{digest({}, analysis.extract)}"
    with stages("features") as on_progress:
        if not place.exists():
            about.folder.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=about.folder, prefix="features-", suffix=".new"))
            everything = Split(about.digits.images, about.digits.labels)
            features, said = analysis.extract(
                about.extractor, everything, fresh / "features.npy", fresh / "probabilities.npy", on_progress
            )
            try:
                analysis.check_features(features, about.name)
                check_probabilities(said, about.reference.text)
            except UsageError:
                shutil.rmtree(fresh)
                raise
            del features, said
            fresh.rename(place)
        about.folder.touch()
    return np.load(place / "features.npy", mmap_mode="r"), np.load(place / "probabilities.npy")


def _reduced(features: NDArray[np.float32]) -> Arrays:
    points, variance = analysis.reduce(features)
    return {"points": points, "variance": np.asarray(variance)}


def _neighbours(about: Subject, points: NDArray[np.float32], stages: Stages) -> analysis.Neighbours:
    needed = analysis.neighbours_needed(len(points))

    def make(_: ProgressCallback) -> Arrays:
        found = analysis.nearest(points, needed)
        return {"indices": found.indices, "distances": found.distances}

    parameters = {"k": needed, "most": analysis.MOST_DIMENSIONS}
    arrays = Cache(about.folder, stages).get_or_compute("neighbours", parameters, make)
    return analysis.Neighbours(arrays["indices"], arrays["distances"])


def _embedding(
    about: Subject, points: NDArray[np.float32], neighbours: analysis.Neighbours, dimensions: int, stages: Stages
) -> analysis.Embedding:
    perplexity = analysis.perplexity_for(len(points))

    def make(on_progress: ProgressCallback) -> Arrays:
        found = analysis.embed(points, neighbours, dimensions, analysis.SCHEDULE, on_progress)
        return {"positions": found.positions}

    parameters = {
        "dimensions": dimensions,
        "perplexity": perplexity,
        "most": analysis.MOST_DIMENSIONS,
        **asdict(analysis.SCHEDULE),
    }
    arrays = Cache(about.folder, stages).get_or_compute("map", parameters, make)
    return analysis.Embedding(arrays["positions"], perplexity, analysis.SCHEDULE, float(arrays["seconds"]))


def _agreements(found: Findings) -> dict[tuple[str, int, str], analysis.Agreement]:
    labels = found.digits.labels
    parts = {BOTH: slice(None)} | {split: found.digits.part(split) for split in SPLITS}
    return {
        (method, k, name): analysis.agreement(labels[part], found.clusters(method, k)[part], k)
        for method in METHODS
        for k in found.counts
        for name, part in parts.items()
    }


def _held_out(about: Subject, stages: Stages) -> analysis.HeldOut:
    """Return what networks say of training digits that they have not learned from: the same for every subject."""
    near = [field.name for field in fields(analysis.Closeness)]

    def make(on_progress: ProgressCallback) -> Arrays:
        found = analysis.held_out(about.split(TRAIN), on_progress)
        return {"probabilities": found.probabilities, **{name: getattr(found.closeness, name) for name in near}}

    recipe = analysis.held_out_recipe(about.digits.train)
    parameters = {"network": analysis.NETWORK, **recipe.params(), "most": analysis.MOST_DIMENSIONS}
    arrays = Cache(about.folder.parent, stages).get_or_compute("held-out training digits", parameters, make)
    return analysis.HeldOut(arrays["probabilities"], analysis.Closeness(**{name: arrays[name] for name in near}))


def _confusing(about: Subject, found: Findings, points: NDArray[np.float32], stages: Stages) -> dict[str, Confusing]:
    """Rank the digits of each split by what networks that had not learned from them say."""
    digits, k = found.digits, found.counts[0]
    groupings = [found.clusters(method, k) for method in METHODS]
    strange = analysis.cluster_disagreement(digits.labels, groupings)
    train, test = digits.part(TRAIN), digits.part(TEST)
    held_out = _held_out(about, stages)
    with stages("confusing digits"):
        near = analysis.closeness(points[test], digits.labels[test], points[train], digits.labels[train])
        seen = {
            TRAIN: (held_out.closeness, held_out.probabilities, f"{analysis.NETWORK}, trained without them"),
            TEST: (near, found.probabilities[test], found.name),
        }
        return {
            split: Confusing(
                analysis.rank(closeness.ratio, digits.labels[part], probabilities, strange[part]),
                closeness,
                probabilities,
                seen_by,
            )
            for (split, (closeness, probabilities, seen_by)), part in zip(seen.items(), (train, test), strict=True)
        }
