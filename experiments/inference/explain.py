"""Pictures of how a digit was read: a strip of the steps."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.inference.readings import Reading
from experiments.pictures.digit import DigitPicture

if TYPE_CHECKING:
    from PIL import Image, ImageFont

HEIGHT = 168  # of a panel: six times the side of a digit
WIDTHS = (112, 672)  # of a panel, least and most
GAP, TITLE, FONT = 8, 22, 14  # pixels
PAPER, INK = "white", "black"


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
    panels |= {f"view {i}": _panel(view) for i, view in enumerate([] if found is None else found.views[1:], 2)}
    return _side_by_side(panels, _verdict(reading))


def _verdict(reading: Reading) -> str:
    if reading.digit is None:
        return "no digit found"
    doubt = "" if reading.is_digit else ", hardly a digit"
    return f"read as {reading.digit}, {100 * reading.probability:.1f} %{doubt}"


def _panel(pixels: NDArray[np.uint8]) -> "Image.Image":
    """Scale a picture to the height of a panel; small ones keep their pixels visible."""
    from PIL import Image

    image = Image.fromarray(pixels).convert("RGB")
    scale = min(HEIGHT / image.height, WIDTHS[1] / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def _side_by_side(panels: "dict[str, Image.Image]", below: str) -> "Image.Image":
    from PIL import Image, ImageDraw

    font = _font()
    widths = [max(panel.width, round(font.getlength(title)), WIDTHS[0]) for title, panel in panels.items()]
    whole = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), HEIGHT + 2 * (TITLE + GAP)), PAPER)
    draw, left = ImageDraw.Draw(whole), GAP
    for (title, panel), width in zip(panels.items(), widths, strict=True):
        draw.text((left, GAP // 2), title, INK, font)
        whole.paste(panel, (left, TITLE + GAP))
        draw.rectangle((left - 1, TITLE + GAP - 1, left + panel.width, TITLE + GAP + panel.height), outline="gray")
        left += width + GAP
    draw.text((GAP, HEIGHT + TITLE + 3 * GAP // 2), below, INK, font)
    return whole


def _font() -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(FONT)
