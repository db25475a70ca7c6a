"""A report's page: its structure and its text."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from html_pages import Elements
from small_reports import small_report, source, table

from experiments.reporting.page.content import Block, ReportSection
from experiments.reporting.page.page import facts, report_page

PAGE = report_page(small_report())


@pytest.fixture(scope="module")
def page() -> Elements:
    return Elements(PAGE)


def test_nothing_from_a_run_becomes_markup_and_pictures_have_their_size_and_a_text(page: Elements) -> None:
    assert page.open == []
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 10
    pictures = [image for image in page.all("img") if "src" in image]
    assert [(image["src"], image["width"], image["height"]) for image in pictures] == [
        (f"figures/{name}.webp", width, "300")
        for name, width in {"narrow": "400", "wide": "1200", "folded": "500"}.items()
    ]
    assert all(image["alt"] and image["loading"] == "lazy" for image in pictures)


def test_links_have_a_target_in_the_report_and_the_contents_name_the_sections_in_order(page: Elements) -> None:
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    links = [str(link["href"]) for link in page.all("a") if "href" in link]
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert not [link for link in links if "//" in link]
    sections = [str(section["id"]) for section in page.all("section")]
    assert sections == ["networks", "pictures", "searches", "reproduce"]
    assert [link for link in links if link[1:] in sections] == [f"#{name}" for name in sections]


def test_headings_go_down_by_one_level(page: Elements) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(below - above for above, below in pairwise(levels)) == 1


def test_each_picture_links_to_its_runs_and_commands_are_only_in_their_table() -> None:
    narrow, wide, _ = re.findall(r"<figure.*?</figure>", PAGE, re.DOTALL)
    assert re.findall(r'href="#run-(\w+)"', narrow) == ["one"]
    assert re.findall(r'href="#run-(\w+)"', wide) == ["one", "two"]
    before, table_of_runs = PAGE.split('<section id="reproduce"')
    assert "digits train &lt;" not in before
    assert table_of_runs.count("digits train &lt;") == 2


def test_an_empty_section_names_the_command_that_fills_it() -> None:
    assert "<code>digits tune " in report_page(replace(small_report(), sections=small_report().sections[2:]))


def test_facts_are_short() -> None:
    found = facts(small_report())
    assert (found["Code of the report"], found["Code of the runs"]) == ("dddddddd-dirty", "cccccccc")
    many = {f"run{i}": replace(source(f"run{i}"), commit=f"{i}" * 40, machine=f"machine {i}") for i in range(4)}
    found = facts(replace(small_report(), sources=many))
    assert (found["Code of the runs"], found["Machine"]) == ("4 commits", "4 machines")
    assert "Left out" not in found


def test_a_large_report_is_a_small_page() -> None:
    """A report of 70 runs, 100 pictures, of which some are of many runs, and 10 tables of 11 columns."""
    runs = [f"{run:032x}" for run in range(70)]
    (picture, *_) = small_report().pictures
    pictures = tuple(
        replace(
            picture, caption="misclassified", alt="", run_ids=tuple(runs[:20] if i % 20 == 0 else runs[i % 70 :][:1])
        )
        for i in range(100)
    )
    tables = tuple(table(11, f"networks-{i}", f"Networks {i}") for i in range(10))
    section = ReportSection("all", "All", "", "", (Block(tables=tables), Block(pictures=pictures)))
    sources = {run_id: replace(source(run_id), machine="") for run_id in [*runs, "one", "two"]}
    page = report_page(replace(small_report(), sections=(section,), sources=sources))
    assert len(page) < 300_000
    assert page == report_page(replace(small_report(), sections=(section,), sources=sources))
