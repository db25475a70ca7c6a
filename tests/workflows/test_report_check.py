"""Comparison of a report with its tracking store."""

import json
from pathlib import Path

import pytest
from small_stores import fill, results, train

from experiments.errors import DigitsError
from experiments.reporting.page.results import results_markdown
from experiments.tracking import Store
from experiments.workflows.report.check import ReportDiffersError, check
from experiments.workflows.report.run import report


def test_a_report_agrees_with_its_store_until_one_changes(store: Store, tmp_path: Path) -> None:
    trainings = fill(store)
    report(store, tmp_path)
    agreed = check(store, tmp_path / "results.json")
    assert agreed.numbers > 30
    assert check(store, tmp_path / "RESULTS.md").numbers == agreed.numbers
    text = (tmp_path / "RESULTS.md").read_text()
    (tmp_path / "RESULTS.md").write_text(text.replace("98.00", "99.90"))
    with pytest.raises(ReportDiffersError, match=r"RESULTS\.md, line \d+: differs from results\.json"):
        check(store, tmp_path / "RESULTS.md")
    (tmp_path / "RESULTS.md").unlink()
    store.client.log_metric(trainings["lenet"], "train_seconds", 99.0, step=1)
    store.client.log_metric(trainings["lenet"], "val_accuracy", 0.5, step=2, timestamp=2**42)
    with pytest.raises(ReportDiffersError) as differs:
        check(store, tmp_path / "results.json")
    first, second = differs.value.differences
    assert first == f"networks-uci, lenet, seconds: 12.5 here, 99.0 in run {trainings['lenet']}"
    assert second == f"uci-lenet, val_accuracy at step 2: not that of run {trainings['lenet']}"


def test_a_check_of_another_store_names_the_missing_runs(store: Store, tmp_path: Path) -> None:
    gone, there = train(store, "cnn", 0.9), train(store, "mlp", 0.8)
    report(store, tmp_path)
    (tmp_path / "RESULTS.md").unlink()
    place = tmp_path / "results.json"
    place.write_text(place.read_text().replace(gone, "0" * 32))
    with pytest.raises(ReportDiffersError, match=f"there is no run {'0' * 32}"):
        check(store, place)
    place.write_text(place.read_text().replace(there, "1" * 32))
    with pytest.raises(DigitsError, match=r"none of the 2 runs of .* is in the tracking store"):
        check(store, place)


def test_the_description_of_the_runs_is_compared_too(store: Store, tmp_path: Path) -> None:
    fill(store)
    report(store, tmp_path)
    place = tmp_path / "results.json"
    reported, lead = results(tmp_path), results(tmp_path)["lead"]
    run_id, of_one = next(iter(reported["runs"].items()))
    changed = {
        "lead": {**reported, "lead": lead.replace(" has ", " had ", 1)},
        "title": {**reported, "title": "The best digits"},
        "machines": {**reported, "machines": ["Abacus, 10 cores"]},
        "seeds": {**reported, "seeds": ["42"]},
        "commit is 'beef' here": {**reported, "runs": {**reported["runs"], run_id: {**of_one, "commit": "beef"}}},
    }
    for words, other in changed.items():
        (tmp_path / "RESULTS.md").write_text(results_markdown(other))
        place.write_text(json.dumps(other))
        with pytest.raises(ReportDiffersError, match=words) as caught:
            check(store, place)
        assert len(caught.value.differences) == 1


NO_REPORTS = ["", "[]", "{}", '{"format": 0}', '{"format": 1, "tables": [1]}', '{"format": 1, "tables": []}']


@pytest.mark.parametrize("text", NO_REPORTS)
def test_other_files_cannot_be_checked(store: Store, tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    with pytest.raises(DigitsError, match="cannot read"):
        check(store, file)
    file.write_text(text)
    with pytest.raises(DigitsError, match=r"not the results\.json of a report|has format 0"):
        check(store, file)
