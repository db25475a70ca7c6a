"""Picture files of drawings, in several processes if there are many."""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.errors import DigitsError, first_line
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.image_files import picture_size, reduce_colors, save_picture, save_preview

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 12  # pictures: they take less time than starting a process
MAX_PROCESSES = 4


@dataclass(frozen=True, eq=False)
class PictureJob:
    """A picture to draw.

    Attributes
    ----------
    content
        Its data; see `experiments.reporting.drawing.Drawing.to_npz`.
    picture, preview
        The files to write: a PNG, and a smaller WebP.
    few_colors
        Whether to reduce the PNG to 256 colors.
    """

    content: bytes
    picture: Path
    preview: Path
    few_colors: bool


def draw_pictures(jobs: Sequence[PictureJob]) -> list[tuple[int, int] | DigitsError]:
    """Draw pictures; return the width and height of each in pixels, or why it cannot be drawn."""
    processes = min(os.cpu_count() or 1, MAX_PROCESSES, len(jobs) // FEW)
    if processes < 2:
        return [_draw(job) for job in jobs]
    # Not a fork: the parent has threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _leave_interrupts_to_parent) as pool:
        try:
            return list(pool.map(_draw, jobs, chunksize=2))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _draw(job: PictureJob) -> tuple[int, int] | DigitsError:
    try:
        save_picture(_figure(job), job.picture)
    except DigitsError as error:
        return error
    save_preview(job.picture, job.preview)
    if job.few_colors:
        reduce_colors(job.picture)
    return picture_size(job.picture)


def _figure(job: PictureJob) -> "Figure":
    drawing = Drawing.from_npz(job.content)
    try:
        return drawing.draw()
    except Exception as error:  # data of the right types may not fit together
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DigitsError(f"{job.picture.name}: {drawing.figure} cannot be drawn: {reason}") from error
