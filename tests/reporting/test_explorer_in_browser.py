"""The page of the explorer as a reader uses it, in a browser."""

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser_pages import DESK, PHONE, Reader, no_barrier, reading
from numpy.typing import NDArray
from PIL import Image
from test_explorer import HOSTILE, atlas

from experiments.evaluation.effects import Topic
from experiments.reporting.explorer import ExplorerData, explorer_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

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


def wait_until_moved(page: "Page", before: tuple[float, float], index: int = LONER) -> None:
    """Wait until a training digit is elsewhere; the page's policy forbids the ``eval`` of Playwright's own wait."""
    for _ in range(500):
        if place(page, index) != before:
            return
        page.wait_for_timeout(20)
    pytest.fail(f"digit {index} is still at {before}")


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
        wait_until_moved(page, other, 0)
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
        wait_until_moved(turning, place(turning))
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
