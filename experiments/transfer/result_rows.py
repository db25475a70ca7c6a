"""Rows of the results table for one model in one target domain."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from experiments import results
from experiments.datasets import CLASSES
from experiments.evaluation import Metrics
from experiments.results import ALIGN, SOURCE_ONLY, Result
from experiments.transfer.domain_result import DomainResult, MethodResult
from experiments.transfer.few_shot import FewShot
from experiments.transfer.predictions import mean_entropy
from experiments.transfer.shift import Shift

BASELINE_ACCURACY = "baseline_accuracy"
RECALL_CHANGE = "recall_change"
PREDICTED = "predicted"  # images predicted as a class
CLASS_DISTANCE = "class_distance"
ENTROPY_UNLABELLED = "entropy_unlabelled"
LABELLED_IMAGES = "labelled_images"
FINE_TUNED, SCRATCH = "fine_tuned", "scratch"
ALL = "all"
SHIFT = tuple(field.name for field in fields(Shift) if field.name != "class_distances")
_NOT_METRICS = ("n", "accuracy", "accuracy_low", "accuracy_high")


def result_rows(result: DomainResult, stage_seconds: Mapping[str, float]) -> Iterator[Result]:
    """Yield all numbers of a model in a target domain.

    Parameters
    ----------
    stage_seconds
        Wall time of the stages of the computation.
    """
    about = partial(Result, model=result.label, source=result.source, target=result.target.name, split="test")
    row: Any = partial(about, version=result.model)
    source = result.source_metrics
    yield row(results.SOURCE_ACCURACY, source.accuracy, low=source.accuracy_low, high=source.accuracy_high, n=source.n)
    for method, found in result.methods.items():
        yield from _method_rows(partial(row, method=method), found)
        yield row(results.SECONDS, found.seconds, method=method)
        yield row(results.ENTROPY, mean_entropy(found.probabilities), method=method, n=len(found.probabilities))
    yield from _source_only_rows(row, result)
    for one in result.alignments:
        aligned: Any = partial(about, version=one.model, method=ALIGN, group=one.alignment)
        yield from _method_rows(aligned, one.result)
        yield aligned(ENTROPY_UNLABELLED, one.entropy)
    if result.few_shot:
        yield from _few_shot_rows(row, result.few_shot)
    for stage, seconds in stage_seconds.items():
        if stage not in result.methods:
            yield row(results.SECONDS, seconds, group=stage)


def _method_rows(row: Any, result: MethodResult) -> Iterator[Result]:
    if result.metrics:
        metrics = result.metrics
        yield row(results.ACCURACY, metrics.accuracy, low=metrics.accuracy_low, high=metrics.accuracy_high, n=metrics.n)
        for name, value in vars(metrics).items():
            if isinstance(value, int | float) and name not in _NOT_METRICS:
                yield row(name, value)


def _source_only_rows(row: Any, result: DomainResult) -> Iterator[Result]:
    row = partial(row, method=SOURCE_ONLY)
    plain = result.source_only
    counts = np.bincount(plain.probabilities.argmax(axis=1), minlength=CLASSES)
    yield from (row(PREDICTED, count, group=str(digit)) for digit, count in enumerate(counts.tolist()))
    if plain.metrics:
        yield from _class_rows(row, plain.metrics)
        yield from (row(RECALL_CHANGE, x, group=str(digit)) for digit, x in enumerate(result.recall_changes))
    for corruption, accuracy in result.corruption_accuracies.items():
        yield row(results.ACCURACY, accuracy, group=corruption)
    for corruption, accuracy in result.baseline.items():
        yield row(BASELINE_ACCURACY, accuracy, group=corruption)
    if (error := result.corruption_error) is not None:
        yield row(results.MEAN_CORRUPTION_ERROR, error)
    if result.shift:
        yield from (row(name, getattr(result.shift, name)) for name in SHIFT)
        distances = enumerate(result.shift.class_distances)
        yield from (row(CLASS_DISTANCE, distance, group=str(digit)) for digit, distance in distances)


def _class_rows(row: Any, metrics: Metrics) -> Iterator[Result]:
    for one in metrics.per_class:
        for name in ("precision", "recall", "f1", "support"):
            yield row(name, getattr(one, name), group=str(one.digit))


def _few_shot_rows(row: Any, few_shot: FewShot) -> Iterator[Result]:
    for i, per_class in enumerate(few_shot.per_class):
        group = str(per_class or ALL)
        yield row(LABELLED_IMAGES, few_shot.images[i], method=FINE_TUNED, group=group)
        for method, accuracies in ((FINE_TUNED, few_shot.fine_tuned), (SCRATCH, few_shot.scratch)):
            for seed, accuracy in enumerate(accuracies[i].tolist()):
                yield row(results.ACCURACY, accuracy, method=method, group=group, seed=seed)
