"""What trainings leave in memory."""

import gc

import numpy as np
import pytest
from small_fits import PLAIN, fit_uci

from experiments.models.prediction import predict
from experiments.training import release_memory


def graphs() -> int:
    return sum(type(held).__name__ == "FuncGraph" for held in gc.get_objects())


@pytest.mark.slow
def test_no_graph_of_a_network_that_is_gone_is_held() -> None:
    release_memory()
    before = graphs()
    for _ in range(2):
        fit_uci(PLAIN.override({"epochs": 1}))
        release_memory()
    assert graphs() == before


@pytest.mark.slow
def test_a_network_that_is_still_there_goes_on_predicting() -> None:
    from experiments import datasets

    digits = datasets.load("uci").test
    kept = fit_uci(PLAIN.override({"epochs": 1})).model
    expected = predict(kept, digits)
    release_memory()
    np.testing.assert_allclose(predict(kept, digits), expected, rtol=1e-5)
