"""Malformed predictions are refused with what was received; every public function refuses the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from experiments.evaluation import calibration, compare, measure, misclassified, predictions_table

FUNCTIONS: list[Callable[[Any, Any], object]] = [
    measure,
    calibration,
    misclassified,
    predictions_table,
    lambda labels, probabilities: compare(labels, {"cnn": probabilities}),
]
UNIFORM = np.full((2, 10), 0.1)


def with_value(value: float) -> Any:
    changed = UNIFORM.copy()
    changed[1, 3] = value
    return changed


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], np.empty((0, 10)), r"labels must have shape \(n,\) with n >= 1, received \(0,\)"),
        ([[1, 2]], UNIFORM, r"received \(1, 2\)"),
        ([1.0, 2.0], UNIFORM, "must be integers, received float64"),
        ([1, 10], UNIFORM, r"must lie in 0\.\.9, received 1\.\.10"),
        ([-1, 2], UNIFORM, r"must lie in 0\.\.9, received -1\.\.2"),
        ([1, 2, 3], UNIFORM, r"must have shape \(3, 10\), received \(2, 10\)"),
        ([1, 2], UNIFORM[:, :9], r"must have shape \(2, 10\), received \(2, 9\)"),
        ([1, 2], with_value(np.nan), r"must be finite, received .*nan.* in row 1"),
        ([1, 2], with_value(np.inf), r"must be finite, received .*inf.* in row 1"),
        ([1, 2], with_value(-0.1), r"must lie in \[0, 1\], received -0\.1\.\."),
        ([1, 2], with_value(0.2), r"must sum to 1, received 1\.1 in row 1"),
    ],
)
def test_malformed_predictions_are_refused(
    function: Callable[[Any, Any], object], labels: list[Any], probabilities: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(np.array(labels), probabilities)


@pytest.mark.parametrize("labels_type", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("probabilities_type", [np.float16, np.float32, np.float64])
def test_every_integer_and_float_type_is_taken(labels_type: type, probabilities_type: type) -> None:
    probabilities: Any = np.eye(10)[[3, 4]].astype(probabilities_type)
    assert measure(np.array([3, 5], labels_type), probabilities).accuracy == 0.5
