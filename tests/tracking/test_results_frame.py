"""Results of several runs as one table."""

import pytest

from experiments.results import COLUMNS, Result, to_table
from experiments.tracking import Store, open_run, past_runs
from experiments.tracking.past_runs import results_frame
from experiments.tracking.tags import RESULTS_VERSION


def test_every_row_has_its_run(store: Store) -> None:
    ids = []
    for value in (0.5, 0.75):
        with open_run(store, "evaluate", "e") as run:
            run.log_results(to_table([Result("accuracy", value, "cnn"), Result("n", 1)]))
        ids.append(run.id)
    frame, lost = results_frame(store, past_runs(store, "evaluate"))
    assert lost == ()
    assert list(frame.columns) == [*COLUMNS, "run_id"]
    accuracies = frame[frame["metric"] == "accuracy"]
    assert dict(zip(accuracies["run_id"], accuracies["value"], strict=True)) == dict(zip(ids, (0.5, 0.75), strict=True))


def test_no_runs_make_an_empty_table(store: Store) -> None:
    frame, _ = results_frame(store, [])
    assert (len(frame), list(frame.columns)) == (0, [*COLUMNS, "run_id"])


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "\x00\xff", "damaged"])
def test_runs_without_a_readable_table_are_returned(store: Store, text: str | None) -> None:
    for value in (0.5, 0.75):
        with open_run(store, "evaluate", f"e{value}") as run:
            run.log_results(to_table([Result("accuracy", value)]))
    if text is None:
        store.client.delete_tag(run.id, RESULTS_VERSION)
    else:
        run.log_text(text, "results.csv")
    frame, lost = results_frame(store, past_runs(store, "evaluate"))
    assert [one.id for one in lost] == [run.id]
    assert frame["value"].tolist() == [0.5]
