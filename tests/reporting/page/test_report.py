"""A report's page, its numbers for programs, and its Markdown."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from small_reports import ACCURACY, HOSTILE, row, small_report, table

from experiments.reporting.page.content import Row, Table, Unit
from experiments.reporting.page.formatting import best_rows, number_text
from experiments.reporting.page.lead import report_lead
from experiments.reporting.page.page import report_page
from experiments.reporting.page.results import report_results, results_markdown

VOID = {"meta", "link", "img", "br"}


class Structure(HTMLParser):
    """Remembers elements and their attributes, and what is left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_nothing_from_a_run_becomes_markup() -> None:
    page = Structure(report_page(small_report()))
    assert page.open == []
    assert len(page.all("script")) == 1
    assert {image["src"] for image in page.all("img")} == {"figures/narrow.png", "figures/wide.png"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 10


def test_a_page_can_be_read_without_seeing_it() -> None:
    page = Structure(report_page(small_report()))
    assert all(image["alt"] and image["width"] and image["height"] for image in page.all("img"))
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))
    regions = [one for one in page.all("div") if one.get("role") == "region"]
    assert regions
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = [str(link["href"]) for link in page.all("a")]
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert not [link for link in links if "//" in link]


def test_an_empty_section_names_the_command_that_fills_it() -> None:
    page = report_page(replace(small_report(), sections=small_report().sections[2:]))
    assert "No runs for this yet." in page
    assert "<code>digits tune " in page


def test_the_same_report_makes_the_same_page() -> None:
    assert report_page(small_report()) == report_page(small_report())


def test_each_picture_tells_its_runs() -> None:
    figures = re.findall(r"<figure.*?</figure>", report_page(small_report()), re.DOTALL)
    assert len(figures) == 3
    assert all("digits train" in figure and "cccccccccccc" in figure for figure in figures)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.97770195, "share", "97.77"),
        (1.0, "share", "100.00"),
        (24_733_898, "count", "24,733,898"),
        (1.0054, "number", "1.005"),
        (0.04, "seconds", "0.0 s"),
        (59.6, "seconds", "60 s"),
        (3420, "seconds", "57 min"),
        (7200, "seconds", "2.0 h"),
        (0.4567, "milliseconds", "0.46"),
        (45.67, "milliseconds", "45.7"),
        (1234.5, "milliseconds", "1,234"),
        (432_109, "bytes", "0.43"),
        (98_976_543, "bytes", "99.0"),
        (233_000_000, "bytes", "233"),
    ],
)
def test_numbers_are_written_as_they_are_read(value: float, unit: Unit, text: str) -> None:
    assert number_text(value, unit) == text


def test_the_best_is_marked_where_there_is_one() -> None:
    given = table()
    assert [one.name for one in best_rows(given, ACCURACY)] == ["cnn"]
    assert [one.name for one in best_rows(given, given.columns[1])] == ["lenet"]
    equal = replace(given, rows=(row("cnn", 1, 0.9), row("lenet", 1, 0.9)))
    assert best_rows(equal, ACCURACY) == []
    assert best_rows(given, replace(ACCURACY, better="")) == []


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
