"""Comparison of a report with its tracking store."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from small_stores import artifacts, evaluate, fill, results, train

from experiments.errors import DigitsError
from experiments.reporting.page.results import results_markdown
from experiments.tracking import Store
from experiments.workflows.report.check import ReportDiffersError, check
from experiments.workflows.report.run import report

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_a_report_agrees_with_its_store_until_one_changes(store: Store, tmp_path: Path) -> None:
    trainings = fill(store)
    report(store, tmp_path)
    agreed = check(store, tmp_path / "results.json")
    assert agreed.numbers > 30
    assert agreed.pictures > 20
    assert check(store, tmp_path / "RESULTS.md") == replace(agreed, file=str(tmp_path / "RESULTS.md"))
    text = (tmp_path / "RESULTS.md").read_text()
    (tmp_path / "RESULTS.md").write_text(text.replace("98.00", "99.90"))
    with pytest.raises(ReportDiffersError, match=r"RESULTS\.md, line \d+: differs from results\.json"):
        check(store, tmp_path / "RESULTS.md")
    (tmp_path / "RESULTS.md").unlink()
    table = artifacts(store, trainings["lenet"]) / "results.csv"
    table.write_text(table.read_text().replace("12.5", "99.0"))
    store.client.log_metric(trainings["lenet"], "val_accuracy", 0.5, step=2, timestamp=2**42)
    with pytest.raises(ReportDiffersError) as differs:
        check(store, tmp_path / "results.json")
    assert differs.value.differences == [
        "networks-uci, lenet, v1, seed 0, seconds: 12.5 here, 99.0 in the store",
        f"uci-lenet, val_accuracy at step 2: {0.95 - 0.1 / 2!r} here, 0.5 in the store",
    ]


def test_runs_that_ended_after_the_report_are_not_compared(store: Store, tmp_path: Path) -> None:
    trainings = fill(store)
    report(store, tmp_path)
    time.sleep(0.01)
    evaluate(store, "cnn", 0.5, trainings["cnn"])
    train(store, "cnn", 0.999)
    assert check(store, tmp_path / "results.json").agrees


def test_a_picture_that_the_data_do_not_show_is_named(store: Store, tmp_path: Path) -> None:
    fill(store)
    report(store, tmp_path)
    Image.new("L", (40, 30), 255).save(tmp_path / "figures" / "uci-learning.png")
    (tmp_path / "figures" / "transfer-matrix.png").unlink()  # only main pictures are published
    with pytest.raises(ReportDiffersError) as differs:
        check(store, tmp_path / "results.json")
    assert differs.value.differences == ["figures/uci-learning.png: differs from what the store's data show"]


def test_a_check_of_another_store_names_the_missing_runs(store: Store, tmp_path: Path) -> None:
    gone, there = train(store, "cnn", 0.9), train(store, "mlp", 0.8)
    report(store, tmp_path)
    (tmp_path / "RESULTS.md").unlink()
    place = tmp_path / "results.json"
    place.write_text(place.read_text().replace(gone, "0" * 32))
    with pytest.raises(ReportDiffersError, match=f"run {'0' * 32}: .* is not in the store"):
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
        "commit: 'beef' here": {**reported, "runs": {**reported["runs"], run_id: {**of_one, "commit": "beef"}}},
    }
    for words, other in changed.items():
        (tmp_path / "RESULTS.md").write_text(results_markdown(other))
        place.write_text(json.dumps(other))
        with pytest.raises(ReportDiffersError, match=words) as caught:
            check(store, place)
        assert len(caught.value.differences) == 1


NO_REPORTS = ["", "[]", "{}", '{"format": 1}', '{"format": 2, "tables": [1]}', '{"format": 2, "tables": []}']


@pytest.mark.parametrize("text", NO_REPORTS)
def test_other_files_cannot_be_checked(store: Store, tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    with pytest.raises(DigitsError, match="cannot read"):
        check(store, file)
    file.write_text(text)
    with pytest.raises(DigitsError, match=r"not the results\.json of a report|has format 1"):
        check(store, file)
