"""The numbers of a report for programs, and its Markdown."""

import json

import pytest
from small_reports import ACCURACY, HOSTILE, measured, small_report, table_of

from experiments.reporting.page.lead import report_lead
from experiments.reporting.page.results import report_results, results_markdown


def test_the_markdown_is_made_of_the_numbers_alone() -> None:
    results = report_results(small_report())
    again = json.loads(json.dumps(results))
    assert results_markdown(again) == results_markdown(results)
    text = results_markdown(results)
    assert "**98.00** (97.00 to 99.00)" in text
    assert "![" in text
    assert "](figures/wide.png)" in text
    assert "2.0 h" in text


def test_every_number_of_the_page_is_in_the_results_with_its_run() -> None:
    results = report_results(small_report())
    (only,) = results["tables"]
    (cell,) = (one for one in only["cells"] if (one["network"], one["column"]) == ("cnn", "accuracy"))
    shown = {"network": "cnn", "detail": f"v1 {HOSTILE}", "column": "accuracy", "run_id": "two"}
    assert cell == {**shown, "model": "cnn", "metric": "accuracy", "value": 0.98, "low": 0.97, "high": 0.99}
    assert results["curves"][0]["values"] == {1: 0.5, 2: 0.75}
    assert set(results["runs"]) == {"one", "two"}
    assert results["seeds"] == ["0"]
    assert HOSTILE in results["machines"]


@pytest.mark.parametrize(
    ("ensembles", "told"),
    [
        ({}, ""),
        ({"12 networks": 0.9976}, " An ensemble of 12 networks has 99.76 % accuracy on the uci test digits."),
        (
            {"12 networks": 0.9976, "3 networks": 0.98},
            " The best of 2 ensembles, of 12 networks, has 99.76 % accuracy on the uci test digits.",
        ),
    ],
)
def test_the_lead_describes_the_best_ensemble(ensembles: dict[str, float], told: str) -> None:
    tables = [
        table_of(
            f"{kind}-uci", "", (ACCURACY,), [(name, "accuracy", "r", measured(value)) for name, value in rows.items()]
        )
        for kind, rows in {"networks": {"cnn": 0.98}, "ensembles": ensembles}.items()
        if rows
    ]
    alone = "cnn has 98.00 % accuracy on the uci test digits (95 % interval 97.00 to 99.00)."
    assert report_lead(tables) == alone + told
