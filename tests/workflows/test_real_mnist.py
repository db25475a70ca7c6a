"""The main job on the real MNIST."""

from pathlib import Path

import pytest

from experiments.models import MODELS
from experiments.tracking import Store
from experiments.workflows.evaluate import EvaluateOptions, evaluate
from experiments.workflows.train.run import TrainOptions, train

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.mark.usefixtures("no_figures")
def test_a_network_reaches_the_accuracy_that_is_expected_of_it(store: Store, data_dir: Path) -> None:
    trained = train(store, TrainOptions("fast", data_dir=data_dir))
    models = {"fast": f"runs:/{trained.run_id}"}
    measured = evaluate(store, models, EvaluateOptions(data_dir=data_dir)).models["fast"]
    assert measured["n"] == 10_000
    assert measured["accuracy"] >= (MODELS["fast"].expected_accuracy or 1)
