"""Picture files of drawings."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.errors import DigitsError
from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.feature_map import feature_map
from experiments.reporting.picture_files import FEW, PictureJob, PictureQueue, picture_size, same_picture, save_preview


@pytest.mark.parametrize(("size", "expected"), [((1280, 800), (640, 400)), ((400, 1300), (400, 1300))])
def test_a_preview_is_the_picture_at_most_as_wide_as_a_column(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    ramp = np.linspace(0, 255, size[0]).astype(np.uint8)
    full = Image.fromarray(np.stack([np.tile(ramp, (size[1], 1))] * 3, axis=2))
    for name in ("one.webp", "two.webp"):
        save_preview(full, tmp_path / name)
    assert (tmp_path / "one.webp").read_bytes() == (tmp_path / "two.webp").read_bytes()
    assert picture_size(tmp_path / "one.webp") == expected
    with Image.open(tmp_path / "one.webp") as preview:
        assert preview.format == "WEBP"
        found = np.asarray(preview.convert("L"), int).mean(axis=0)
    np.testing.assert_allclose(found, np.linspace(0, 255, expected[0]), atol=8)


def jobs(folder: Path, count: int) -> list[PictureJob]:
    folder.mkdir()
    drawings = [Drawing.of(class_changes, {"cnn": [number / 100] * 10}, f"picture {number}") for number in range(count)]
    return [
        PictureJob(drawing, folder / f"{number}.png", folder / f"{number}.webp", few_colors=False)
        for number, drawing in enumerate(drawings)
    ]


def draw(given: list[PictureJob]) -> dict[Path, tuple[int, int] | DigitsError]:
    queue = PictureQueue()
    for job in given:
        queue.add(job)
    return queue.finish()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[PictureJob]:
    """Draw pictures one by one."""
    given = jobs(tmp_path_factory.mktemp("drawn") / "here", FEW + 1)
    assert all(not isinstance(size, DigitsError) for job in given for size in draw([job]).values())
    return given


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_many_pictures_are_drawn_by_processes_and_none_is_lost_with_one(
    drawn: list[PictureJob], tmp_path: Path, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if killed:
        monkeypatch.setattr("experiments.reporting.picture_files._leave_interrupts_to_parent", sys.exit)
    together = jobs(tmp_path / "processes", FEW + 1)
    sizes = draw(together)
    assert [*sizes] == [job.picture for job in together]
    for job, other in zip(drawn, together, strict=True):
        assert same_picture(job.picture, other.picture)
        assert sizes[other.picture] == picture_size(job.picture)
        assert other.preview.exists()


def test_data_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path / "here", 1)
    digits = np.zeros(50, np.uint8)
    broken = replace(job, drawing=Drawing.of(feature_map, np.ones((60, 3), np.float32), digits, "digits", "a map"))
    (error,) = draw([broken]).values()
    assert isinstance(error, DigitsError)
    assert "0.png: feature_map cannot be drawn" in str(error)
