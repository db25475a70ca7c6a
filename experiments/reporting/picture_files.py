"""Picture files: of drawings, in several processes if there are many, and what is done with a file."""

import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.errors import DigitsError, first_line
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.style import TEXTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

FEW = 12  # pictures: they take less time than starting a process
MAX_PROCESSES = 4
COMPRESSION = 3  # of zlib: in two thirds of the time of level 6, 3 % more bytes
DPI = 120  # as the previews in MLflow; drawing takes a third of the time of twice as many
COLORS = 256  # maximum of a PNG with a palette
PREVIEW_WIDTH, PREVIEW_QUALITY = 640, 65  # pixels, and WebP's scale to 100: a report has many pictures


@dataclass(frozen=True, eq=False)
class PictureJob:
    """A picture to draw.

    Attributes
    ----------
    drawing
        Its figure.
    picture, preview
        The files to write: a PNG, and a smaller WebP.
    few_colors
        Whether to reduce the PNG to 256 colors.
    """

    drawing: Drawing
    picture: Path
    preview: Path
    few_colors: bool


class PictureQueue:
    """Draws pictures while more are added, in several processes once there are enough of them."""

    def __init__(self) -> None:
        self._jobs: list[PictureJob] = []
        self._sizes: list[Future[tuple[int, int] | DigitsError]] = []  # of the first jobs
        self._pool: ProcessPoolExecutor | None = None

    def add(self, job: PictureJob) -> None:
        """Add a picture."""
        self._jobs.append(job)
        if self._pool is None and len(self._jobs) > FEW:
            # Not a fork: the parent has threads.
            processes = min(os.cpu_count() or 1, MAX_PROCESSES)
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(processes, context, _leave_interrupts_to_parent)
        if self._pool:
            with suppress(BrokenProcessPool):
                self._sizes += [self._pool.submit(_draw, one) for one in self._jobs[len(self._sizes) :]]

    def finish(self) -> dict[Path, tuple[int, int] | DigitsError]:
        """Draw the rest; return the width and height of each picture in pixels, or why it cannot be drawn."""
        try:
            sizes = [_size(job, future) for job, future in zip_longest(self._jobs, self._sizes)]
        finally:
            if self._pool:
                self._pool.shutdown(cancel_futures=True)
        return {job.picture: size for job, size in zip(self._jobs, sizes, strict=True)}


def _size(job: PictureJob, future: "Future[tuple[int, int] | DigitsError] | None") -> tuple[int, int] | DigitsError:
    """Return the result of a picture's process; draw it here if there is none, or if the process was killed."""
    with suppress(BrokenProcessPool):
        if future:
            return future.result()
    return _draw(job)


def render(figure: "Figure") -> "Image":
    """Render a figure as an RGB image; the same figure gives the same pixels.

    `Figure.savefig` goes through all texts once more before it draws, in case the layout changes.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DPI)
    canvas: Any = FigureCanvasAgg(figure)  # its methods are untyped
    with rc_context(TEXTS):
        canvas.draw()
    return Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")


def save_picture(image: "Image", file: Path, *, few_colors: bool = False) -> None:
    """Save an RGB image as PNG, with a palette of its 256 most representative colors if these are enough.

    The palette halves the file and looks the same.
    """
    from PIL import Image

    if few_colors:
        reduced = image.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        reduced.save(file, compress_level=6)
    else:
        image.save(file, compress_level=COMPRESSION)


def save_preview(image: "Image", file: Path) -> None:
    """Save a copy of an RGB image as WebP, at most 640 pixels wide; the same image gives the same file."""
    from PIL import Image

    copy = image.copy()
    copy.thumbnail((PREVIEW_WIDTH, copy.height), Image.Resampling.LANCZOS, reducing_gap=2)
    copy.save(file, "WEBP", quality=PREVIEW_QUALITY, method=3)


def picture_size(file: Path) -> tuple[int, int]:
    """Return the width and height of an image file in pixels."""
    from PIL import Image

    with Image.open(file) as picture:
        return picture.size


def same_picture(file: Path, other: Path) -> bool:
    """Return whether two image files have the same pixels."""
    from PIL import Image, ImageChops

    with Image.open(file) as first, Image.open(other) as second:
        if first.size != second.size:
            return False
        return ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getbbox() is None


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _draw(job: PictureJob) -> tuple[int, int] | DigitsError:
    try:
        image = render(job.drawing.draw())
    except Exception as error:  # data of the right types may not fit together
        reason = f"{type(error).__name__}: {first_line(error)}"
        return DigitsError(f"{job.picture.name}: {job.drawing.figure} cannot be drawn: {reason}")
    save_picture(image, job.picture, few_colors=job.few_colors)
    save_preview(image, job.preview)
    return image.size
