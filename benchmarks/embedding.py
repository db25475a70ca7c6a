"""Time and quality of 3-D t-SNE embeddings, compared with scikit-learn: ``python benchmarks/embedding.py``."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.command import Benchmark, at_least, load_backend
from benchmarks.machine import Machine
from benchmarks.report import Finding, Report
from experiments import analysis, datasets
from experiments.analysis.embedding import embedding_quality

SHARE = 0.1  # of scikit-learn's time
ACCURACY_BELOW = 0.002
TRUST_BELOW = 0.005


@dataclass(frozen=True, eq=False)
class EmbeddingPlan:
    """The points both sides map.

    Attributes
    ----------
    title
        What they are.
    points, labels
        float32 (n, d) and int64 (n,).
    peer_steps
        Iterations of scikit-learn.
    """

    title: str
    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    peer_steps: int
    say: Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Map:
    """One side's map and the seconds it took, from the points to the positions."""

    positions: NDArray[np.float32]
    seconds: float


def measure(plan: EmbeddingPlan) -> Report:
    """Map the points here and by scikit-learn, and compare time and quality."""
    neighbors = analysis.nearest(plan.points, analysis.neighbors_needed(len(plan.points)))
    sides = {"digits": map_here(plan), "scikit-learn": map_by_scikit_learn(plan)}
    qualities = {name: embedding_quality(plan.points, neighbors, plan.labels, m.positions) for name, m in sides.items()}
    own, peer = sides.values()
    ours, theirs = qualities.values()
    rows = tuple(
        (name, f"{sides[name].seconds:.1f}", f"{quality.knn_accuracy:.4f}", f"{quality.trustworthiness:.4f}")
        for name, quality in qualities.items()
    )
    share = own.seconds / peer.seconds
    lost = theirs.knn_accuracy - ours.knn_accuracy
    less = theirs.trustworthiness - ours.trustworthiness
    findings = (
        Finding(f"digits takes {share:.3f} of scikit-learn's time", f"at most {SHARE}", share <= SHARE),
        Finding(
            f"its 10-NN accuracy is {-lost:+.4f} against scikit-learn's",
            f"at least -{ACCURACY_BELOW}",
            lost <= ACCURACY_BELOW,
        ),
        Finding(
            f"its trustworthiness is {-less:+.4f} against scikit-learn's",
            f"at least -{TRUST_BELOW}",
            less <= TRUST_BELOW,
        ),
    )
    numbers: dict[str, Any] = {
        name: {"seconds": sides[name].seconds, **vars(quality)} for name, quality in qualities.items()
    }
    headers = ("3-D t-SNE", "seconds", "10-NN accuracy", "trustworthiness (k = 12)")
    title = f"{plan.title}, {plan.points.shape[1]} dimensions, 10-NN accuracy there {ours.knn_accuracy_before:.4f}"
    return Report(title, headers, rows, findings, numbers)


def map_here(plan: EmbeddingPlan) -> Map:
    """Map the points as ``digits analyze`` does, neighbors included."""
    plan.say("digits")
    start = perf_counter()
    neighbors = analysis.nearest(plan.points, analysis.neighbors_needed(len(plan.points)))
    positions = analysis.embed(plan.points, neighbors).positions
    return Map(positions, perf_counter() - start)


def map_by_scikit_learn(plan: EmbeddingPlan) -> Map:
    """Map the points by scikit-learn's Barnes-Hut t-SNE with its defaults, on all processors."""
    from sklearn.manifold import TSNE

    plan.say("scikit-learn")
    start = perf_counter()
    model = TSNE(3, max_iter=plan.peer_steps, n_jobs=-1, random_state=0)
    positions = model.fit_transform(plan.points)
    return Map(positions.astype(np.float32), perf_counter() - start)


def penultimate_features(dataset: str, limit: int | None) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Train LeNet on a data set, and return its features of both splits, or of a sample, with the labels."""
    import tempfile

    from experiments.models import architecture
    from experiments.training import fit

    data, lenet = datasets.load(dataset), architecture("lenet")
    train, validation = datasets.split_validation(data.train, lenet.recipe.validation)
    network = fit(lenet, lenet.recipe, train, validation).model
    everything = datasets.Split(
        np.concatenate([data.train.images, data.test.images]), np.concatenate([data.train.labels, data.test.labels])
    )
    chosen = datasets.sample(everything, limit) if limit else everything
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "features.npy"), Path(folder, "probabilities.npy")
        features, _ = analysis.extract(analysis.feature_extractor(network, "lenet"), chosen, *files)
        return np.array(features), chosen.labels


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", default="mnist", help="a data set of digits")
    parser.add_argument("--limit", type=at_least(200), help="map a sample of so many digits")
    parser.add_argument("--features", type=Path, help=".npz with points and labels, in place of those of a new LeNet")
    parser.add_argument("--peer-steps", type=at_least(250), default=1000, help="iterations of scikit-learn")


def _plan(options: argparse.Namespace, _: Machine, say: Callable[[str], None], __: ExitStack) -> EmbeddingPlan:
    if options.features:
        with np.load(options.features) as kept:
            points, labels = kept["points"], kept["labels"]
    else:
        load_backend()
        say("training lenet")
        points, labels = penultimate_features(options.dataset, options.limit)
    title = f"lenet's features of {len(points):,} digits of {options.dataset}"
    return EmbeddingPlan(title, points, labels, options.peer_steps, say)


BENCHMARK = Benchmark(
    "embedding.py",
    "Measure time and quality of a 3-D t-SNE map beside scikit-learn's.",
    {"map": measure},
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
