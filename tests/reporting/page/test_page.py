"""A report's page: its structure and its text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

from small_reports import small_report, source, table

from experiments.reporting.page.content import Block, Picture, Report, ReportSection
from experiments.reporting.page.page import facts, report_page

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

    @property
    def links(self) -> list[str]:
        return [str(link["href"]) for link in self.all("a") if "href" in link]


def test_nothing_from_a_run_becomes_markup() -> None:
    page = Structure(report_page(small_report()))
    assert page.open == []
    assert len(page.all("script")) == 1
    previews = {f"figures/{name}.webp" for name in ("narrow", "wide", "folded")}
    assert {image["src"] for image in page.all("img") if "src" in image} == previews
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 10


def test_pictures_have_their_size_and_a_text() -> None:
    pictures = [image for image in Structure(report_page(small_report())).all("img") if "src" in image]
    assert [(image["width"], image["height"]) for image in pictures] == [
        ("400", "300"),
        ("1200", "300"),
        ("500", "300"),
    ]
    assert all(image["alt"] and image["loading"] == "lazy" for image in pictures)


def test_links_within_the_page_have_a_target_and_none_leaves_the_report() -> None:
    page = Structure(report_page(small_report()))
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(ids)
    assert not [link for link in page.links if "//" in link]


def test_headings_go_down_by_one_level() -> None:
    page = Structure(report_page(small_report()))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(below - above for above, below in pairwise(levels)) == 1


def test_each_picture_links_to_its_runs_and_commands_are_only_in_their_table() -> None:
    page = report_page(small_report())
    narrow, wide, _ = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert re.findall(r'href="#run-(\w+)"', narrow) == ["one"]
    assert re.findall(r'href="#run-(\w+)"', wide) == ["one", "two"]
    before, table_of_runs = page.split('<section id="reproduce"')
    assert "digits train &lt;" not in before
    assert table_of_runs.count("digits train &lt;") == 2


def test_sections_come_in_the_order_of_the_report_and_the_contents_name_them() -> None:
    page = Structure(report_page(small_report()))
    sections = [str(section["id"]) for section in page.all("section")]
    assert sections == ["networks", "pictures", "searches", "reproduce"]
    assert [link for link in page.links if link[1:] in sections] == [f"#{name}" for name in sections]


def test_an_empty_section_names_the_command_that_fills_it() -> None:
    page = report_page(replace(small_report(), sections=small_report().sections[2:]))
    assert "Nothing here yet." in page
    assert "<code>digits tune " in page


def test_facts_are_short() -> None:
    found = facts(small_report())
    assert (found["Code of the report"], found["Code of the runs"]) == ("dddddddd-dirty", "cccccccc")
    many = {f"run{i}": replace(source(f"run{i}"), commit=f"{i}" * 40, machine=f"machine {i}") for i in range(4)}
    found = facts(replace(small_report(), sources=many))
    assert (found["Code of the runs"], found["Machine"]) == ("4 commits", "4 machines")
    assert "Left out" not in found


def test_the_same_report_makes_the_same_page() -> None:
    assert report_page(small_report()) == report_page(small_report())


def test_a_large_report_is_a_small_page() -> None:
    assert len(report_page(large_report())) < 300_000


def large_report() -> Report:
    """Return a report of 70 runs, 100 pictures and 10 tables of 11 columns."""
    runs = [f"{run:032x}" for run in range(70)]
    caption = "resnet on mnist: digits of the test split that it misclassifies, the most confident first"
    pictures = tuple(
        Picture(
            f"figures/mnist-resnet-to-usps-picture-{i}.png", f"figures/mnist-resnet-to-usps-picture-{i}.webp", caption,
            caption, tuple(runs[:20] if i % 20 == 0 else runs[i % 70 : i % 70 + 1]), 1345, 745,
        )
        for i in range(100)
    )  # fmt: skip
    tables = tuple(table(11, f"networks-{i}", f"Networks {i}") for i in range(10))
    sources = {
        run_id: replace(source(run_id), name="transfer resnet on usps", command="digits run --profile full", machine="")
        for run_id in [*runs, "one", "two"]
    }
    section = ReportSection("all", "All", "", "", (Block(tables=tables), Block(pictures=pictures)))
    return replace(small_report(), sections=(section,), sources=sources)
