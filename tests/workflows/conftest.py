"""Fixtures for the tests of workflows."""

from collections.abc import Sequence

import pytest
from PIL import Image

from experiments.errors import DigitsError
from experiments.reporting.drawing import Drawing
from experiments.reporting.pictures import PictureJob


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write blank pictures instead of drawing them."""

    def draw(jobs: Sequence[PictureJob]) -> list[tuple[int, int] | DigitsError]:
        return [blank(job) for job in jobs]

    def blank(job: PictureJob) -> tuple[int, int] | DigitsError:
        try:
            Drawing.from_npz(job.content)
        except DigitsError as error:
            return error
        for file in (job.picture, job.preview):
            Image.new("L", (40, 30)).save(file)
        return 40, 30

    monkeypatch.setattr("experiments.workflows.report.assets.draw_pictures", draw)
