"""Reading recorded runs."""

from pathlib import Path

import pytest
from mlflow.utils.mlflow_tags import MLFLOW_SOURCE_NAME as SOURCE

from experiments.errors import DigitsError
from experiments.processes import this_machine
from experiments.results import COLUMNS, Result, to_table
from experiments.tracking import Store, open_run, past_run, past_runs, results_table
from experiments.tracking.past_runs import (
    artifact_json,
    artifact_names,
    artifact_text,
    fetch_artifact,
    metric_history,
    results_frame,
)
from experiments.tracking.tags import RESULTS_VERSION


def test_what_a_run_left_is_found_again(store: Store, tmp_path: Path) -> None:
    with open_run(store, "train", "parent") as parent:
        pass
    with open_run(store, "evaluate", "one", parent=parent.id, tags={"digits.model": "cnn"}) as run:
        run.log_params({"seed": 3})
        for step, value in ((2, 0.5), (1, 0.25), (2, 0.75)):
            run.log_metrics({"accuracy": value}, step=step)
        run.log_json({"a": [1]}, "deep/numbers.json")
        run.log_text("ä\n", "words.md")
    (found,) = past_runs(store, "evaluate")
    assert found == past_run(store, run.id)
    assert (found.id, found.name, found.kind, found.parent) == (run.id, "one", "evaluate", parent.id)
    assert (found.params, found.tags["digits.model"], found.machine) == ({"seed": "3"}, "cnn", this_machine())
    assert found.command.startswith("digits")
    assert metric_history(store, run.id, "accuracy") == {1: 0.25, 2: 0.75}
    assert metric_history(store, run.id, "loss") == {}
    assert artifact_names(store, run.id) == {"deep", "words.md"}
    assert artifact_json(store, run.id, "deep/numbers.json") == {"a": [1]}
    assert artifact_text(store, run.id, "words.md") == "ä\n"
    fetch_artifact(store, run.id, "words.md", tmp_path / "copy.md")
    assert (tmp_path / "copy.md").read_text(encoding="utf-8") == "ä\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["copy.md"]


def test_only_runs_that_ended_well_are_listed_the_latest_first(store: Store) -> None:
    ids = []
    for name in ("first", "second"):
        with open_run(store, "tune", name) as run:
            ids.append(run.id)
    with pytest.raises(ValueError, match="broken"), open_run(store, "tune", "third"):
        raise ValueError("broken")
    with open_run(store, "tune", "fourth"):
        assert [run.id for run in past_runs(store, "tune")] == ids[::-1]
    assert past_runs(store, "transfer") == []


def test_runs_of_any_status_are_found_by_their_tags(store: Store) -> None:
    tags = {"digits.model": "cnn", "digits.study": 'it\'s "one"'}
    with pytest.raises(ValueError, match="broken"), open_run(store, "tune", "failed", tags=tags):
        raise ValueError("broken")
    with open_run(store, "tune", "other", tags={"digits.model": "cnn"}):
        pass
    assert [run.name for run in past_runs(store, "tune", {"digits.model": "cnn"}, finished=False)] == [
        "other",
        "failed",
    ]
    assert [run.name for run in past_runs(store, "tune", tags, finished=False)] == ["failed"]
    assert past_runs(store, "tune", tags) == []


def test_a_table_of_results_is_read_back_with_metrics_beside_it(store: Store) -> None:
    table = to_table([Result("accuracy", 0.1 + 0.2, model="cnn", low=0.2, n=10), Result("seconds", 2, method="shot")])
    with open_run(store, "evaluate", "cnn") as run:
        run.log_results(table)
    assert results_table(store, run.id).equals(table)
    metrics = store.client.get_run(run.id).data.metrics
    assert metrics == {"accuracy": 0.1 + 0.2, "accuracy_low": 0.2, "seconds/shot": 2}


def test_a_run_without_a_table_is_told_with_the_command_that_makes_it_again(store: Store) -> None:
    for source, remedy in (("digits evaluate --model lenet", "digits evaluate --model lenet"), ("", "digits evaluate")):
        with open_run(store, "evaluate", "lenet on mnist", tags={SOURCE: source}) as run:
            run.log_metrics({"accuracy": 0.9})
        with pytest.raises(DigitsError, match=rf"^[^\n]*{run.id}[^\n]*: {remedy}$"):
            results_table(store, run.id)
    with pytest.raises(DigitsError, match="run 0000"):
        results_table(store, "0" * 32)


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "\x00\xff", "damaged"])
def test_results_of_several_runs_are_one_table_but_for_those_that_cannot_be_read(
    store: Store, text: str | None
) -> None:
    ids = []
    for value in (0.5, 0.75, 1.0):
        with open_run(store, "evaluate", f"e{value}") as run:
            run.log_results(to_table([Result("accuracy", value, "cnn"), Result("n", 1)]))
        ids.append(run.id)
    if text is None:
        store.client.delete_tag(run.id, RESULTS_VERSION)
    else:
        run.log_text(text, "results.csv")
    frame, lost = results_frame(store, past_runs(store, "evaluate"))
    assert [one.id for one in lost] == [run.id]
    empty, _ = results_frame(store, [])
    assert list(frame.columns) == list(empty.columns) == [*COLUMNS, "run_id"]
    assert len(empty) == 0
    accuracies = frame[frame["metric"] == "accuracy"]
    assert dict(zip(accuracies["run_id"], accuracies["value"], strict=True)) == {ids[0]: 0.5, ids[1]: 0.75}


def test_what_is_not_there_is_named(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with open_run(store, "train", "one") as run:
        pass
    assert past_run(store, "0" * 32) is None
    with pytest.raises(DigitsError, match=f"gone.txt of run {run.id}"):
        fetch_artifact(store, run.id, "gone.txt", tmp_path / "gone.txt")
    assert capfd.readouterr().err == ""
