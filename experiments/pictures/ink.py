"""Separation of ink and paper in a picture of any color, lighting and polarity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.pictures import filters

Color = NDArray[np.uint8]  # (height, width, 3)
Strength = NDArray[np.float32]  # (height, width), 0 for paper to 1 for full ink
Mask = NDArray[np.bool_]  # (height, width)

PAPER_SIDE = 64  # pixels to which the longer side is reduced: paper is smooth
WINDOWS = (0.6, 0.4)  # of the shorter side: over which the paper is estimated, round by round
MIN_WINDOW = 9  # pixels of the reduced picture
MIN_CONTRAST = 14.0  # gray levels of 255 between paper and ink
MIN_SIGNAL = 4.0  # contrast between paper and ink as a multiple of the paper's noise
FULL_INK = 75  # percentile of the strong ink above which ink counts as full
FAINT = 0.35  # of full ink: where the strongest ink nearby is fainter than that, it counts as much
THRESHOLD = 0.4  # of the strongest ink nearby
UNCERTAIN = 1.5  # ratio of the contrasts on both sides of the paper below which their shapes decide
EVEN = 0.6  # of the border of a picture
BINS = 64
HIGHEST_THRESHOLD = 0.5  # of the strongest contrast


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of a picture.

    Attributes
    ----------
    strength
        How much ink each pixel shows, float32 (height, width) in [0, 1].
    mask
        Which pixels are ink, bool (height, width).
    paper
        The estimated paper, uint8 (height, width, 3), or (height, width, 1) if the picture is gray.
    """

    strength: Strength
    mask: Mask
    paper: Color


def find_ink(picture: Color) -> Ink | None:
    """Find the ink of a picture; return None if there is none.

    The paper is estimated at every pixel, as the mean of what is no ink around it, so that shadows and vignettes
    vanish. Ink is what differs from the paper in the direction of the ink's color: dark on light or light on dark, and
    of any color. Faint strokes are raised to the level of the others.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)``.
    """
    values = _without_copies(picture)
    paper, sign = estimate_paper(values)
    difference = values.astype(np.float32) - paper
    contrast = sign * difference.mean(axis=2)
    strong = contrast > otsu_threshold(contrast)
    if not strong.any():
        return None
    color = difference[strong].mean(axis=0)
    along = difference @ (color / np.sqrt(color @ color)) / np.sqrt(np.float32(color.size))
    full = float(np.percentile(along[strong], FULL_INK))
    noise = 1.4826 * float(np.median(np.abs(along[~strong]))) if not strong.all() else 0.0
    if full < max(MIN_CONTRAST, MIN_SIGNAL * noise):
        return None
    side = max(3, min(picture.shape[:2]) // 3)
    nearby = np.clip(filters.maximum_filter(along, side), FAINT * full, full)
    strength = np.clip(along / nearby, 0, 1)
    return Ink(strength, strength > THRESHOLD, paper)


def estimate_paper(picture: Color) -> tuple[Color, float]:
    """Estimate the paper of a picture, uint8 (height, width, 1 or 3), at every pixel.

    Returns
    -------
    tuple
        The paper, uint8 of the same shape, and 1 for light ink on dark paper or -1 for dark ink on light paper.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    scale = min(1.0, PAPER_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = Image.fromarray(picture if picture.shape[2] == 3 else picture[..., 0])
    small = np.asarray(image.resize(size, Image.Resampling.BOX), np.float32).reshape(size[1], size[0], -1)
    paper = _blur(small, max(size))
    gray = small.mean(axis=2)
    sign = _polarity(gray if _is_even(gray) else gray - paper.mean(axis=2))
    for window in WINDOWS:
        contrast = sign * (small - paper).mean(axis=2)
        ink = filters.dilate(contrast > otsu_threshold(contrast), corners=False)
        paper = _mean_outside(small, ink, max(MIN_WINDOW, int(window * min(size))))
    rounded = np.clip(np.rint(paper), 0, 255).astype(np.uint8)
    image = Image.fromarray(rounded if rounded.shape[2] == 3 else rounded[..., 0])
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(picture.shape), sign


def _without_copies(picture: Color) -> Color:
    """Return the one channel of a gray picture: all three are the same."""
    first = picture[..., 0]
    gray = np.array_equal(first, picture[..., 1]) and np.array_equal(first, picture[..., 2])
    return np.ascontiguousarray(picture[..., :1]) if gray else picture


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Return the threshold that parts the positive values into the two classes of least variance (Otsu 1979).

    It is at most half of the highest value: on clean paper all positive values are ink, which is not to be parted.
    """
    highest = float(values.max())
    if highest <= 0:
        return 0.0
    counts = np.bincount((values[values > 0] * (BINS / highest)).astype(np.intp), minlength=BINS + 1)
    middles = np.arange(BINS + 1) + 0.5
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    between = np.nan_to_num(between)
    best = int(np.argmax(between >= between.max() * (1 - 1e-6)))  # the lowest, where rounding alone tells them apart
    return min((best + 1) / BINS, HIGHEST_THRESHOLD) * highest


def _blur(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Blur (height, width, channels) by a box."""
    return filters.uniform_filter(values, window)


def _mean_outside(values: NDArray[np.float32], ink: Mask, window: int) -> NDArray[np.float32]:
    """Return the mean of what is no ink around each pixel; that of the whole picture where all around it is ink."""
    weight = (~ink).astype(np.float32)[..., None]
    total = weight.sum()
    mean = (values * weight).sum(axis=(0, 1)) / total if total else values.mean(axis=(0, 1))
    share = np.float32(1e-3)
    paper: NDArray[np.float32] = (_blur(values * weight, window) + share * mean) / (_blur(weight, window) + share)
    return paper


def _is_even(gray: NDArray[np.float32]) -> bool:
    """Return whether nearly all of the border has one gray level: a drawing or a scan, on paper without shadows."""
    border = _border(gray)
    return bool((np.abs(border - np.median(border)) <= MIN_CONTRAST).mean() >= EVEN)


def _border(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])


def _polarity(contrast: NDArray[np.float32]) -> float:
    """Return 1 for light ink on dark paper and -1 for dark ink on light paper.

    The border of a picture is mostly paper, and ink is what is farthest from it. If both sides are about as far, or ink
    covers too little of the picture to tell, the longer tail of the gray levels is ink.
    """
    level = float(np.median(_border(contrast)))
    low, high = np.percentile(contrast, [2, 98])
    dark, light = level - float(low), float(high) - level
    if max(dark, light) > UNCERTAIN * min(dark, light):
        return 1.0 if light > dark else -1.0
    return 1.0 if float(((contrast - level) ** 3).mean()) > 0 else -1.0
