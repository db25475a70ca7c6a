"""The networks for the best accuracy, small ones in their place."""

import pytest

from experiments.errors import UsageError
from experiments.models import MODELS
from experiments.tracking import Store
from experiments.workflows.record import RECORD, Members, RecordOptions, record

pytestmark = pytest.mark.usefixtures("no_figures")

SMALL = {"epochs": 1, "batch_size": 64, "precision": "float32"}
OPTIONS = RecordOptions((Members("mlp_small", (0, 3), SMALL), Members("lenet", (1,), SMALL)), "uci")


def test_members_are_trained_then_measured_alone_and_together(store: Store) -> None:
    result = record(store, OPTIONS)
    names = ["train mlp_small seed 0", "train mlp_small seed 3", "train lenet seed 1", "evaluate"]
    assert [(step.name, step.status) for step in result.steps] == [(name, "done") for name in names]
    assert [(step.result or {})["seed"] for step in result.steps[:3]] == [0, 3, 1]
    measured = (result.steps[3].result or {})["models"]
    versions = ["models:/uci-mlp_small/1", "models:/uci-mlp_small/2", "models:/uci-lenet/1"]
    assert list(measured) == [*versions, "ensemble"]
    assert measured["ensemble"]["members"] == versions
    comparison = store.client.get_run(str(result.steps[3].run_id))
    assert comparison.data.tags["mlflow.parentRunId"] == result.run_id


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((), "two trainings or more"),
        ((Members("lenet", (0,)),), "two trainings or more"),
        ((Members("lenet", (0, 0)),), "each once"),
        ((Members("lenet", (0,)), Members("lenet", (0,))), "each once"),
        ((Members("lenet", (0, 1), {"colour": "red"}),), "there is no setting 'colour'"),
    ],
)
def test_what_makes_no_ensemble_is_refused_before_it_begins(members: tuple[Members, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RecordOptions(members)


def test_the_record_is_tried_by_different_networks_in_their_own_recipes() -> None:
    assert len({one.model for one in RECORD}) >= 3
    assert all(one.model in MODELS and not one.settings for one in RECORD)
    assert len(RecordOptions().plans) == sum(len(one.seeds) for one in RECORD)
