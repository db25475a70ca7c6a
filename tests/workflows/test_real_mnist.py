"""The main job on the real MNIST."""

from pathlib import Path

import pytest

from experiments.models import MODELS
from experiments.tracking import Store
from experiments.workflows.evaluate import EvaluateOptions, evaluate
from experiments.workflows.train.run import TrainOptions, train

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.mark.parametrize("model", ["fast", "mlp_small"])
def test_a_network_reaches_the_accuracy_that_is_expected_of_it(store: Store, data_dir: Path, model: str) -> None:
    trained = train(store, TrainOptions(model, data_dir=data_dir))
    measured = evaluate(store, {model: f"runs:/{trained.run_id}"}, EvaluateOptions(data_dir=data_dir)).models[model]
    assert measured["n"] == 10_000
    assert measured["accuracy"] >= (MODELS[model].expected_accuracy or 1)
