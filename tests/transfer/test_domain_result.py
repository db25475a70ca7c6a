"""Results of a model in a target domain and under corruptions, and the table that is made of them."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, recall_score

from experiments import results
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.evaluation import measure, wilson_interval
from experiments.results import scalars, to_table, value
from experiments.transfer.alignments import fixed_alignment
from experiments.transfer.domain import Domain
from experiments.transfer.domain_result import (
    AlignmentResult,
    DomainResult,
    confused_pairs,
    method_result,
    reported_alignment,
)
from experiments.transfer.few_shot import FewShot
from experiments.transfer.result_rows import SHIFT, result_rows
from experiments.transfer.robustness import correct_by_corruption, mean_corruption_error
from experiments.transfer.shift import Shift

N = 40
RNG = np.random.default_rng(0)
LABELS = np.tile(np.arange(N) % 9, len(CORRUPTIONS))  # no nines


def predicted(accuracy: float, labels: NDArray[np.int64] = LABELS) -> NDArray[np.float32]:
    """Return probabilities with about this accuracy."""
    wrong = RNG.random(len(labels)) >= accuracy
    return np.eye(10, dtype=np.float32)[np.where(wrong, (labels + 1) % 10, labels)]


IMAGES = np.zeros((len(LABELS), 28, 28), np.uint8)
TARGET = Domain("uci-c", "corrupted", IMAGES, IMAGES, LABELS, len(CORRUPTIONS))
SOURCE = measure(np.arange(200) % 10, predicted(0.9, np.arange(200) % 10))
MOVED = Shift(0.5, 0.01, 0.001, 0.2, 0.01, 1.5, (*(0.1,) * 9, float("nan")), 200)
METHODS = {name: method_result(TARGET, predicted(share), 2.0) for name, share in (("none", 0.6), ("shot", 0.8))}
ALIGNED = tuple(
    AlignmentResult(name, "uci-lenet v1", 0.3, method_result(TARGET, predicted(0.7))) for name in ("resize", "box")
)
FEW = FewShot((5, None), (50, 300), np.array([[0.8, 0.9], [0.95, 0.97]]), np.array([[0.3, 0.4], [0.9, 0.9]]), 0.6)
BASELINE = dict.fromkeys(CORRUPTIONS, 0.5)
RESULT = DomainResult("lenet", "uci-lenet v1", "uci", TARGET, SOURCE, METHODS, ALIGNED, MOVED, FEW, BASELINE)
CORRECT = (METHODS["none"].probabilities.argmax(axis=1) == LABELS).reshape(len(CORRUPTIONS), N)


def test_the_table_has_every_number_and_metrics_short_names() -> None:
    table = to_table(result_rows(RESULT, "uci-lenet v1", 0, {"predictions": 1.0, "map": 3.0, "shot": 9.0}))
    shown = scalars(table)
    predictions = METHODS["none"].probabilities.argmax(axis=1)
    assert shown["accuracy"] == pytest.approx(accuracy_score(LABELS, predictions))
    assert shown["recall/3"] == pytest.approx(recall_score(LABELS, predictions, labels=[3], average="macro"))
    assert shown["accuracy/shot"] == METHODS["shot"].metrics.accuracy  # type: ignore[union-attr]
    assert shown["accuracy/align/box"] == ALIGNED[1].result.metrics.accuracy  # type: ignore[union-attr]
    assert [shown[f"accuracy/{name}"] for name in CORRUPTIONS] == pytest.approx(CORRECT.mean(axis=1))
    assert shown["accuracy/fine_tuned/5"] == pytest.approx(0.85)
    assert shown["accuracy/scratch/all"] == pytest.approx(0.9)
    assert shown["mmd"] == 0.5
    assert shown["class_distance/8"] == 0.1
    assert "class_distance/9" not in shown
    assert (shown["seconds/shot"], shown["seconds/map"]) == (2.0, 3.0)
    assert shown["mean_corruption_error"] == pytest.approx((1 - CORRECT.mean(axis=1)).mean() / 0.5)
    assert {*SHIFT} <= shown.keys()
    assert set(table["model"]) == {"lenet"}
    assert set(table["version"]) == {"uci-lenet v1"}
    assert value(table, "source_accuracy", target="") == SOURCE.accuracy
    assert results.select(table, metric="accuracy", group=[*CORRUPTIONS])["n"].eq(N).all()
    assert results.select(table, metric="recall", group="3")["n"].item() == (LABELS == 3).sum()
    assert results.select(table, metric=["macro_f1", "ece"])["n"].eq(len(LABELS)).all()
    assert results.select(table, metric="accuracy", method="shot")["seed"].item() == 0
    assert set(results.select(table, metric=["entropy_unlabelled", "labelled_images", "seconds"])["split"]) == {""}
    assert results.to_csv(results.from_csv(results.to_csv(table))) == results.to_csv(table)


def test_changes_of_recall_need_a_class_in_both_domains() -> None:
    changes = RESULT.recall_changes
    assert isnan(changes[9])
    predictions = METHODS["none"].probabilities.argmax(axis=1)
    there = recall_score(LABELS, predictions, labels=range(9), average=None)
    assert changes[:9] == pytest.approx(there - [one.recall for one in SOURCE.per_class[:9]])


def test_intervals_account_for_variants_of_the_same_images() -> None:
    metrics = METHODS["none"].metrics
    assert metrics is not None
    low, high = wilson_interval(int(CORRECT.sum()), CORRECT.size)
    same = np.tile(predicted(0.6, LABELS[:N]), (len(CORRUPTIONS), 1))
    dependent = method_result(TARGET, same).metrics
    assert dependent is not None
    assert dependent.accuracy_high - dependent.accuracy_low > 2 * (high - low)
    assert dependent.accuracy_low < dependent.accuracy < dependent.accuracy_high


def test_without_labels_there_is_nothing_that_needs_them() -> None:
    target = replace(TARGET, labels=None)
    methods = {"none": method_result(target, predicted(0.6), 1.0)}
    unlabelled = DomainResult("lenet", "uci-lenet v1", "uci", target, SOURCE, methods, shift=MOVED)
    table = to_table(result_rows(unlabelled, "uci-lenet v1", 0, {}))
    assert value(table, "accuracy") is None
    assert value(table, "entropy") == 0
    assert results.select(table, metric="predicted")["value"].sum() == len(LABELS)
    assert (unlabelled.corruption_accuracies, unlabelled.corruption_error) == ({}, None)
    assert all(isnan(change) for change in unlabelled.recall_changes)
    assert not unlabelled.is_corrupted_source
    assert RESULT.is_corrupted_source


@pytest.mark.parametrize(
    ("measured", "expected"),
    [(["resize", "box", "deskew", "stroke"], "deskew"), (["resize", "frame", "box"], "box"), (["resize"], "resize")],
)
def test_the_reported_alignment_is_fixed_in_advance(measured: list[str], expected: str) -> None:
    assert fixed_alignment(measured) == expected
    assert reported_alignment([replace(ALIGNED[0], alignment=name) for name in measured]).alignment == expected


def test_the_most_frequent_confusions_come_first() -> None:
    confusion = np.diag(np.full(10, 8))
    confusion[4, 9], confusion[7, 1] = 2, 3
    assert confused_pairs(confusion) == [
        {"digit": 7, "taken_for": 1, "count": 3, "share": 3 / 11},
        {"digit": 4, "taken_for": 9, "count": 2, "share": 0.2},
    ]


def test_images_are_divided_among_the_corruptions() -> None:
    labels = np.tile([3, 1, 4, 1], len(CORRUPTIONS))
    predicted = labels.copy()
    predicted[4 * 2 + 1] = 7
    correct = correct_by_corruption(labels, predicted)
    assert list(correct) == list(CORRUPTIONS)
    wrong = [(name, int(i)) for name, one in correct.items() for i in np.flatnonzero(~one)]
    assert wrong == [(list(CORRUPTIONS)[2], 1)]
    with pytest.raises(ValueError, match="59 images"):
        correct_by_corruption(labels[1:], predicted[1:])


def test_the_mean_corruption_error_is_the_mean_ratio_of_errors() -> None:
    # 0.1 / 0.2 and 0.3 / 0.1; a corruption under which the baseline makes no mistake is left out.
    accuracies = {"fog": 0.9, "scale": 0.7}
    assert mean_corruption_error(accuracies, {"fog": 0.8, "scale": 0.9}) == pytest.approx(1.75)
    assert mean_corruption_error(accuracies, {"fog": 0.8, "scale": 1.0}) == pytest.approx(0.5)


@given(st.dictionaries(st.sampled_from(list(CORRUPTIONS)), st.floats(0, 1), min_size=1))
def test_the_baseline_has_an_error_of_one(accuracies: dict[str, float]) -> None:
    error = mean_corruption_error(accuracies, accuracies)
    assert isnan(error) if set(accuracies.values()) == {1.0} else error == pytest.approx(1)
