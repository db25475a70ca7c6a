"""Rows of the results table for one model in one target domain."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from experiments import results
from experiments.datasets import CLASSES
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.results import ALIGN, SOURCE_ONLY, Result
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.domain_result import DomainResult
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


def result_rows(result: DomainResult, version: str, seed: int, stage_seconds: Mapping[str, float]) -> Iterator[Result]:
    """Yield all numbers of a model in a target domain.

    Parameters
    ----------
    version
        Registered version of the model, or the path of its file.
    seed
        Seed of the adaptations.
    stage_seconds
        Wall time of the stages of the computation.
    """
    model = {"model": result.label, "version": version, "source": result.source}
    about: dict[str, Any] = {**model, "target": result.target.name}
    # Without target: a second one in the table would become part of the names in MLflow.
    accuracy = result.source_metrics.results(**model, split="test")[0]
    yield replace(accuracy, metric=results.SOURCE_ACCURACY)
    for method, found in result.methods.items():
        own = {**about, "method": method, "seed": seed if method in ADAPTATIONS else None}
        metrics = found.metrics.results(**own, split="test") if found.metrics else []
        yield from (row for row in metrics if method == SOURCE_ONLY or not row.group)
        yield Result(results.SECONDS, found.seconds, **own)
        n = len(found.probabilities)
        yield Result(results.ENTROPY, mean_entropy(found.probabilities), **own, split="test", n=n)
    yield from _source_only_rows(about, result)
    for one in result.alignments:
        own = {**about, "method": ALIGN, "version": version if one.model == result.model else one.model}
        metrics = one.result.metrics.results(**own, split="test") if one.result.metrics else []
        yield from (replace(row, group=one.alignment) for row in metrics if not row.group)
        yield Result(ENTROPY_UNLABELLED, one.entropy, **own, group=one.alignment)
    if result.few_shot:
        yield from _few_shot_rows(about, result.few_shot)
    for stage, seconds in stage_seconds.items():
        if stage not in result.methods:
            yield Result(results.SECONDS, seconds, **about, group=stage)


def _source_only_rows(about: Mapping[str, Any], result: DomainResult) -> Iterator[Result]:
    """Yield the results that only the unadapted model has."""
    row: Any = partial(Result, **about, method=SOURCE_ONLY, split="test")
    plain = result.source_only
    counts = np.bincount(plain.probabilities.argmax(axis=1), minlength=CLASSES)
    yield from (row(PREDICTED, count, group=str(digit)) for digit, count in enumerate(counts.tolist()))
    if plain.metrics:
        yield from (row(RECALL_CHANGE, x, group=str(digit)) for digit, x in enumerate(result.recall_changes))
    n = len(plain.probabilities) // len(CORRUPTIONS)
    for corruption, accuracy in result.corruption_accuracies.items():
        yield row(results.ACCURACY, accuracy, group=corruption, n=n)
    for corruption, accuracy in result.baseline.items():
        yield row(BASELINE_ACCURACY, accuracy, group=corruption, n=n)
    if (error := result.corruption_error) is not None:
        yield row(results.MEAN_CORRUPTION_ERROR, error)
    if result.shift:
        yield from (row(name, getattr(result.shift, name)) for name in SHIFT)
        distances = enumerate(result.shift.class_distances)
        yield from (row(CLASS_DISTANCE, distance, group=str(digit)) for digit, distance in distances)


def _few_shot_rows(about: Mapping[str, Any], few_shot: FewShot) -> Iterator[Result]:
    for i, per_class in enumerate(few_shot.per_class):
        row: Any = partial(Result, **about, group=str(per_class or ALL))
        yield row(LABELLED_IMAGES, few_shot.images[i], method=FINE_TUNED)
        for method, accuracies in ((FINE_TUNED, few_shot.fine_tuned), (SCRATCH, few_shot.scratch)):
            for seed, accuracy in enumerate(accuracies[i].tolist()):
                yield row(results.ACCURACY, accuracy, method=method, seed=seed, split="test")
