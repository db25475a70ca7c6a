"""Example data of every figure, by its name: typical and awkward data, each as a function of the figure's title.

Cases that start with "no" have nothing to show.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import nan
from typing import Any

import numpy as np
from random_predictions import history, random_predictions
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

SHORT = "mnist-lenet v3 on mnist test"
LONG = " on ".join(["models:/a-folder-of-my-own-digits-with-a-very-long-name-alexnet227@champion"] * 2)

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (400, 28, 28), dtype=np.uint8)
GOOD, BAD = random_predictions(400, mistakes=3), random_predictions(400, mistakes=350)
GOOD_CONFUSION, BAD_CONFUSION = (measure(one.labels, one.probabilities).confusion for one in (GOOD, BAD))
CALIBRATION = calibration(BAD.labels, BAD.probabilities)
NONE = np.zeros(0, np.int64)

LABELS = RANDOM.integers(0, 10, 300)
POINTS = (6 * RANDOM.normal(size=(10, 5))[LABELS] + RANDOM.normal(size=(300, 5))).astype(np.float32)
IN_SPACE, FLAT = POINTS[:, :3], POINTS[:, :2]
CLUSTERS, SCORES = RANDOM.integers(0, 20, 300), RANDOM.random(300)

NO_INTERVAL: Interval = (nan, nan, nan)
DOMAINS = ("mnist", "usps", "uci", "mnist-m", "emnist digits", "my own digits")
ALIGNMENTS = ("resize", "frame", "center", "box", "deskew", "stroke")
CORRUPTIONS = (
    "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate stripe fog spatter "
    "dotted_line zigzag canny_edges"
).split()


def around(value: float) -> Interval:
    return value, max(value - 0.01, 0), min(value + 0.01, 1)


def accuracies(*names: str) -> dict[str, dict[str, Interval]]:
    return {name: {domain: around(RANDOM.random()) for domain in DOMAINS} for name in names}


def aligned(first: float) -> dict[str, Interval]:
    return {name: around(first + 0.02 * step) for step, name in enumerate(ALIGNMENTS)}


def gains(*networks: str) -> list[Gain]:
    return [
        Gain(network, method, 0.9, around(0.9 + change))
        for network in networks
        for method, change in (("AdaBN", 0.01), ("TENT", -0.02), ("SHOT", 0.05))
    ]


def shots(seeds: int) -> tuple[Any, Any]:
    return 0.9 + 0.1 * RANDOM.random((4, seeds)), 0.5 + 0.4 * RANDOM.random((4, seeds))


def corruptions(*networks: str) -> dict[str, dict[str, float]]:
    return {network: {name: RANDOM.random() for name in CORRUPTIONS} for network in networks}


def shift(*networks: str) -> dict[str, dict[str, float]]:
    measures = ("MMD", "CORAL", "proxy A-distance", "target error")
    return {network: dict(zip(measures, RANDOM.random(4).tolist(), strict=True)) for network in networks}


def placed(source: int, target: int, dimensions: int) -> tuple[Any, ...]:
    points = RANDOM.normal(size=(source + target, dimensions)).astype(np.float32)
    labels = np.arange(source + target) % 10
    return points[:source], labels[:source], points[source:], labels[source:], np.arange(target) % 4 == 0


def neighbor(number: int, label: int) -> Neighbor:
    return Neighbor(IMAGES[number], "train", 50_000 + number, label, 100 + number / 100)


def confusing(number: int) -> ConfusingDigit:
    """Return a 4, taken for a 9, with images of its own."""
    first = 7 * number
    return ConfusingDigit(
        image=IMAGES[first],
        split="test",
        index=9000 + number,
        label=4,
        predicted=9,
        probability=0.75,
        ratio=12.345,
        score=0.98765,
        rank=number + 1,
        others=tuple(neighbor(first + place, 9) for place in (1, 2, 3)),
        own=tuple(neighbor(first + place, 4) for place in (4, 5, 6)),
    )


def mistakes(count: int, total: int) -> tuple[Any, ...]:
    order = misclassified(BAD.labels, BAD.probabilities)[:count]
    return BAD.images[order], order, BAD.labels[order], BAD.probabilities[order], total


def cluster_counts(last: int, best: int, elbow: int) -> tuple[Any, ...]:
    counts = range(2, last + 1)
    silhouettes, inertias = [0.5 - abs(count - best) / 50 for count in counts], [90_000 / count for count in counts]
    return list(counts), silhouettes, inertias, best, elbow


def top(leaves: int, heights: float = 1.0) -> tuple[Any, ...]:
    """Return a tree of leaves with digits of their own; its heights are multiplied."""
    merges = ward(RANDOM.normal(size=(leaves, 3)))
    return merges[:, :2].astype(np.int64), heights * merges[:, 2], RANDOM.integers(1, 500, (leaves, 10))


UNEVEN = top(40)
UNEVEN[1][3::7] /= 2  # merges that lie below their parts


def parameters(trials: int, names: int = 4) -> dict[str, Hyperparameter]:
    ranges = {
        "units_1": (32, 512, False), "dropout": (0.0, 0.5, False), "learning_rate": (1e-4, 1e-2, True),
        "batch_size": (64, 256, False), "units_2": (32, 512, False), "only": (7, 7, False),
        "weight_decay": (1e-6, 1e-2, True),
    }  # fmt: skip
    return {
        name: Hyperparameter((low + (high - low) * RANDOM.random(trials)).tolist(), low, high, log)
        for name, (low, high, log) in list(ranges.items())[:names]
    }


def values(trials: int) -> list[float]:
    return [0.95 - 0.1 * RANDOM.random() for _ in range(trials)]


def digit_images(places: Sequence[int], split: str = "test") -> DigitImages:
    """Return images with indices from 50,000 and labels that follow from their places."""
    index = np.array(places, np.int64)
    return DigitImages(IMAGES[index], np.full(len(index), split), 50_000 + index, index % 10)


CURVES = {
    "AdaBN": {},
    "TENT": {"entropy": RANDOM.random(200).tolist(), "share_confident": RANDOM.random(200).tolist()},
    "SHOT": {LONG: [1e-9, -2e12], "nothing": [], "share": [nan, nan]},
}
COSTS = {
    name: NetworkCost(10.0 ** (4 + i % 4) * (1 + i / 9), 0.98 + 0.0015 * i, 0.977 + 0.0015 * i, 0.983 + 0.0015 * i)
    for i, name in enumerate(MODELS)
}
HOPELESS = replace(confusing(3), others=(), own=(neighbor(5, 4),), ratio=float("inf"), predicted=4)

# Of each figure, its arguments but the title.
ARGUMENTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "adaptation_curve": {"one": ({"TENT": {"entropy": [0.5]}},), "three methods": (CURVES,), "no": ({"AdaBN": {}},)},
    "adaptation_gains": {
        "one": (gains("cnn")[:1],),
        "many": (gains(*MODELS, LONG),),
        "unknown": ([Gain("cnn", LONG, nan, around(0.9)), Gain("cnn", "TENT", 0.9, NO_INTERVAL)],),
        "no": ([],),
    },
    "alignment_ablation": {
        "one": ({"cnn": aligned(0.8)},),
        "equal": (dict.fromkeys(MODELS, aligned(0.8)),),
        "broken": (
            {"cnn": {"resize": around(0.8), "box": NO_INTERVAL}, "mlp": {"stroke": (0.9, nan, nan)}, "vgg": {}},
        ),
        "no": ({"cnn": {"resize": NO_INTERVAL}},),
    },
    "centroid_distances": {
        "ten": (np.arange(10), 9 * RANDOM.random((10, 10)), RANDOM.random(10)),
        "one": (np.array([3]), np.zeros((1, 1)), np.ones(1)),
        "the same": (np.arange(10), np.zeros((10, 10)), np.zeros(10)),
        "no": (NONE, np.zeros((0, 0)), np.zeros(0)),
    },
    "class_changes": {
        "one": ({"cnn": [0.0] * 10},),
        "all": ({name: [-1.0, 1.0, nan] + [0.1] * 7 for name in MODELS},),
        "unknown": ({"cnn": [nan] * 10, LONG: [nan] * 10},),
        "no": ({},),
    },
    "class_distribution": {
        "three splits": (
            {name: np.full(10, 10**power) for power, name in enumerate(("train", "validation", "test"), start=3)},
        ),
    },
    "cluster_count": {
        "nineteen": cluster_counts(20, 12, 5),
        "one": cluster_counts(2, 2, 2),
        "no": ([], [], [], 0, 0),
    },
    "confusing_gallery": {
        "three": ([confusing(number) for number in range(3)], 25),
        "few neighbors": ([HOPELESS], 1),
        "no": ([], 0),
    },
    "confusion_heatmap": {
        "few mistakes": (GOOD_CONFUSION, False),
        "many mistakes": (BAD_CONFUSION, False),
        "percent": (BAD_CONFUSION, True),
        "large counts": (np.full((10, 10), 99_999), False),
    },
    "confusion_panels": {
        "one": ({"cnn": GOOD_CONFUSION},),
        "six": (dict.fromkeys((*list(MODELS)[:5], LONG), BAD_CONFUSION),),
        "no": ({},),
    },
    "contingency_heatmap": {
        "one": (RANDOM.integers(0, 99, (10, 1)), 0.1, 0.0, 0.0),
        "twenty": (RANDOM.integers(0, 99, (10, 20)), 0.5, 0.25, 0.3),
        "large": (np.full((10, 20), 99_999), 0.1, 0.0, -0.001),
        "no": (np.zeros((10, 3), np.int64), 0.0, 0.0, 0.0),
    },
    "corruption_heatmap": {
        "one": (corruptions("cnn"), {"cnn": 1}, {"cnn": 1}),
        "all": (corruptions(*MODELS, LONG), dict.fromkeys(MODELS, 0.99), dict.fromkeys(MODELS, 12.3)),
        "no": ({}, {}, {}),
    },
    "dendrogram": {
        "twenty": top(20),
        "uneven": UNEVEN,
        "two": top(2),
        "the same": top(4, heights=0.0),
        "no": (np.zeros((0, 2), np.int64), np.zeros(0), np.ones((1, 10), np.int64)),
    },
    "feature_map": {
        "digits in space": (IN_SPACE, LABELS, "digits"),
        "flat clusters": (FLAT, CLUSTERS, "clusters"),
        "one place": (0 * IN_SPACE, CLUSTERS, "clusters"),
        "scores": (IN_SPACE, SCORES, "scores"),
        "one score": (IN_SPACE[:1], SCORES[:1], "scores"),
        "no": (IN_SPACE[:0], LABELS[:0], "digits"),
    },
    "few_shot_curves": {
        "one seed": ([1, 5, 10, 50], *shots(1), 0.9),
        "five seeds": ([1, 10, 1_000, "all"], *shots(5), 0.9),
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
        "one": ({"cnn": around(1.0)},),
        "long name": ({LONG: around(0.5), "cnn": around(0.9)},),
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
        "flat": placed(300, 40, 2),
        "in space": placed(300, 40, 3),
        "target alone": placed(0, 40, 2),
        "source alone": placed(40, 0, 3),
        "no": placed(0, 0, 2),
    },
    "placed_panels": {
        "one": ({"cnn": PlacedDigits(*placed(300, 40, 2))},),
        "five": ({name: PlacedDigits(*placed(300, 40, 3)) for name in (*list(MODELS)[:4], LONG)},),
        "target alone": ({"cnn": PlacedDigits(*placed(0, 40, 2))},),
        "no points": ({"cnn": PlacedDigits(*placed(0, 0, 3))},),
        "no": ({},),
    },
    "prediction_grid": {
        "all": (BAD.images[:25], BAD.labels[:25], BAD.probabilities[:25]),
        "no": (BAD.images[:0], BAD.labels[:0], BAD.probabilities[:0]),
    },
    "reliability_diagram": {"many mistakes": (CALIBRATION,)},
    "reliability_panels": {
        "one": ({"cnn": CALIBRATION},),
        "six": (dict.fromkeys((*list(MODELS)[:5], LONG), CALIBRATION),),
        "no": ({},),
    },
    "sample_grid": {"all": (BAD.images[:25], BAD.labels[:25]), "no": (BAD.images[:0], BAD.labels[:0])},
    "search_contour": {
        "thirty": (values(30), parameters(30, 2)),
        "equal": ([0.9] * 12, parameters(12, 2)),
        "no": ([], {}),
    },
    "search_history": {
        "thirty": (list(enumerate(values(30))), [(30, 0.5), (31, 0.9)]),
        "all pruned": ([], [(0, 0.5)]),
        "empty": ([], []),
    },
    "search_importances": {
        "four": ({"units_1": 0.6, "learning_rate": 0.3, "dropout": 0.1, "batch_size": 0.0},),
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
        "one": (shift("cnn"),),
        "all": (shift(*MODELS),),
        "gaps": ({LONG: {"MMD": -1e-7}, "cnn": {"CORAL": 0, "a": nan, "b": 1e9, "target error": 1}},),
        "no": ({"cnn": {}},),
    },
    "trade_off": {"all": (COSTS, "parameters"), "one": ({"cnn": COSTS["cnn"]}, "training time in seconds")},
    "training_curves": {"one epoch": (history(1),), "forty epochs": (history(40),)},
    "transfer_matrix": {
        "one by one": ({"cnn on mnist": {"mnist": around(1.0)}},),
        "all by six": (accuracies(*(f"{name} on mnist" for name in (*MODELS, "usps-lenet"))),),
        "gaps and long names": (
            {LONG: {"mnist": (0.0, nan, nan), LONG: NO_INTERVAL}, "cnn on usps": {"usps": around(1.0)}},
        ),
        "no": ({},),
    },
}


def example(figure: str, case: str, title: str) -> Drawing:
    """Return a figure of example data with a title."""
    return partial(Drawing.of, FIGURES[figure], title=title)(*ARGUMENTS[figure][case])


CASES = [(figure, case) for figure, cases in ARGUMENTS.items() for case in cases]
