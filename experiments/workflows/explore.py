"""The stages of an analysis: from a trained network and a data set to findings."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import analysis, datasets, tracking
from experiments.analysis.findings import SPLITS, TEST, TRAIN, Confusing, Digits, Findings
from experiments.datasets import Dataset, Split
from experiments.errors import UsageError
from experiments.tracking import Reference, Store
from experiments.workflows.stages import Arrays, Stages, kept

FOLDER = ".digits/features"
LEAST_TRAIN = 60  # digits, from which neighbours, folds and clusters mean something
LEAST_TEST = 20


@dataclass(frozen=True, eq=False)
class Subject:
    """What an analysis is about.

    Attributes
    ----------
    name
        Of the network, for the reader.
    digits
        Those of both splits that are analyzed.
    folder
        Where what was computed for this network and these digits is kept.
    """

    name: str
    reference: Reference
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
        When too few digits, or those of one class only, are left.
    """
    share = 1.0 if limit is None else min(1.0, limit / (len(data.train) + len(data.test)))
    parts = []
    for split in (data.train, data.test):
        index = datasets.sample_indices(split, max(1, round(share * len(split))))
        parts.append((split.images[index], split.labels[index], index))
    images, labels, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    digits = Digits(images, labels, index.astype(np.int64), len(parts[0][1]))
    _check(digits, limit)
    model = hashlib.sha256(tracking.model_file(store, reference).read_bytes()).hexdigest()[:16]
    sampled = "" if share == 1.0 else f"-{len(digits)}"
    folder = store.root / FOLDER / f"{data.digest[:16]}{sampled}" / model
    name = reference.version or Path(reference.text).name
    return Subject(name, reference, data, digits, folder)


def _check(digits: Digits, limit: int | None) -> None:
    if digits.train < LEAST_TRAIN or len(digits) - digits.train < LEAST_TEST:
        reason = f"--limit {limit} leaves" if limit else "there are"
        raise UsageError(
            f"{reason} {digits.train} training and {len(digits) - digits.train} test digits; an analysis needs at "
            f"least {LEAST_TRAIN} and {LEAST_TEST}"
        )
    classes = np.unique(digits.labels[: digits.train])
    if len(classes) < 2:
        raise UsageError(f"all training digits are of class {classes[0]}; an analysis needs at least two classes")


def explore(store: Store, about: Subject, dimensions: int, stages: Stages) -> Findings:
    """Find what the feature space of a network holds; what was computed before is taken from the subject's folder.

    Parameters
    ----------
    dimensions
        Of the map, 2 or 3.

    Raises
    ------
    UsageError
        When the network has no features that can be analyzed.
    """
    digits = about.digits
    with stages("features") as heard:
        features, probabilities = _features(store, about, heard)
        analysis.check_features(features, about.name)
    with stages("reduction"):
        reduced = kept(about.folder / "reduced.npz", lambda: _named("points", "variance", analysis.reduce(features)))
        points = reduced["points"]
    with stages("neighbours"):
        neighbours = _neighbours(about, points)
    with stages("map") as heard:
        embedding = _embedding(about, points, neighbours, dimensions, heard)
    with stages("quality of the map"):
        quality = analysis.quality(points, neighbours, digits.labels, embedding.positions)
    with stages("kmeans") as heard:
        count = analysis.kmeans(points, on_step=heard)
    with stages("ward"):
        tree = analysis.ward(points, neighbours)
        exact_agreement, exact_sample = analysis.agreement_with_exact(points)
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
        duplicates=_duplicates(about, stages),
        outliers=analysis.outlier_scores(neighbours),
        traits=_traits(digits, stages),
    )
    with stages("clusters and classes"):
        found = replace(found, agreements=_agreements(found))
    return replace(found, confusing=_confusing(about, found, points, stages))


def _features(
    store: Store, about: Subject, heard: Callable[[int, int], None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features (n, d), memory-mapped, and probabilities (n, 10) of all digits."""
    files = about.folder / "features.npy", about.folder / "probabilities.npy"
    if not all(file.exists() for file in files):
        network = tracking.load_reference(store, about.reference)
        extractor = analysis.feature_extractor(network, about.name)
        about.folder.mkdir(parents=True, exist_ok=True)
        fresh = [file.with_suffix(".new") for file in files]
        everything = Split(about.digits.images, about.digits.labels)
        analysis.extract(extractor, everything, fresh[0], fresh[1], heard)
        for new, file in zip(fresh, files, strict=True):
            new.rename(file)
    return np.load(files[0], mmap_mode="r"), np.load(files[1])


def _named(*names_and_values: Any) -> Arrays:
    *names, values = names_and_values
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def _neighbours(about: Subject, points: NDArray[np.float32]) -> analysis.Neighbours:
    def find() -> Arrays:
        found = analysis.nearest(points, analysis.neighbours_needed(len(points)))
        return {"indices": found.indices, "distances": found.distances}

    arrays = kept(about.folder / "neighbours.npz", find)
    return analysis.Neighbours(arrays["indices"], arrays["distances"])


def _embedding(
    about: Subject,
    points: NDArray[np.float32],
    neighbours: analysis.Neighbours,
    dimensions: int,
    heard: Callable[[int, int], None],
) -> analysis.Embedding:
    recipe = hashlib.sha256(repr(analysis.SCHEDULE).encode()).hexdigest()[:8]

    def make() -> Arrays:
        found = analysis.embed(points, neighbours, dimensions, analysis.SCHEDULE, heard)
        return {"positions": found.positions, "perplexity": found.perplexity, "seconds": found.seconds}  # type: ignore[dict-item]

    arrays = kept(about.folder / f"map-{dimensions}d-{recipe}.npz", make)
    perplexity, seconds = (float(arrays[name]) for name in ("perplexity", "seconds"))
    return analysis.Embedding(arrays["positions"], perplexity, analysis.SCHEDULE, seconds)


def _duplicates(about: Subject, stages: Stages) -> analysis.Duplicates:
    train, test = (about.split(split) for split in SPLITS)
    with stages("duplicates"):
        return analysis.near_duplicates(train.images, train.labels, test.images, test.labels)


def _traits(digits: Digits, stages: Stages) -> Any:
    with stages("traits"):
        return analysis.traits(digits.images)


def _agreements(found: Findings) -> dict[tuple[str, int, str], analysis.Agreement]:
    labels = found.digits.labels
    parts = {"both": slice(None)} | {split: found.digits.part(split) for split in SPLITS}
    return {
        (method, k, name): analysis.agreement(labels[part], found.clusters(method, k)[part], k)
        for method in ("kmeans", "ward")
        for k in found.counts
        for name, part in parts.items()
    }


def _held_out(about: Subject, heard: Callable[[int, int], None]) -> analysis.HeldOut:
    """Return what networks say of training digits that they have not learned from: the same for every subject."""
    near = [field.name for field in fields(analysis.Closeness)]

    def make() -> Arrays:
        found = analysis.held_out(about.split(TRAIN), heard)
        return {"probabilities": found.probabilities, **{name: getattr(found.closeness, name) for name in near}}

    arrays = kept(about.folder.parent / f"held-out-{analysis.NETWORK}.npz", make)
    closeness = analysis.Closeness(**{name: arrays[name] for name in near})
    return analysis.HeldOut(arrays["probabilities"], closeness)


def _confusing(about: Subject, found: Findings, points: NDArray[np.float32], stages: Stages) -> dict[str, Confusing]:
    """Rank the digits of each split by what networks that had not learned from them say."""
    digits, k = found.digits, found.counts[0]
    groupings = [found.clusters(method, k) for method in ("kmeans", "ward")]
    strange = analysis.cluster_disagreement(digits.labels, groupings)
    train, test = digits.part(TRAIN), digits.part(TEST)
    with stages("held-out training digits") as heard:
        held_out = _held_out(about, heard)
    with stages("confusing digits"):
        near = analysis.closeness(points[test], digits.labels[test], points[train], digits.labels[train])
        seen = {
            TRAIN: (held_out.closeness, held_out.probabilities, f"the network {analysis.NETWORK}, held out in folds,"),
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
