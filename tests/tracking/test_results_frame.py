"""Results of several runs as one table."""

import pytest

from experiments.errors import DigitsError
from experiments.results import COLUMNS, Result, to_table
from experiments.tracking import Store, open_run, past_runs
from experiments.tracking.past_runs import results_frame


def test_every_row_has_its_run(store: Store) -> None:
    ids = []
    for value in (0.5, 0.75):
        with open_run(store, "evaluate", "e") as run:
            run.log_results(to_table([Result("accuracy", value, "cnn"), Result("n", 1)]))
        ids.append(run.id)
    frame = results_frame(store, past_runs(store, "evaluate"))
    assert list(frame.columns) == [*COLUMNS, "run_id"]
    accuracies = frame[frame["metric"] == "accuracy"]
    assert dict(zip(accuracies["run_id"], accuracies["value"], strict=True)) == dict(zip(ids, (0.5, 0.75), strict=True))


def test_no_runs_make_an_empty_table(store: Store) -> None:
    frame = results_frame(store, [])
    assert (len(frame), list(frame.columns)) == (0, [*COLUMNS, "run_id"])


def test_a_run_without_a_table_is_named_with_its_command(store: Store) -> None:
    with open_run(store, "evaluate", "e", tags={"mlflow.source.name": "digits evaluate --model cnn"}):
        pass
    with pytest.raises(DigitsError, match=r"too old: .* make it again with: digits evaluate --model cnn"):
        results_frame(store, past_runs(store, "evaluate"))
