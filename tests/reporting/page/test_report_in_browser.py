"""A report's page as a reader uses it, in a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small_reports import small_report, write_pictures

from experiments.reporting.page.page import report_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

DESK, PHONE = (1280, 800), (360, 780)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the page of a report whose table is wider than a phone."""
    folder = tmp_path_factory.mktemp("report")
    report = small_report(columns=9)
    write_pictures(report, folder)
    (folder / "index.html").write_text(report_page(report), encoding="utf-8")
    return folder


def opened(
    browser: "Browser", folder: Path, faults: list[str], size: tuple[int, int] = DESK, **settings: Any
) -> "Page":
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings).new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("requestfailed", lambda request: faults.append(f"failed {request.url}"))
    page.on("request", lambda request: None if request.url.startswith("file:") else faults.append(request.url))
    page.goto((folder / "index.html").as_uri())
    page.wait_for_load_state("networkidle")
    return page


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_and_asks_for_nothing(browser: "Browser", folder: Path, size: tuple[int, int], scheme: Any) -> None:
    faults: list[str] = []
    page = opened(browser, folder, faults, size, color_scheme=scheme)
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    for picture in page.locator("figure img").all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("image => image.decode()")  # fails if it cannot be loaded
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]")
    assert (int(brightness) < 60) == (scheme == "dark")
    assert faults == []
    page.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser: "Browser", folder: Path, size: tuple[int, int], scheme: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    faults: list[str] = []
    page = opened(browser, folder, faults, size, color_scheme=scheme)
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.locator("a.picture").first.click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert faults == []
    page.context.close()


def test_the_policy_stops_requests_and_other_scripts(browser: "Browser", folder: Path) -> None:
    page = opened(browser, folder, [])
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


def names(page: "Page") -> list[str]:
    return [text[:5] for text in page.locator("#table-networks tbody th").all_inner_texts()]


def test_a_head_sorts_by_keyboard_and_numbers_count_as_numbers(browser: "Browser", folder: Path) -> None:
    faults: list[str] = []
    page = opened(browser, folder, faults)
    time = page.locator("#table-networks thead button", has_text="Time")
    time.focus()
    page.keyboard.press("Enter")
    assert names(page) == ["lenet", "cnn\nv", "</scr"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert names(page)[0] == "</scr"
    page.locator("#table-networks thead button", has_text="Test accuracy").click()
    assert names(page) == ["cnn\nv", "lenet", "</scr"]  # what was not measured comes last, whichever way
    page.locator("#table-networks thead button", has_text="Test accuracy").click()
    assert names(page) == ["lenet", "cnn\nv", "</scr"]
    assert faults == []
    page.context.close()


def test_the_section_in_view_is_marked(browser: "Browser", folder: Path) -> None:
    faults: list[str] = []
    page = opened(browser, folder, faults)
    page.locator("nav a", has_text="Pictures").click()
    page.wait_for_selector("nav a[aria-current]:has-text('Pictures')")
    assert page.locator("nav a[aria-current]").count() == 1
    assert faults == []
    page.context.close()


def shown(page: "Page") -> str:
    """Return the name of the file in the viewer."""
    picture = page.locator("#viewer img")
    picture.evaluate("image => image.decode()")
    return str(picture.evaluate("image => image.src.split('/').at(-1)"))


def test_the_viewer_by_keyboard(browser: "Browser", folder: Path) -> None:
    from playwright.sync_api import expect

    faults: list[str] = []
    page = opened(browser, folder, faults)
    pictures = page.locator("a.picture:visible")
    pictures.first.focus()
    page.keyboard.press("Enter")
    assert shown(page) == "narrow.png"
    page.keyboard.press("ArrowRight")
    assert shown(page) == "wide.png"
    page.keyboard.press("ArrowRight")
    assert shown(page) == "narrow.png"  # the picture of the folded block is left out
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    assert page.locator("#viewer").is_hidden()
    expect(pictures.nth(1)).to_be_focused()
    assert faults == []
    page.context.close()


def test_the_viewer_by_mouse(browser: "Browser", folder: Path) -> None:
    faults: list[str] = []
    page = opened(browser, folder, faults, PHONE)
    page.locator("a.picture").first.click()
    page.get_by_role("button", name="Next picture").click()
    assert shown(page) == "wide.png"
    assert str(page.get_by_role("link", name="Open the file").get_attribute("href")).endswith("figures/wide.png")
    page.get_by_role("button", name="Close").click()
    assert page.locator("#viewer").is_hidden()
    assert faults == []
    page.context.close()


def test_without_scripts_a_picture_links_to_its_file(browser: "Browser", folder: Path) -> None:
    page = opened(browser, folder, [], java_script_enabled=False)
    page.locator("a.picture").first.click()
    page.wait_for_url("**/figures/narrow.png")
    page.context.close()


def test_a_picture_leads_to_its_run(browser: "Browser", folder: Path) -> None:
    page = opened(browser, folder, [])
    page.locator("figure a.source").first.click()
    assert page.url.endswith("#run-one")
    assert page.locator("#run-one").is_visible()
    page.context.close()


def test_paper_has_no_navigation_and_all_pictures(browser: "Browser", folder: Path) -> None:
    page = opened(browser, folder, [])
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert all(figure.is_visible() for figure in page.locator("figure").all())
    assert page.locator("dialog").is_hidden()
    page.context.close()
