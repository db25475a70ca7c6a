"""Pictures that explain the reading of rows: boxes in the picture, and how each line was parted and read."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from experiments.inference.lattice import best_path, edge_posteriors
from experiments.inference.rows import Lattice, digit_probabilities, read_lattice

WIDTH = 1200  # pixels: the picture is enlarged or reduced to that, but enlarged fourfold at most
ENLARGED = 3  # pixels for one of a line's
TEXT = 16  # pixels
MARGIN = 10  # pixels
ALTERNATIVES = 3  # digits named for each segment
SHOWN = 0.005  # probability from which an alternative is named
DARK, WHITE, GRAY = (24, 24, 28), (240, 240, 240), (130, 130, 135)
CUT = (200, 60, 60)
SURE, UNSURE = (40, 160, 90), (225, 120, 20)
SURE_FROM = 0.9  # probability
# Two neighbors never have the same color; after Okabe, Ito (2008).
PART_COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (204, 121, 167))


def annotate_rows(picture: NDArray[np.uint8], lattices: list[Lattice], length: int | None = None) -> NDArray[np.uint8]:
    """Draw the boxes of the best paths into a picture, and below it each line with its cuts and alternatives.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)``.
    lattices
        Of its lines, from `build_lattices`.
    length
        Number of digits in each line, as given to `read_rows`.

    Returns
    -------
    ``uint8 (height, width, 3)``.
    """
    panels = [_panel(lattice, length) for lattice in lattices]
    page = [_boxes(picture, lattices, length), *(panel for panel in panels if panel is not None)]
    width = max(image.width for image in page)
    sheet = Image.new("RGB", (width, sum(image.height for image in page)), DARK)
    top = 0
    for image in page:
        sheet.paste(image, (0, top))
        top += image.height
    return np.asarray(sheet)


def _boxes(picture: NDArray[np.uint8], lattices: list[Lattice], length: int | None) -> Image.Image:
    """Draw each digit's box and value."""
    scale = min(4.0, WIDTH / picture.shape[1])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    image = Image.fromarray(picture).resize(size)
    draw = ImageDraw.Draw(image)
    for reading in (read_lattice(lattice, length) for lattice in lattices):
        for digit in reading.digits if reading is not None else ():
            x, y, width, height = (side * scale for side in digit.box)
            color = SURE if digit.probability >= SURE_FROM else UNSURE
            draw.rectangle([x - 2, y - 2, x + width + 1, y + height + 1], outline=color, width=2)
            draw.text((x, max(0, y - TEXT - 4)), str(digit.digit), fill=color, font=_font())
    return image


def _panel(lattice: Lattice, length: int | None) -> Image.Image | None:
    """Draw a line's parts in colors, the best path's segments, and the most probable digits of each."""
    reading = read_lattice(lattice, length)
    path = best_path(lattice.edges, lattice.row.positions, length)
    if reading is None or path is None:
        return None
    posteriors = edge_posteriors(lattice.edges, lattice.row.positions, length)
    title = f"{reading.string}  probability {reading.probability:.3f}"
    line = _line(lattice)
    above = 2 * MARGIN + TEXT
    size = (
        max(line.width + 2 * MARGIN + 4 * TEXT, round(_font().getlength(title)) + 2 * MARGIN),
        above + line.height + ALTERNATIVES * (TEXT + 2) + 2 * MARGIN,
    )
    panel = Image.new("RGB", size, DARK)
    panel.paste(line, (MARGIN, above))
    draw = ImageDraw.Draw(panel)
    draw.text((MARGIN, MARGIN // 2), title, fill=WHITE, font=_font())
    for index in path:
        _segment(draw, lattice, index, posteriors, above)
    return panel


def _segment(
    draw: ImageDraw.ImageDraw, lattice: Lattice, index: int, posteriors: NDArray[np.float64], above: int
) -> None:
    """Frame one segment of the best path and list its alternatives below the line; a skipped one gets gray."""
    left, top, _, line_height = _extent(lattice)
    segment = lattice.segments[index]
    height, width = segment.ink.shape
    start, end = MARGIN + (segment.x - left) * ENLARGED, MARGIN + (segment.x - left + width) * ENLARGED
    upper, lower = above + (segment.y - top) * ENLARGED, above + (segment.y - top + height) * ENLARGED
    if lattice.edges[index].digits is None:
        draw.rectangle([start, upper, end, lower], outline=GRAY)
        return
    probabilities = digit_probabilities(lattice, posteriors, index)
    draw.rectangle([start, upper, end, lower], outline=WHITE, width=2)
    for rank, digit in enumerate(np.argsort(-probabilities)[:ALTERNATIVES]):
        if rank == 0 or probabilities[digit] >= SHOWN:
            place = (start, above + line_height * ENLARGED + MARGIN // 2 + rank * (TEXT + 2))
            draw.text(place, f"{digit} {probabilities[digit]:.2f}", fill=WHITE if rank == 0 else GRAY, font=_font())


def _extent(lattice: Lattice) -> tuple[int, int, int, int]:
    """Return x, y, width and height of a line's ink."""
    parts = lattice.row.parts
    left, top = min(part.x for part in parts), min(part.y for part in parts)
    right = max(part.x + part.ink.shape[1] for part in parts)
    return left, top, right - left, max(part.y + part.ink.shape[0] for part in parts) - top


def _line(lattice: Lattice) -> Image.Image:
    """Draw the parts of a line in alternating colors, with their candidate cuts."""
    left, top, width, height = _extent(lattice)
    canvas = np.zeros((height, width, 3), np.float32)
    for number, part in enumerate(lattice.row.parts):
        rows, columns = part.ink.shape
        view = canvas[part.y - top : part.y - top + rows, part.x - left : part.x - left + columns]
        color = np.array(PART_COLORS[number % len(PART_COLORS)], np.float32)
        np.maximum(view, part.ink[..., None] / np.float32(255) * color, out=view)
    image = Image.fromarray(canvas.astype(np.uint8)).resize((width * ENLARGED, height * ENLARGED))
    draw = ImageDraw.Draw(image)
    for part in lattice.row.parts:
        for seam in part.seams:
            across = [((part.x - left + x) * ENLARGED, (part.y - top + y) * ENLARGED) for y, x in enumerate(seam)]
            draw.line(across, fill=CUT)
    return image


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TEXT)
