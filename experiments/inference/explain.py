"""Pictures of how a picture was read: a strip of the steps, or the picture with the rows that were found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.inference.readings import Reading, RowReading
from experiments.pictures.digit import DigitPicture

if TYPE_CHECKING:
    from PIL import Image, ImageFont

HEIGHT = 168  # of a panel: six times the side of a digit
WIDTHS = (112, 672)  # of a panel, least and most
GAP, TITLE, FONT = 8, 22, 14  # pixels
LARGEST = 1600  # pixels of the longer side of a picture with rows
PAPER, INK, MARK = "white", "black", (214, 39, 40)


def strip(picture: NDArray[np.uint8], found: DigitPicture | None, reading: Reading) -> "Image.Image":
    """Draw the steps from a picture to its digit, side by side, each with its title.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)``.
    found
        What was found in it, with `steps`; None if it is blank.
    """
    steps = {"picture": picture} if found is None else {**({} if found.steps else {"picture": picture}), **found.steps}
    panels = {title: _panel(pixels) for title, pixels in steps.items()}
    if found is not None:
        panels[_verdict(reading)] = _panel(found.views[0])
    else:
        panels["no digit found"] = _panel(np.full((1, 1), 255, np.uint8))
    return _side_by_side(panels)


def annotated(picture: NDArray[np.uint8], rows: Sequence[RowReading]) -> "Image.Image":
    """Draw a box around each digit of a picture, with the digit and its probability in percent above it."""
    from PIL import Image, ImageDraw

    drawn = Image.fromarray(picture)
    scale = LARGEST / max(drawn.size)
    drawn = drawn.resize((max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale))))
    draw, font = ImageDraw.Draw(drawn), _font()
    for digit in (digit for row in rows for digit in row.digits):
        left, top, width, height = (scale * side for side in digit.box)
        draw.rectangle((left, top, left + width, top + height), outline=MARK, width=2)
        text = f"{digit.digit} {100 * digit.probability:.0f}"
        draw.text((left, max(0.0, top - FONT - 4)), text, MARK, font)
    return drawn


def _verdict(reading: Reading) -> str:
    doubt = "" if reading.is_digit else ", hardly a digit"
    return f"{reading.digit} ({100 * reading.probability:.1f} %{doubt})"


def _panel(pixels: NDArray[np.uint8]) -> "Image.Image":
    """Scale a picture to the height of a panel; small ones keep their pixels visible."""
    from PIL import Image

    image = Image.fromarray(pixels).convert("RGB")
    scale = min(HEIGHT / image.height, WIDTHS[1] / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def _side_by_side(panels: "dict[str, Image.Image]") -> "Image.Image":
    from PIL import Image, ImageDraw

    font = _font()
    widths = [max(panel.width, round(font.getlength(title)), WIDTHS[0]) for title, panel in panels.items()]
    whole = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), HEIGHT + TITLE + 2 * GAP), PAPER)
    draw, left = ImageDraw.Draw(whole), GAP
    for (title, panel), width in zip(panels.items(), widths, strict=True):
        draw.text((left, GAP // 2), title, INK, font)
        whole.paste(panel, (left, TITLE + GAP))
        draw.rectangle((left - 1, TITLE + GAP - 1, left + panel.width, TITLE + GAP + panel.height), outline="gray")
        left += width + GAP
    return whole


def _font() -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(FONT)
