"""The numbers of a report for programs, and its Markdown."""

import json

import pytest
from small_reports import ACCURACY, HOSTILE, row, small_report

from experiments.reporting.page.content import Row, Table
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
    assert only["rows"][0]["numbers"]["accuracy"] == {"value": 0.98, "run_id": "two", "metric": "accuracy"}
    assert results["curves"][0]["values"] == {1: 0.5, 2: 0.75}
    assert set(results["runs"]) == {"one", "two"}
    assert results["seeds"] == ["0"]
    assert HOSTILE in results["machines"]


@pytest.mark.parametrize(
    ("ensembles", "told"),
    [
        ([], ""),
        ([row("12 networks", 1, 0.9976)], " An ensemble of 12 networks has 99.76 %."),
        (
            [row("12 networks", 1, 0.9976), row("3 networks", 1, 0.99)],
            " The best of 2 ensembles, of 12 networks, has 99.76 %.",
        ),
    ],
)
def test_the_lead_describes_the_best_ensemble(ensembles: list[Row], told: str) -> None:
    networks = Table("networks-uci", "", (ACCURACY,), (row("cnn", 1, 0.98),))
    together = [Table("ensembles-uci", "", (ACCURACY,), tuple(ensembles))] if ensembles else []
    alone = "cnn has 98.00 % accuracy on the uci test digits (95 % interval 97.00 to 99.00)."
    assert report_lead([networks, *together]) == alone + told
