"""Example data of every figure, by its name: typical and awkward data, each without the figure's title.

The case "no" has nothing to show.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import ward

from experiments.analysis.confusing import MEASURES
from experiments.evaluation import calibration, measure, misclassified
from experiments.models import MODELS
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.digit_images import DigitImages
from experiments.reporting.figure_parts.hyperparameters import Hyperparameter
from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figures import FIGURES
from experiments.reporting.figures.adaptation_gains import Gain
from experiments.reporting.figures.confusing_gallery import ConfusingDigit, Neighbor
from experiments.reporting.figures.placed_panels import PlacedDigits
from experiments.reporting.figures.trade_off import NetworkCost

LONG = " on ".join(["models:/a-folder-of-my-own-digits-with-a-very-long-name-alexnet227@champion"] * 2)
SIX = (*list(MODELS)[:5], LONG)

RANDOM = np.random.default_rng(0)
LABELS, CLUSTERS, SCORES = RANDOM.integers(0, 10, 300), RANDOM.integers(0, 20, 300), RANDOM.random(300)
POINTS = (6 * RANDOM.normal(size=(10, 5))[LABELS] + RANDOM.normal(size=(300, 5))).astype(np.float32)
IN_SPACE, FLAT = POINTS[:, :3], POINTS[:, :2]
IMAGES = RANDOM.integers(0, 256, (300, 28, 28), dtype=np.uint8)
PREDICTED = np.where(np.arange(300) < 20, LABELS, RANDOM.integers(0, 10, 300))  # most are wrong
PROBABILITIES = (0.4 * RANDOM.dirichlet(np.ones(10), 300) + 0.6 * np.eye(10)[PREDICTED]).astype(np.float32)
CONFUSION = measure(LABELS, PROBABILITIES).confusion
FEW_MISTAKES = 40 * np.eye(10, dtype=np.int64) + np.eye(10, k=3, dtype=np.int64)
CALIBRATION = calibration(LABELS, PROBABILITIES)

NONE, NO_INTERVAL = np.zeros(0, np.int64), (nan, nan, nan)
DOMAINS = ("mnist", "usps", "uci", "mnist-m", "emnist digits", "my own digits")
ALIGNMENTS = ("resize", "frame", "center", "box", "deskew", "stroke")
SHIFT = ("MMD", "CORAL", "proxy A-distance", "target error")
CORRUPTIONS = (
    "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate stripe fog spatter "
    "dotted_line zigzag canny_edges"
).split()


def around(value: float) -> Interval:
    return value, max(value - 0.01, 0), min(value + 0.01, 1)


def measured(networks: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, float]]:
    return {network: {name: RANDOM.random() for name in names} for network in networks}


def accuracies(*networks: str) -> dict[str, dict[str, Interval]]:
    return {name: {domain: around(RANDOM.random()) for domain in DOMAINS} for name in networks}


def aligned(first: float) -> dict[str, Interval]:
    return {name: around(first + 0.02 * step) for step, name in enumerate(ALIGNMENTS)}


def gains(*networks: str) -> list[Gain]:
    changes = {"AdaBN": 0.01, "TENT": -0.02, "SHOT": 0.05}
    return [Gain(name, method, 0.9, around(0.9 + change)) for name in networks for method, change in changes.items()]


def shots(seeds: int) -> tuple[Any, Any]:
    return 0.9 + 0.1 * RANDOM.random((4, seeds)), 0.5 + 0.4 * RANDOM.random((4, seeds))


def placed(source: int, target: int, dimensions: int) -> tuple[Any, ...]:
    points = RANDOM.normal(size=(source + target, dimensions)).astype(np.float32)
    labels = np.arange(source + target) % 10
    return points[:source], labels[:source], points[source:], labels[source:], np.arange(target) % 4 == 0


def confusing(number: int) -> ConfusingDigit:
    """Return a 4 that is predicted as a 9, with images of its own."""
    first = 7 * number
    others, own = (
        tuple(Neighbor(IMAGES[at], "train", 50_000 + at, label, 100 + at / 100) for at in range(start, start + 3))
        for start, label in ((first + 1, 9), (first + 4, 4))
    )
    return ConfusingDigit(IMAGES[first], "test", 9000 + number, 4, 9, 0.75, 12.345, 0.98765, number + 1, others, own)


def mistakes(count: int, total: int) -> tuple[Any, ...]:
    order = misclassified(LABELS, PROBABILITIES)[:count]
    return IMAGES[order], order, LABELS[order], PROBABILITIES[order], total


def cluster_counts(last: int, best: int, elbow: int) -> tuple[Any, ...]:
    counts = range(2, last + 1)
    silhouettes, inertias = [0.5 - abs(count - best) / 50 for count in counts], [90_000 / count for count in counts]
    return list(counts), silhouettes, inertias, best, elbow


def top(leaves: int, heights: float = 1.0) -> tuple[Any, ...]:
    """Return a tree of leaves with digits of their own; its heights are multiplied."""
    merges = ward(RANDOM.normal(size=(leaves, 3)))
    return merges[:, :2].astype(np.int64), heights * merges[:, 2], RANDOM.integers(1, 500, (leaves, 10))


def parameters(trials: int, count: int = 4) -> dict[str, Hyperparameter]:
    ranges = {
        "units_1": (32, 512, False), "learning_rate": (1e-4, 1e-2, True), "dropout": (0.0, 0.5, False),
        "batch_size": (64, 256, False), "units_2": (32, 512, False), "only": (7, 7, False),
        "weight_decay": (1e-6, 1e-2, True),
    }  # fmt: skip
    return {
        name: Hyperparameter((low + (high - low) * RANDOM.random(trials)).tolist(), low, high, log)
        for name, (low, high, log) in list(ranges.items())[:count]
    }


def values(trials: int) -> list[float]:
    return [0.95 - 0.1 * RANDOM.random() for _ in range(trials)]


def digit_images(places: Sequence[int], split: str = "test") -> DigitImages:
    """Return images with indices from 50,000 and labels that follow from their places."""
    index = np.array(places, np.int64)
    return DigitImages(IMAGES[index], np.full(len(index), split), 50_000 + index, index % 10)


def history(epochs: int) -> dict[str, list[float]]:
    """Return the record of a training."""
    fall = 1 / np.arange(1, epochs + 1)
    names = ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate", "seconds")
    series = (fall, fall + 0.1, 1 - fall / 2, 1 - fall / 3, 0.001 * fall, 2 + 0 * fall)
    return {name: one.tolist() for name, one in zip(names, series, strict=True)}


CURVES = {
    "AdaBN": {},
    "TENT": {"entropy": RANDOM.random(200).tolist(), "share_confident": RANDOM.random(200).tolist()},
    "SHOT": {LONG: [1e-9, -2e12], "nothing": [], "share": [nan, nan]},
}
COSTS = {
    name: NetworkCost(10.0 ** (4 + i % 4) * (1 + i / 9), 0.98 + 0.0015 * i, 0.977 + 0.0015 * i, 0.983 + 0.0015 * i)
    for i, name in enumerate(MODELS)
}
HOPELESS = replace(confusing(3), others=(), own=confusing(3).own[:1], ratio=inf, predicted=4)
LOWERED = top(40)
LOWERED[1][3::7] /= 2  # merges that lie below their parts

# Of each figure, its arguments but the title.
ARGUMENTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "adaptation_curve": {"three methods": (CURVES,), "one": ({"TENT": {"entropy": [0.5]}},), "no": ({"AdaBN": {}},)},
    "adaptation_gains": {
        "many": (gains(*MODELS, LONG),),
        "unknown": ([Gain("cnn", LONG, nan, around(0.9)), Gain("cnn", "TENT", 0.9, NO_INTERVAL)],),
        "no": ([],),
    },
    "alignment_ablation": {
        "equal": (dict.fromkeys(MODELS, aligned(0.8)),),
        "gaps": ({"cnn": {"resize": around(0.8), "box": NO_INTERVAL}, "mlp": {"stroke": (0.9, nan, nan)}, "vgg": {}},),
        "no": ({"cnn": {"resize": NO_INTERVAL}},),
    },
    "centroid_distances": {
        "ten": (np.arange(10), 9 * RANDOM.random((10, 10)), RANDOM.random(10)),
        "one": (np.array([3]), np.zeros((1, 1)), np.ones(1)),
        "the same": (np.arange(10), np.zeros((10, 10)), np.zeros(10)),
        "no": (NONE, np.zeros((0, 0)), np.zeros(0)),
    },
    "class_changes": {
        "all": ({name: [-1.0, 1.0, nan] + [0.1] * 7 for name in MODELS},),
        "unknown": ({"cnn": [nan] * 10, LONG: [nan] * 10},),
        "no": ({},),
    },
    "class_distribution": {"three": ({f"split {power}": np.full(10, 10**power) for power in (3, 4, 5)},)},
    "cluster_count": {"many": cluster_counts(20, 12, 5), "one": cluster_counts(2, 2, 2), "no": ([], [], [], 0, 0)},
    "confusing_gallery": {"three": ([*map(confusing, range(3))], 25), "few": ([HOPELESS], 1), "no": ([], 0)},
    "confusion_heatmap": {
        "few mistakes": (FEW_MISTAKES, False),
        "percent": (CONFUSION, True),
        "large": (np.full((10, 10), 99_999), False),
    },
    "confusion_panels": {"six": (dict.fromkeys(SIX, CONFUSION),), "one": ({"cnn": FEW_MISTAKES},), "no": ({},)},
    "contingency_heatmap": {
        "large": (np.full((10, 20), 99_999), 0.1, 0.0, -0.001),
        "one": (RANDOM.integers(0, 99, (10, 1)), 0.1, 0.0, 0.0),
        "no": (np.zeros((10, 3), np.int64), 0.0, 0.0, 0.0),
    },
    "corruption_heatmap": {
        "all": (measured((*MODELS, LONG), CORRUPTIONS), dict.fromkeys(MODELS, 0.99), dict.fromkeys(MODELS, 12.3)),
        "one": (measured(["cnn"], CORRUPTIONS), {"cnn": 1}, {"cnn": 1}),
        "no": ({}, {}, {}),
    },
    "dendrogram": {
        "lowered": LOWERED,
        "two": top(2),
        "the same": top(4, heights=0.0),
        "no": (np.zeros((0, 2), np.int64), np.zeros(0), np.ones((1, 10), np.int64)),
    },
    "feature_map": {
        "digits in space": (IN_SPACE, LABELS, "digits"),
        "one place": (0 * IN_SPACE, CLUSTERS, "clusters"),
        "scores": (IN_SPACE, SCORES, "scores"),
        "one score": (FLAT[:1], SCORES[:1], "scores"),
        "no": (IN_SPACE[:0], LABELS[:0], "digits"),
    },
    "few_shot_curves": {
        "five seeds": ([1, 10, 1_000, "all"], *shots(5), 0.9),
        "one seed": ([1, 5, 10, 50], *shots(1), 0.9),
        "one number": (["all"], np.array([[0.9, nan]]), np.array([[nan]]), nan),
        "no": ([], np.zeros((0, 5)), np.zeros((0, 5)), 0.9),
    },
    "learning_curves": {
        "all": ({name: [0.99 - 0.1 / n + 0.0002 * i for n in range(1, 6)] for i, name in enumerate(MODELS)},),
        "one epoch": ({"cnn": [0.9], LONG[:30]: [1.0]},),
    },
    "measure_agreement": {
        "four": (dict(MEASURES), np.corrcoef(RANDOM.normal(size=(4, 9)))),
        "no": ({}, np.zeros((0, 0))),
    },
    "misclassified_gallery": {"twelve": mistakes(12, 350), "one": mistakes(1, 1), "no": mistakes(0, 0)},
    "model_comparison": {
        "all": ({name: around(0.9 + i / 200) for i, name in enumerate((*MODELS, "usps-lenet"))},),
        "long name": ({LONG: around(0.5), "cnn": around(1.0)},),
    },
    "outlier_gallery": {
        "seven": (digit_images(range(7)), np.full(7, 12.5), 10_000),
        "no": (digit_images([]), np.zeros(0), 0),
    },
    "pairs_gallery": {
        "nine": (digit_images(range(9)), digit_images(range(9, 18), "train"), np.full(9, 0.012), 60),
        "one": (digit_images([0]), digit_images([1], "train"), np.full(1, 0.012), 1),
        "no": (digit_images([]), digit_images([]), np.zeros(0), 0),
    },
    "placed_map": {
        "in space": placed(300, 40, 3),
        "target alone": placed(0, 40, 2),
        "source alone": placed(40, 0, 3),
        "no": placed(0, 0, 2),
    },
    "placed_panels": {
        "six": ({name: PlacedDigits(*placed(300, 40, 3)) for name in SIX},),
        "target alone": ({"cnn": PlacedDigits(*placed(0, 40, 2)), "mlp": PlacedDigits(*placed(0, 0, 3))},),
        "no points": ({"cnn": PlacedDigits(*placed(0, 0, 3))},),
        "no": ({},),
    },
    "prediction_grid": {
        "all": (IMAGES[:25], LABELS[:25], PROBABILITIES[:25]),
        "no": (IMAGES[:0], NONE, PROBABILITIES[:0]),
    },
    "reliability_diagram": {"many mistakes": (CALIBRATION,)},
    "reliability_panels": {"six": (dict.fromkeys(SIX, CALIBRATION),), "one": ({"cnn": CALIBRATION},), "no": ({},)},
    "sample_grid": {"all": (IMAGES[:25], LABELS[:25]), "no": (IMAGES[:0], NONE)},
    "search_contour": {
        "thirty": (values(30), parameters(30, 2)),
        "equal": ([0.9] * 12, parameters(12, 2)),
        "on a line": (values(12), {**parameters(12, 1), "only": Hyperparameter([7.0] * 12, 7, 7, log=False)}),
        "one range": (values(12), parameters(12, 1)),
        "no": ([], {}),
    },
    "search_history": {
        "thirty": (list(enumerate(values(30))), [(30, 0.5), (31, 0.9)]),
        "all pruned": ([], [(0, 0.5)]),
        "empty": ([], []),
    },
    "search_importances": {
        "four": ({"units_1": 0.6, "learning_rate": 0.3, "dropout": 0.1, "depth": 0.0},),
        "no": ({},),
    },
    "search_parallel_coordinates": {
        "thirty": (values(30), parameters(30, 7)),
        "one": (values(1), parameters(1)),
        "no": ([], parameters(0)),
    },
    "search_slice": {
        "thirty": (list(range(30)), values(30), parameters(30, 7)),
        "one": ([0], values(1), parameters(1, 1)),
        "no": ([], [], parameters(0)),
    },
    "shift_chart": {
        "all": (measured(MODELS, SHIFT),),
        "gaps": ({LONG: {"MMD": -1e-7}, "cnn": {"CORAL": 0, "a": nan, "b": 1e9, "target error": 1}},),
        "no": ({"cnn": {}},),
    },
    "trade_off": {"all": (COSTS, "parameters"), "one": ({"cnn": COSTS["cnn"]}, "training time in seconds")},
    "training_curves": {"forty epochs": (history(40),), "one epoch": (history(1),)},
    "transfer_matrix": {
        "all by six": (accuracies(*(f"{name} on mnist" for name in (*MODELS, "usps-lenet"))),),
        "gaps": ({LONG: {"mnist": (0.0, nan, nan), LONG: NO_INTERVAL}, "cnn on usps": {"usps": around(1.0)}},),
        "no": ({},),
    },
}


def example(figure: str, case: str, title: str) -> Drawing:
    """Return a figure of example data with a title."""
    return Drawing.of(FIGURES[figure], *ARGUMENTS[figure][case], title=title)
