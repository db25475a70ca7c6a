"""The pages of a report, of the explorer and of a search as a reader uses them, in a browser."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from small_reports import small_report, write_pictures
from test_explorer import HOSTILE, atlas

from experiments.evaluation.effects import Topic
from experiments.models.space import Floats, Integers
from experiments.reporting.explorer import ExplorerData, explorer_page
from experiments.reporting.page.page import report_page
from experiments.reporting.search.page import search_page
from experiments.tuning import Trial

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 800}, "is_mobile": True, "has_touch": True}


class Reader:
    """Opens pages in a browser, and remembers their complaints and their requests for anything but files."""

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self.faults: list[str] = []

    def open(self, file: Path, *, script: str = "", **settings: Any) -> "Page":
        options = {**DESK, "reduced_motion": "reduce", **settings}
        page = self._browser.new_context(**options).new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        page.on("requestfailed", lambda request: self.faults.append(f"failed {request.url}"))
        page.on("request", lambda request: self._asked(request.url))
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        return page

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"asked for {url}")


@contextmanager
def reading(browser: "Browser") -> Iterator[Reader]:
    """Yield what opens pages; close them in the end, and fail if any of them found fault with anything."""
    reader, before = Reader(browser), list(browser.contexts)
    yield reader
    for context in browser.contexts:
        if context not in before:
            context.close()
    assert reader.faults == []


def no_barrier(page: "Page") -> None:
    """Fail if axe finds a barrier for readers with disabilities."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.fixture
def reader(browser: "Browser") -> Iterator[Reader]:
    with reading(browser) as found:
        yield found


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


COUNT, LONER = 240, 3
WITHOUT_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...others) {
  return kind === "webgl2" ? null : real.call(this, kind, ...others);
};
"""


def digits(dimensions: int = 3) -> ExplorerData:
    """Return data of which digit LONER, a 7 read as 1, is alone on its side."""
    given = atlas(COUNT, dimensions)
    positions = np.random.default_rng(1).normal(size=(COUNT, dimensions)).clip(-2, 2) * 0.2
    # As many far away in every direction, lest the page takes the loner for an outlier.
    positions[:4, :2] = [[-1, 0], [0, 1], [0, -1], [1, 0]]
    labels, predicted = given.labels.copy(), given.predicted.copy()
    labels[LONER], predicted[LONER] = 7, 1
    return replace(given, positions=positions.astype(np.float32), labels=labels, predicted=predicted)


GIVEN = digits()


def opened(reader: Reader, folder: Path, given: ExplorerData = GIVEN, **settings: Any) -> "Page":
    file = folder / "page.html"
    file.write_text(explorer_page(given), encoding="utf-8")
    page = reader.open(file, **{**DESK, **settings})
    settle(page)
    return page


def settle(page: "Page") -> None:
    """Wait until the page has drawn its last changes, which takes a frame after the next."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def place(page: "Page", index: int = LONER) -> tuple[float, float]:
    """Return where a training digit is in the window."""
    found = page.evaluate(f"explorer.place(explorer.find('train', {index}))")
    return found["x"], found["y"]


def places(page: "Page") -> NDArray[np.float64]:
    return np.array([place(page, index) for index in range(4)])


def pixels(page: "Page") -> NDArray[np.int64]:
    """Return the colors of the stage below its buttons."""
    settle(page)
    box = page.locator("#surface").bounding_box()
    assert box is not None
    shot = page.screenshot(
        clip={"x": box["x"], "y": box["y"] + 60, "width": box["width"], "height": box["height"] - 60}
    )
    return np.array(Image.open(io.BytesIO(shot)).convert("RGB")).astype(np.int64)


def colored(page: "Page") -> int:
    """Count the pixels that have a color: neither background nor text."""
    return int((np.ptp(pixels(page), axis=2) > 30).sum())


def shown(page: "Page") -> int:
    return int(page.locator("#count").get_attribute("data-shown") or -1)


def counts(page: "Page", buttons: str) -> list[int]:
    found: list[int] = page.locator(buttons).evaluate_all("all => all.map(each => Number(each.dataset.count))")
    return found


def gallery(page: "Page") -> "Locator":
    return page.locator("#images button")


def cell(page: "Page", matrix: str, row: int, column: int) -> "Locator":
    return page.locator(f"#{matrix} [data-row='{row}'][data-column='{column}']")


class TestExplorer:
    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Page]":
        with reading(browser) as found:
            yield opened(found, tmp_path_factory.mktemp("explorer"))

    @pytest.fixture
    def page(self, shared: "Page") -> "Page":
        """Return the page of `GIVEN` as it was opened."""
        shared.reload()
        settle(shared)
        return shared

    @pytest.mark.parametrize("settings", [DESK, PHONE], ids=["desk", "phone"])
    def test_it_fits_and_axe_finds_no_barrier(self, reader: Reader, tmp_path: Path, settings: dict[str, Any]) -> None:
        page = opened(reader, tmp_path, color_scheme="dark", **settings)
        assert np.median(pixels(page)) < 40
        no_barrier(page)
        page.emulate_media(color_scheme="light")
        assert np.median(pixels(page)) > 220
        no_barrier(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= settings["viewport"]["width"]
        if settings is PHONE:
            page.touchscreen.tap(*place(page))
            assert f"train #{LONER}" in page.locator("#pinned").inner_text()

    @pytest.mark.parametrize(
        ("dimensions", "renderer", "script"), [(3, "webgl2", ""), (3, "canvas", WITHOUT_WEBGL), (2, "webgl2", "")]
    )
    def test_draws_digits_and_tells_their_numbers_with_and_without_webgl(
        self, reader: Reader, tmp_path: Path, dimensions: int, renderer: str, script: str
    ) -> None:
        given = digits(dimensions)
        page = opened(reader, tmp_path, given, script=script)
        assert page.evaluate("explorer.renderer") == renderer
        page.locator("#names").click()
        assert colored(page) > COUNT * 10
        page.mouse.move(*place(page))
        card = page.locator("#hover")
        card.wait_for()
        said = card.inner_text()
        for expected in (
            f"train #{LONER}", f"1 ({given.probability[LONER]:.4f}) ✗",
            f"{math.floor(1000 * given.confusion[LONER]) / 10:.1f} %",
            *(f"cluster {groups[LONER]}" for groups in given.groupings.values()),
        ):  # fmt: skip
            assert expected in said
        card.locator("canvas[data-drawn]").wait_for()
        drawn = card.locator("canvas").evaluate("c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]")
        assert np.abs(np.array(drawn).reshape(28, 28, 4)[..., 0] - given.images[LONER]).max() <= 9
        page.locator("#all-digits").click()
        page.mouse.move(0, 0)
        card.wait_for(state="hidden")
        assert (shown(page), colored(page)) == (0, 0)

    def test_a_click_keeps_a_digit_until_escape_and_hidden_digits_cannot_be_picked(self, page: "Page") -> None:
        at = place(page)
        page.mouse.click(*at)
        assert f"train #{LONER}" in page.locator("#pinned").inner_text()
        page.keyboard.press("Escape")
        assert page.locator("#pinned").is_hidden()
        page.locator("#digits button", has_text="7").click()
        page.mouse.move(*at)
        settle(page)
        assert page.locator("#hover").is_hidden()

    def test_filters_change_what_is_shown(self, page: "Page") -> None:
        wrong = GIVEN.labels != GIVEN.predicted
        assert shown(page) == COUNT
        assert gallery(page).count() == 200
        assert {"200", str(COUNT)} <= set(page.locator("#gallery-note").inner_text().replace(",", "").split())
        page.locator("#digits button", has_text="7").click()
        assert shown(page) == (GIVEN.labels != 7).sum()
        assert f"{(GIVEN.labels != 7).sum()} of {COUNT} " in page.locator("#count").inner_text()
        page.locator("#mistakes").check()
        assert shown(page) == ((GIVEN.labels != 7) & wrong).sum()
        page.locator("#split label", has_text="test").click()
        assert shown(page) == ((GIVEN.labels != 7) & wrong & (GIVEN.split == 1)).sum()
        page.locator("#everything").click()
        assert shown(page) == COUNT
        page.locator("#share").fill("50")
        assert shown(page) == COUNT // 8
        cut = np.sort(GIVEN.confusion)[-COUNT // 8]
        assert gallery(page).count() == (GIVEN.confusion >= cut).sum()

    def test_matrices_count_and_follow_the_split(self, page: "Page") -> None:
        for kept in (GIVEN.split >= 0, GIVEN.split == 1):
            for matrix, columns in {
                "confusion": GIVEN.predicted,
                "contingency": GIVEN.groupings["KMeans, k = 10"],
            }.items():
                expected = np.zeros((10, 10), int)
                np.add.at(expected, (GIVEN.labels[kept], columns[kept]), 1)
                assert counts(page, f"#{matrix} button") == expected.ravel().tolist()
            page.locator("#split label", has_text="test").click()

    @pytest.mark.parametrize("matrix", ["confusion", "contingency"])
    def test_a_cell_fills_the_gallery_most_confusing_first(self, page: "Page", matrix: str) -> None:
        columns = GIVEN.predicted if matrix == "confusion" else GIVEN.groupings["KMeans, k = 10"]
        row, column = 7, int(columns[LONER])
        members = np.flatnonzero((GIVEN.labels == row) & (columns == column))
        cell(page, matrix, row, column).click()
        assert gallery(page).count() == len(members)
        names = [str(gallery(page).nth(i).get_attribute("title")).split(":")[0] for i in range(len(members))]
        best = members[np.argsort(-GIVEN.confusion[members], kind="stable")]
        assert names == [f"{('train', 'test')[GIVEN.split[i]]} #{GIVEN.index[i]}" for i in best]
        gallery(page).first.click()
        assert names[0] in page.locator("#pinned").inner_text()
        assert gallery(page).first.get_attribute("aria-pressed") == "true"
        cell(page, matrix, row, column).click()
        assert gallery(page).count() == 200

    def test_a_matrix_is_one_stop_of_the_keyboard_and_has_arrows(self, page: "Page") -> None:
        assert page.locator("#confusion [tabindex='0']").count() == 1
        cell(page, "confusion", 0, 0).focus()
        for key in [*["ArrowDown"] * 7, "ArrowRight", "Enter"]:
            page.keyboard.press(key)
        assert page.locator("#gallery-title").inner_text() == "7 read as 1"
        assert page.evaluate("document.activeElement.dataset.row + document.activeElement.dataset.column") == "71"

    def test_every_coloring_has_a_legend_with_counts(self, page: "Page") -> None:
        expected: dict[str, NDArray[Any]] = {
            "Label": GIVEN.labels, "Predicted digit": GIVEN.predicted, **GIVEN.groupings,
            "Correct or wrong": GIVEN.labels != GIVEN.predicted,
        }  # fmt: skip
        for title, groups in expected.items():
            page.select_option("#coloring", label=title)
            assert counts(page, "#legend button") == np.bincount(groups.astype(int)).tolist()
        page.select_option("#coloring", label="Place among the confusing")
        assert "most confusing" in page.locator("#legend").inner_text()

    def test_legend_entries_hide_and_isolate_their_groups(self, page: "Page") -> None:
        ward = GIVEN.groupings["Ward, k = 23"]
        page.select_option("#coloring", label="Ward, k = 23")
        assert page.locator("#grouping").input_value() == "1"
        swatches = page.locator("#legend i").evaluate_all("all => all.map(each => each.style.background)")
        assert len(set(swatches)) == 23
        entry = page.locator("#legend [data-group='22']")
        entry.click()
        assert shown(page) == (ward != 22).sum()
        entry.click(modifiers=["Shift"])
        assert shown(page) == (ward == 22).sum()
        entry.click(modifiers=["Shift"])
        assert shown(page) == COUNT

    @pytest.mark.parametrize("dimensions", [3, 2])
    def test_drag_and_keys_turn_a_cloud_and_move_a_map(self, reader: Reader, tmp_path: Path, dimensions: int) -> None:
        page = opened(reader, tmp_path, digits(dimensions))
        assert page.locator("#rotate").is_visible() == (dimensions == 3)
        before = places(page)
        page.mouse.move(300, 300)
        page.mouse.down()
        page.mouse.move(340, 330, steps=4)
        page.mouse.up()
        moved = places(page) - before
        assert np.abs(moved).max() > 5
        assert np.allclose(moved, moved[0], atol=0.01) == (dimensions == 2)
        page.locator("#surface").focus()
        page.keyboard.press("0")
        np.testing.assert_allclose(places(page), before, atol=0.01)
        page.keyboard.press("ArrowRight")
        assert not np.allclose(places(page), before, atol=1)

    def test_the_wheel_zooms_about_the_pointer(self, page: "Page") -> None:
        at, other = np.round(place(page)), place(page, 0)
        begin = np.subtract(place(page), at)
        page.mouse.move(float(at[0]), float(at[1]))
        page.mouse.wheel(0, -400)
        page.wait_for_function(f"explorer.place(explorer.find('train', 0)).x !== {other[0]!r}")
        zoom = np.exp(400 * 0.0015)
        np.testing.assert_allclose(np.subtract(place(page), at), zoom * begin, atol=0.01)
        np.testing.assert_allclose(np.subtract(place(page, 0), at), zoom * np.subtract(other, at), atol=0.01)

    def test_rotates_until_it_is_touched_and_never_for_those_who_asked_for_less_motion(
        self, reader: Reader, page: "Page", tmp_path: Path
    ) -> None:
        still = place(page)
        settle(page)
        assert place(page) == still
        turning = opened(reader, tmp_path, reduced_motion="no-preference")
        turning.wait_for_function(f"explorer.place(explorer.find('train', {LONER})).x !== {place(turning)[0]!r}")
        turning.mouse.click(300, 300)
        turning.mouse.move(1270, 790)
        stopped = place(turning)
        settle(turning)
        assert place(turning) == stopped
        assert turning.locator("#rotate").get_attribute("aria-pressed") == "false"

    def test_one_digit_and_many_in_one_place(self, reader: Reader, tmp_path: Path) -> None:
        positions = np.full((30, 3), 4, np.float32)
        same = replace(atlas(30), positions=positions, title=HOSTILE, topics=[Topic("map", {}, (), HOSTILE)])
        for given, count in ((replace(atlas(1), groupings={}), 1), (same, 30)):
            page = opened(reader, tmp_path, given)
            assert (shown(page), gallery(page).count()) == (count, count)
            assert page.locator("h1").inner_text() == given.title

    def test_works_where_mlflow_shows_it(self, reader: Reader, tmp_path: Path) -> None:
        # MLflow's pages show HTML artifacts in a sandboxed frame, of no origin.
        empty = tmp_path / "frame.html"
        empty.write_text(
            '<link rel="icon" href="data:,"><iframe sandbox="allow-scripts" width="1200" height="800"></iframe>'
        )
        framed = reader.open(empty)
        framed.locator("iframe").evaluate("(frame, page) => { frame.srcdoc = page; }", explorer_page(GIVEN))
        inside = framed.frame_locator("iframe")
        assert inside.locator("#count").inner_text().startswith(f"{COUNT} digits")
        inside.locator("#images canvas[data-drawn]").first.wait_for()


def test_the_policy_of_the_page_of_a_search_lets_every_figure_be_drawn(reader: Reader, tmp_path: Path) -> None:
    trials = [Trial(i, "complete", {"units": i, "rate": 0.1 * i}, value=0.9 + i / 100, curve=[0.9]) for i in range(9)]
    file = tmp_path / "search.html"
    file.write_text(search_page(trials, {"units": Integers(0, 8), "rate": Floats(0.0, 1.0)}, "mnist-mlp"))
    assert reader.open(file).locator(".plotly-graph-div:has(.main-svg)").count() == 5
