"""The explorer's page as a reader uses it, in a browser."""

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from test_explorer import HOSTILE, atlas

from experiments.evaluation.effects import Topic
from experiments.reporting.explorer import ExplorerData, explorer_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

pytestmark = pytest.mark.browser

COUNT, LONER = 240, 3
WITHOUT_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...others) {
  return kind === "webgl2" ? null : real.call(this, kind, ...others);
};
"""


class Reader:
    """Opens pages, and afterwards finds fault with those that complained or asked for something."""

    def __init__(self, browser: "Browser", folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self.faults: list[str] = []

    def open(self, given: ExplorerData, *, script: str = "", **settings: Any) -> "Page":
        file = self._folder / "page.html"
        file.write_text(explorer_page(given), encoding="utf-8")
        options = {"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce", **settings}
        page = self._browser.new_context(**options).new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        page.on("request", lambda request: self._asked(request.url))
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        page.wait_for_timeout(100)
        return page

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"asked for {url}")


@pytest.fixture
def reader(browser: "Browser", tmp_path: Path) -> Iterator[Reader]:
    """Yield what opens pages; a complaint of any of them fails the test."""
    opened = Reader(browser, tmp_path)
    yield opened
    for context in browser.contexts:
        context.close()
    assert opened.faults == []


def digits(dimensions: int = 3) -> ExplorerData:
    """Return an atlas of which digit LONER, a 7 read as 1, is alone on its side."""
    given = atlas(COUNT, dimensions)
    positions = np.random.default_rng(1).normal(size=(COUNT, dimensions)).clip(-2, 2) * 0.2
    # As many far away in every direction, lest the page takes the loner for an outlier.
    positions[:4, :2] = [[-1, 0], [0, 1], [0, -1], [1, 0]]
    labels, predicted = given.labels.copy(), given.predicted.copy()
    labels[LONER], predicted[LONER] = 7, 1
    return replace(given, positions=positions.astype(np.float32), labels=labels, predicted=predicted)


def place(page: "Page", split: str, index: int) -> tuple[float, float]:
    found = page.evaluate(f"explorer.place(explorer.find('{split}', {index}))")
    return found["x"], found["y"]


def open_stage(page: "Page") -> "FloatRect":
    """Return the rectangle of the stage over which no button lies."""
    box = page.locator("#surface").bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"] + 60, "width": box["width"], "height": box["height"] - 60}


def pixels(page: "Page") -> NDArray[np.int64]:
    page.wait_for_timeout(150)
    shot = page.screenshot(clip=open_stage(page))
    return np.array(Image.open(io.BytesIO(shot)).convert("RGB")).astype(np.int64)


def colored(picture: NDArray[np.int64]) -> int:
    """Return how many pixels have a color: neither background nor text."""
    return int((np.ptp(picture, axis=2) > 30).sum())


def shown(page: "Page") -> int:
    return int(page.locator("#count").get_attribute("data-shown") or -1)


def gallery(page: "Page") -> "Locator":
    return page.locator("#images button")


def cell(page: "Page", matrix: str, row: int, column: int) -> "Locator":
    return page.locator(f"#{matrix} [data-row='{row}'][data-column='{column}']")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(reader: Reader, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = reader.open(digits(), viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("renderer", "script"), [("webgl2", ""), ("canvas", WITHOUT_WEBGL)])
def test_draws_with_and_without_webgl(reader: Reader, renderer: str, script: str) -> None:
    page = reader.open(digits(), script=script)
    assert page.evaluate("explorer.renderer") == renderer
    page.locator("#names").click()
    assert colored(pixels(page)) > COUNT * 10
    page.locator("#all-digits").click()
    page.mouse.move(0, 0)
    assert shown(page) == 0
    assert colored(pixels(page)) == 0


@pytest.mark.parametrize("script", ["", WITHOUT_WEBGL])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_hover_tells_of_a_digit(reader: Reader, dimensions: int, script: str) -> None:
    given = digits(dimensions)
    page = reader.open(given, script=script)
    page.mouse.move(*place(page, "train", LONER))
    card = page.locator("#hover")
    card.wait_for()
    said = card.inner_text()
    for expected in (
        f"train #{LONER}", f"1 ({given.probability[LONER]:.4f}) ✗",
        f"{math.floor(1000 * given.confusion[LONER]) / 10:.1f} % of its split",
        *(f"cluster {groups[LONER]}" for groups in given.groupings.values()),
    ):  # fmt: skip
        assert expected in said
    card.locator("canvas[data-drawn]").wait_for()
    drawn = card.locator("canvas").evaluate("c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]")
    assert np.abs(np.array(drawn).reshape(28, 28, 4)[..., 0] - given.images[LONER]).max() <= 9
    page.mouse.move(5, 5)
    card.wait_for(state="hidden")


def test_click_keeps_a_digit_until_escape(reader: Reader) -> None:
    page = reader.open(digits())
    page.mouse.click(*place(page, "train", LONER))
    assert f"train #{LONER}" in page.locator("#pinned").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#pinned").is_hidden()


def test_filters_change_what_is_shown(reader: Reader) -> None:
    given = digits()
    wrong = given.labels != given.predicted
    page = reader.open(given)
    assert shown(page) == COUNT
    page.locator("#digits button", has_text="7").click()
    assert shown(page) == (given.labels != 7).sum()
    assert f"{(given.labels != 7).sum()} of {COUNT} digits shown" in page.locator("#count").inner_text()
    page.locator("#mistakes").check()
    assert shown(page) == ((given.labels != 7) & wrong).sum()
    page.locator("#split label", has_text="test").click()
    assert shown(page) == ((given.labels != 7) & wrong & (given.split == 1)).sum()
    page.locator("#everything").click()
    assert shown(page) == COUNT
    page.locator("#share").fill("50")
    assert shown(page) == COUNT // 8
    cut = np.sort(given.confusion)[-COUNT // 8]
    assert gallery(page).count() == (given.confusion >= cut).sum()


def test_hidden_points_cannot_be_picked(reader: Reader) -> None:
    page = reader.open(digits())
    at = place(page, "train", LONER)
    page.locator("#digits button", has_text="7").click()
    page.mouse.move(*at)
    page.wait_for_timeout(150)
    assert page.locator("#hover").is_hidden()


def test_matrices_count_and_follow_the_split(reader: Reader) -> None:
    given = digits()
    page = reader.open(given)
    for split in (None, 1):
        if split is not None:
            page.locator("#split label", has_text="test").click()
        kept = slice(None) if split is None else given.split == split
        groups = given.groupings["KMeans, k = 10"]
        for matrix, columns in {"confusion": given.predicted, "contingency": groups}.items():
            expected = np.zeros((10, 10), int)
            np.add.at(expected, (given.labels[kept], columns[kept]), 1)
            counts = page.locator(f"#{matrix} button").evaluate_all(
                "all => all.map(each => Number(each.dataset.count))"
            )
            np.testing.assert_array_equal(np.reshape(counts, (10, 10)), expected)


@pytest.mark.parametrize("matrix", ["confusion", "contingency"])
def test_cell_fills_the_gallery_most_confusing_first(reader: Reader, matrix: str) -> None:
    given = digits()
    columns = given.predicted if matrix == "confusion" else given.groupings["KMeans, k = 10"]
    row, column = 7, int(columns[LONER])
    members = np.flatnonzero((given.labels == row) & (columns == column))
    page = reader.open(given)
    cell(page, matrix, row, column).click()
    assert gallery(page).count() == len(members)
    names = [str(gallery(page).nth(i).get_attribute("title")).split(":")[0] for i in range(len(members))]
    best = members[np.argsort(-given.confusion[members], kind="stable")]
    assert names == [f"{('train', 'test')[given.split[i]]} #{given.index[i]}" for i in best]
    gallery(page).first.click()
    assert names[0] in page.locator("#pinned").inner_text()
    assert gallery(page).first.get_attribute("aria-pressed") == "true"
    cell(page, matrix, row, column).click()
    assert gallery(page).count() == 200


def test_gallery_says_how_many_it_leaves_out(reader: Reader) -> None:
    page = reader.open(digits())
    assert gallery(page).count() == 200
    assert page.locator("#gallery-note").inner_text() == f"the first 200 of {COUNT}, most confusing first"


def test_every_coloring_has_a_legend_with_counts(reader: Reader) -> None:
    given = digits()
    page = reader.open(given)
    expected: dict[str, NDArray[Any]] = {
        "Label": given.labels, "Predicted digit": given.predicted, **given.groupings,
        "Correct or wrong": given.labels != given.predicted,
    }  # fmt: skip
    for title, groups in expected.items():
        page.select_option("#coloring", label=title)
        counts = page.locator("#legend button").evaluate_all("all => all.map(each => Number(each.dataset.count))")
        assert counts == np.bincount(groups.astype(int)).tolist()
    page.select_option("#coloring", label="Place among the confusing")
    assert "most confusing" in page.locator("#legend").inner_text()


def test_legend_entries_toggle_and_many_groups_differ(reader: Reader) -> None:
    given = digits()
    ward = given.groupings["Ward, k = 23"]
    page = reader.open(given)
    page.select_option("#coloring", label="Ward, k = 23")
    swatches = page.locator("#legend i").evaluate_all("all => all.map(each => each.style.background)")
    assert len(set(swatches)) == 23
    entry = page.locator("#legend [data-group='22']")
    entry.click()
    assert shown(page) == (ward != 22).sum()
    entry.click(modifiers=["Shift"])
    assert shown(page) == (ward == 22).sum()
    entry.click(modifiers=["Shift"])
    assert shown(page) == COUNT
    assert page.locator("#grouping").input_value() == "1"


def test_drag_and_keys_turn_a_cloud_and_move_a_map(reader: Reader) -> None:
    for dimensions in (3, 2):
        page = reader.open(digits(dimensions))
        assert page.locator("#rotate").is_visible() == (dimensions == 3)
        before = np.array([place(page, "train", index) for index in range(4)])
        page.mouse.move(300, 300)
        page.mouse.down()
        page.mouse.move(340, 330, steps=4)
        page.mouse.up()
        moved = np.array([place(page, "train", index) for index in range(4)]) - before
        assert np.abs(moved).max() > 5
        assert np.allclose(moved, moved[0], atol=0.01) == (dimensions == 2)
        page.locator("#surface").focus()
        page.keyboard.press("0")
        np.testing.assert_allclose([place(page, "train", index) for index in range(4)], before, atol=0.01)
        page.keyboard.press("ArrowRight")
        assert not np.allclose([place(page, "train", index) for index in range(4)], before, atol=1)


def test_wheel_zooms_about_the_pointer(reader: Reader) -> None:
    page = reader.open(digits())
    at = np.round(place(page, "train", LONER))
    begin = np.subtract(place(page, "train", LONER), at)
    other = place(page, "train", 0)
    page.mouse.move(float(at[0]), float(at[1]))
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(150)
    zoom = np.exp(400 * 0.0015)
    np.testing.assert_allclose(np.subtract(place(page, "train", LONER), at), zoom * begin, atol=0.01)
    np.testing.assert_allclose(np.subtract(place(page, "train", 0), at), zoom * np.subtract(other, at), atol=0.01)


def test_rotates_until_it_is_touched(reader: Reader) -> None:
    page = reader.open(digits(), reduced_motion="no-preference")
    first = place(page, "train", LONER)
    page.wait_for_timeout(300)
    assert place(page, "train", LONER) != first
    page.mouse.click(300, 300)
    page.mouse.move(1390, 890)
    stopped = place(page, "train", LONER)
    page.wait_for_timeout(300)
    assert place(page, "train", LONER) == stopped
    assert page.locator("#rotate").get_attribute("aria-pressed") == "false"


def test_stands_still_for_those_who_asked_for_less_motion(reader: Reader) -> None:
    page = reader.open(digits())
    first = place(page, "train", LONER)
    page.wait_for_timeout(300)
    assert place(page, "train", LONER) == first


def test_matrix_is_one_stop_of_the_keyboard_and_has_arrows(reader: Reader) -> None:
    page = reader.open(digits())
    assert page.locator("#confusion [tabindex='0']").count() == 1
    cell(page, "confusion", 0, 0).focus()
    for key in [*["ArrowDown"] * 7, "ArrowRight", "Enter"]:
        page.keyboard.press(key)
    assert page.locator("#gallery-title").inner_text() == "7 read as 1"
    assert page.evaluate("document.activeElement.dataset.row + document.activeElement.dataset.column") == "71"


def test_fits_a_phone(reader: Reader) -> None:
    page = reader.open(digits(), viewport={"width": 400, "height": 850}, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.touchscreen.tap(*place(page, "train", LONER))
    assert f"train #{LONER}" in page.locator("#pinned").inner_text()


def test_dark(reader: Reader) -> None:
    page = reader.open(digits(), color_scheme="dark")
    assert np.median(pixels(page)) < 40
    page.emulate_media(color_scheme="light")
    assert np.median(pixels(page)) > 220


def test_extreme_atlases(reader: Reader) -> None:
    one = replace(atlas(1), groupings={})
    same = replace(
        atlas(30), positions=np.full((30, 3), 4, np.float32), title=HOSTILE, topics=[Topic("map", {}, (), HOSTILE)]
    )
    for given, count in ((one, 1), (same, 30)):
        page = reader.open(given)
        assert shown(page) == count
        assert page.locator("h1").inner_text() == given.title
        assert gallery(page).count() == count


def test_works_where_mlflow_shows_it(reader: Reader) -> None:
    """MLflow's pages show HTML artifacts in a sandboxed frame, of no origin."""
    page = reader.open(digits())
    framed = page.context.new_page()
    framed.on("pageerror", lambda error: reader.faults.append(str(error)))
    framed.set_content('<iframe sandbox="allow-scripts" style="width:1200px;height:800px"></iframe>')
    framed.locator("iframe").evaluate("(frame, page) => { frame.srcdoc = page; }", explorer_page(digits()))
    inside = framed.frame_locator("iframe")
    assert inside.locator("#count").inner_text().startswith(f"{COUNT} digits")
    inside.locator("#images canvas[data-drawn]").first.wait_for()
