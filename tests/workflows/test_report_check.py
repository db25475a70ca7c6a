"""Comparison of a report with its tracking store."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from run_files import artifacts
from small_stores import ACCURACIES, evaluate, fill, reported, train

from experiments.errors import DigitsError
from experiments.reporting.page.results import results_markdown
from experiments.tracking import Store
from experiments.workflows.report.check import ReportDiffersError, check

pytestmark = pytest.mark.usefixtures("blank_pictures")


def differences(store: Store, file: Path) -> list[str]:
    with pytest.raises(ReportDiffersError) as caught:
        check(store, file)
    return caught.value.differences


@pytest.mark.slow
def test_a_report_of_all_kinds_of_runs_agrees_with_its_store(store: Store, tmp_path: Path) -> None:
    fill(store)
    reported(store, tmp_path)
    agreed = check(store, tmp_path / "results.json")
    assert agreed.numbers > 30
    assert agreed.pictures > 20


def test_a_report_agrees_until_it_or_its_store_changes(store: Store, tmp_path: Path) -> None:
    file, markdown = tmp_path / "results.json", tmp_path / "RESULTS.md"
    cnn, lenet = (train(store, name, accuracy) for name, accuracy in ACCURACIES.items())
    evaluate(store, "cnn", 0.98, cnn)
    reported(store, tmp_path)
    assert check(store, markdown) == replace(check(store, file), file=str(markdown))
    evaluate(store, "cnn", 0.5, cnn)  # runs that ended after the report are not compared
    train(store, "cnn", 0.999)
    assert check(store, file).agrees
    Image.new("L", (40, 30), 255).save(tmp_path / "figures" / "uci-learning.png")
    for other in (tmp_path / "figures").glob("uci-cnn-*"):
        other.unlink()  # only main pictures are published
    (difference,) = differences(store, file)
    assert difference.startswith("figures/uci-learning.png: ")
    (tmp_path / "figures" / "uci-learning.png").unlink()
    markdown.write_text(markdown.read_text().replace("98.00", "99.90"))
    assert any(one.startswith("RESULTS.md, line ") for one in differences(store, markdown))
    markdown.unlink()
    table = artifacts(store, lenet) / "results.csv"
    table.write_text(table.read_text().replace("12.5", "99.0"))
    store.client.log_metric(lenet, "val_accuracy", 0.5, step=2, timestamp=2**42)
    assert differences(store, file) == [
        "networks-uci, lenet, v1, seed 0, seconds: 12.5 here, 99.0 in the store",
        f"uci-lenet, val_accuracy at step 2: {0.95 - 0.1 / 2!r} here, 0.5 in the store",
    ]


def test_a_check_of_another_store_names_the_missing_runs(store: Store, tmp_path: Path) -> None:
    gone, there = train(store, "cnn", 0.9), train(store, "mlp", 0.8)
    reported(store, tmp_path)
    (tmp_path / "RESULTS.md").unlink()
    file = tmp_path / "results.json"
    file.write_text(file.read_text().replace(gone, "0" * 32))
    assert any(f"run {'0' * 32}: " in one for one in differences(store, file))
    file.write_text(file.read_text().replace(there, "1" * 32))
    with pytest.raises(DigitsError, match="none of the 2 runs"):
        check(store, file)


def test_the_description_of_the_runs_is_compared_too(store: Store, tmp_path: Path) -> None:
    evaluate(store, "cnn", 0.9, train(store, "cnn", 0.9))
    found = reported(store, tmp_path).results
    run_id, of_one = next(iter(found["runs"].items()))
    changes: dict[str, dict[str, object]] = {
        "lead": {"lead": found["lead"].replace(" has ", " had ", 1)},
        "title": {"title": "The best digits"},
        "machines": {"machines": ["Abacus, 10 cores"]},
        "seeds": {"seeds": ["42"]},
        f"run {run_id}: commit: 'beef' here": {"runs": {**found["runs"], run_id: {**of_one, "commit": "beef"}}},
    }
    for start, change in changes.items():
        (tmp_path / "RESULTS.md").write_text(results_markdown({**found, **change}))
        (tmp_path / "results.json").write_text(json.dumps({**found, **change}))
        (difference,) = differences(store, tmp_path / "results.json")
        assert difference.startswith(start)


NO_REPORTS = ["", "[]", "{}", '{"format": 1}', '{"format": 2, "tables": [1]}', '{"format": 2, "tables": []}']


@pytest.mark.parametrize("text", [None, *NO_REPORTS])
def test_other_files_cannot_be_checked(store: Store, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "results.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DigitsError, match=r"results\.json"):
        check(store, file)
