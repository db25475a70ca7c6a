"""Lines of writing are found among ruled lines, specks and blots, and cut where digits touch."""

import numpy as np
import pytest
from printed_digits import printed_digits

from benchmarks.synthetic_rows import Box, RowStyle, SyntheticRows, synthetic_rows
from experiments.pictures.cuts import LINE_HEIGHT, cut_line, estimate_slant, find_seams, stroke_width
from experiments.pictures.lines import TextLine, digit_height, find_rows, label_components, remove_ruled_lines


def missed(row: TextLine, boxes: tuple[Box, ...]) -> int:
    """Count the digits whose box is not near that of any segment."""
    found = np.array([row.box(segment) for segment in row.segments], float)
    wanted = np.array(boxes, float)
    for corners in (found, wanted):
        corners[:, 2:] += corners[:, :2]
    distances = np.abs(found[None] - wanted[:, None]).max(axis=2).min(axis=1)
    return int((distances > 0.2 * np.median(wanted[:, 3] - wanted[:, 1])).sum())


def page(style: RowStyle, seed: int) -> SyntheticRows:
    return synthetic_rows(printed_digits(), style, seed)


@pytest.mark.parametrize("lines", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_lines_from_top_to_bottom(lines: int, seed: int) -> None:
    written = page(RowStyle(lines=lines, groups=True), seed)
    rows = find_rows(written.picture)
    assert len(rows) == lines
    assert sum(missed(row, boxes) for row, boxes in zip(rows, written.boxes, strict=True)) <= lines // 2


def test_cuts_where_digits_touch() -> None:
    written = [page(RowStyle(touching=1.0, plain=seed % 2 == 0), seed) for seed in range(4)]
    assert sum(row.touching for row in written) >= 4
    assert sum(missed(find_rows(row.picture)[0], row.boxes[0]) for row in written) <= 2


def test_ruled_and_squared_paper() -> None:
    mask = np.zeros((90, 300), bool)
    mask[30:70, 40:46] = mask[30:70, 120:126] = True
    ink = mask.copy()
    for y, x in ((20, 20), (50, 160)):
        mask[y : y + 2] = True
        mask[:, x : x + 2] = True
    cleaned = remove_ruled_lines(mask, mask)
    assert (cleaned & ~ink).sum() <= 12
    assert (ink & ~cleaned).sum() == 0


def test_specks_and_blots_are_no_lines() -> None:
    written = page(RowStyle(touching=0.0, plain=True, heights=(40, 40)), 0)
    picture = np.pad(written.picture, ((20, 60), (20, 20), (0, 0)))
    picture[-25:, -60:] = 255
    rng = np.random.default_rng(0)
    picture[rng.integers(0, picture.shape[0], 30), rng.integers(0, picture.shape[1], 30)] = 255
    moved = tuple((x + 20, y + 20, width, height) for x, y, width, height in written.boxes[0])
    rows = find_rows(picture)
    assert min(missed(row, moved) for row in rows) == 0
    assert len(rows) == 1


def test_height_of_digits() -> None:
    mask = np.zeros((100, 200), bool)
    mask[10:50, 10:20] = mask[12:50, 40:60] = mask[80:83, 10:150] = mask[70, 190] = True
    assert digit_height(label_components(mask)[1]) in {38, 40}
    assert digit_height([]) == 0


@pytest.mark.parametrize("slant", [-0.3, 0.0, 0.4, 0.7])
def test_slant_and_width_of_strokes(slant: float) -> None:
    ink = np.zeros((LINE_HEIGHT, 160), np.uint8)
    for y in range(LINE_HEIGHT):
        for start in (50, 90, 120):
            x = round(start + slant * (LINE_HEIGHT / 2 - y))
            ink[y, x : x + 6] = 255
    assert estimate_slant(ink) == pytest.approx(slant, abs=0.1)
    assert stroke_width(ink) == pytest.approx(6 / np.hypot(1, slant), abs=1)


def test_a_seam_crosses_where_ink_is_thinnest() -> None:
    ink = np.zeros((LINE_HEIGHT, 60), np.uint8)
    ink[:, 10:16] = ink[:, 40:46] = 255
    ink[20:26, 16:40] = 255
    ink[22:26, 27:29] = 0
    paths, prices = find_seams(ink, 6.0, 4)
    assert abs(int(np.argmin(prices[16:40])) + 16 - 28) <= 4
    assert prices[28] == pytest.approx(2 / 6, abs=0.1)
    assert find_seams(ink, 6.0, 2)[1][13] > 1
    assert ((paths[28] >= 24) & (paths[28] <= 32)).all()
    assert len(cut_line(ink)) == 1
