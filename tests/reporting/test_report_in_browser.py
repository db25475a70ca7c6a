"""The pages of a report and of a search as a reader uses them, in a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser_pages import DESK, PHONE, Reader, no_barrier, reading
from small_reports import small_report, write_pictures

from experiments.models.space import Floats, Integers
from experiments.reporting.page.page import report_page
from experiments.reporting.search.page import search_page
from experiments.tuning import Trial

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def order(page: "Page") -> list[str]:
    return [text[:5] for text in page.locator("#table-networks tbody th").all_inner_texts()]


def viewed(page: "Page") -> str:
    """Return the name of the file in the viewer."""
    picture = page.locator("#viewer img")
    picture.evaluate("image => image.decode()")
    return str(picture.evaluate("image => image.src.split('/').at(-1)"))


class TestReport:
    @pytest.fixture(scope="class")
    @classmethod
    def file(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return the page of a report whose table is wider than a phone."""
        folder = tmp_path_factory.mktemp("report")
        report = small_report(columns=9)
        write_pictures(report, folder)
        (folder / "index.html").write_text(report_page(report), encoding="utf-8")
        return folder / "index.html"

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, browser: "Browser", file: Path) -> "Iterator[Page]":
        with reading(browser) as found:
            yield found.open(file)

    @pytest.fixture
    def page(self, shared: "Page", file: Path) -> "Page":
        """Return the page as it was opened."""
        shared.goto("about:blank")
        shared.goto(file.as_uri())
        return shared

    @pytest.mark.parametrize("settings", [DESK, PHONE], ids=["desk", "phone"])
    def test_it_fits_and_axe_finds_no_barrier(self, reader: Reader, file: Path, settings: dict[str, Any]) -> None:
        page = reader.open(file, **settings)
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        for picture in page.locator("figure img").all():
            picture.scroll_into_view_if_needed()
            picture.evaluate("image => image.decode()")  # fails if it cannot be loaded
        for scheme, darkest, brightest in (("dark", 0, 60), ("light", 200, 255)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]")
            assert darkest <= int(brightness) <= brightest
            assert page.evaluate("document.documentElement.scrollWidth") <= settings["viewport"]["width"]
            no_barrier(page)
            page.locator("a.picture").first.click()
            no_barrier(page)
            page.keyboard.press("Escape")

    def test_the_policy_stops_requests_and_other_scripts(self, browser: "Browser", file: Path) -> None:
        page = Reader(browser).open(file)
        stopped = page.evaluate("""async () => {
            const stopped = [];
            const all = new Promise((done) => document.addEventListener("securitypolicyviolation", (event) => {
                if (stopped.push(event.effectiveDirective) === 4) done(stopped.sort());
            }));
            const script = Object.assign(document.createElement("script"), { textContent: "window.ran = true" });
            const picture = Object.assign(new Image(), { src: "https://example.org/picture.png" });
            const frame = Object.assign(document.createElement("iframe"), { src: "results.json" });
            document.body.append(script, picture, frame);
            fetch("https://example.org").catch(() => {});
            return all;
        }""")
        assert stopped == ["connect-src", "frame-src", "img-src", "script-src-elem"]
        assert page.evaluate("window.ran") is None
        page.context.close()

    def test_a_head_sorts_by_keyboard_and_numbers_count_as_numbers(self, page: "Page") -> None:
        page.locator("#table-networks thead button", has_text="Time").focus()
        page.keyboard.press("Enter")
        assert order(page) == ["lenet", "cnn\nv", "</scr"]
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        assert order(page)[0] == "</scr"
        page.locator("#table-networks thead button", has_text="Test accuracy").click()
        assert order(page) == ["cnn\nv", "lenet", "</scr"]  # what was not measured comes last, whichever way
        page.locator("#table-networks thead button", has_text="Test accuracy").click()
        assert order(page) == ["lenet", "cnn\nv", "</scr"]

    def test_the_section_in_view_is_marked_and_a_picture_leads_to_its_run(self, page: "Page") -> None:
        page.locator("nav a", has_text="Pictures").click()
        page.wait_for_selector("nav a[aria-current]:has-text('Pictures')")
        assert page.locator("nav a[aria-current]").count() == 1
        page.locator("figure a.source").first.click()
        assert page.url.endswith("#run-one")
        assert page.locator("#run-one").is_visible()

    def test_the_viewer_by_keyboard_and_mouse(self, page: "Page") -> None:
        from playwright.sync_api import expect

        pictures = page.locator("a.picture:visible")
        pictures.first.focus()
        page.keyboard.press("Enter")
        assert viewed(page) == "narrow.png"
        page.keyboard.press("ArrowRight")
        assert viewed(page) == "wide.png"
        page.keyboard.press("ArrowRight")
        assert viewed(page) == "narrow.png"  # the picture of the folded block is left out
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Escape")
        assert page.locator("#viewer").is_hidden()
        expect(pictures.nth(1)).to_be_focused()
        pictures.first.click()
        page.get_by_role("button", name="Next picture").click()
        assert viewed(page) == "wide.png"
        assert str(page.get_by_role("link", name="Open the file").get_attribute("href")).endswith("figures/wide.png")
        page.get_by_role("button", name="Close").click()
        assert page.locator("#viewer").is_hidden()

    def test_paper_has_no_navigation_and_all_pictures(self, page: "Page") -> None:
        page.emulate_media(media="print")
        assert page.locator("nav").is_hidden()
        assert all(figure.is_visible() for figure in page.locator("figure").all())
        assert page.locator("dialog").is_hidden()
        page.emulate_media(media="screen")

    def test_without_scripts_a_picture_links_to_its_file(self, browser: "Browser", file: Path) -> None:
        page = Reader(browser).open(file, java_script_enabled=False)
        page.locator("a.picture").first.click()
        page.wait_for_url("**/figures/narrow.png")
        page.context.close()


def test_the_policy_of_the_page_of_a_search_lets_every_figure_be_drawn(reader: Reader, tmp_path: Path) -> None:
    trials = [Trial(i, "complete", {"units": i, "rate": 0.1 * i}, value=0.9 + i / 100, curve=[0.9]) for i in range(9)]
    file = tmp_path / "search.html"
    file.write_text(search_page(trials, {"units": Integers(0, 8), "rate": Floats(0.0, 1.0)}, "mnist-mlp"))
    assert reader.open(file).locator(".plotly-graph-div:has(.main-svg)").count() == 5
