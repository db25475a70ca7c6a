"""Runs that have ended, read back."""

from pathlib import Path

import pytest

from experiments.errors import DigitsError
from experiments.processes import this_machine
from experiments.tracking import (
    Store,
    artifact_json,
    artifact_names,
    artifact_text,
    fetch_artifact,
    metric_history,
    open_run,
    past_run,
    past_runs,
)


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


def test_what_is_not_there_is_named(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with open_run(store, "train", "one") as run:
        pass
    assert past_run(store, "0" * 32) is None
    with pytest.raises(DigitsError, match=f"gone.txt of run {run.id} is gone from the store"):
        fetch_artifact(store, run.id, "gone.txt", tmp_path / "gone.txt")
    assert capfd.readouterr().err == ""
