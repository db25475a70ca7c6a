"""How thick the strokes of digits are, and digits made thicker or thinner.

The width is that of the strokes in Steiner's formula (J. Steiner, 1840, "Ueber parallele Flaechen"): strokes of width w
with round ends, of length l in all and of Euler number x (pieces less holes), have the area ``w l + x pi w^2 / 4`` and
the outline ``2 l + x pi w``. The outline of a grey picture is the mean of its outlines at all grey levels, which by the
coarea formula is its total variation. So there is neither a skeleton nor a threshold in it, but for the Euler number.

Strokes grow and shrink by grey-scale morphology with a disc (Serra 1982, "Image Analysis and Mathematical Morphology"):
the outlines at all grey levels move by its radius, a fraction of a pixel, and the blur of the edges stays what it was.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import SIDE, Split
from experiments.errors import UsageError

DIRECTIONS = 16  # from which ink moves: the disc as a polygon, whose radius is within 2 % of a circle's
ROUNDS = 4  # of moving the outlines by half of what the width is wrong
FARTHEST = 4.0  # pixels by which an outline moves at most: what is on black in MNIST's frame stays inside 28x28

BLOCK = 256  # what is worked on at a time, in digits: few enough to stay in the processor's cache

Images = NDArray[np.uint8]
Ink = NDArray[np.float32]  # (n, 28, 28), in [0, 1]
Widths = NDArray[np.float64]


def stroke_width(images: Images) -> Widths:
    """Return how thick the strokes of each digit are.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black. How bright the ink is does not matter.

    Returns
    -------
    ``float64 (n,)``, in pixels; 0 for a blank image. A straight stroke or a ring of 2.5 pixels and more is measured to
    within 0.2 pixels, one of 2 pixels to within 0.3; thinner ones are as blurred as thick ones are and appear thicker
    than they were, one of 1 pixel as of 1.4 to 2.1. A blot without length has its diameter, give or take an eighth.
    """
    blocks = [_width(_ink(images[start : start + BLOCK])) for start in range(0, len(images), BLOCK)]
    return np.concatenate([*blocks, np.empty(0)])


def match_stroke_width(split: Split, width: float) -> Split:
    """Return the digits with strokes as thick as `width`, or as near to it as they come.

    Their outlines move outwards or inwards by fractions of a pixel, as far as brings `stroke_width` to `width`. No
    digit gets farther from it than it was; one that is there already stays as it is, and so does a blank one. Thinning
    leaves the skeleton of a digit, so that it neither vanishes nor falls apart. 10,000 digits take seconds of one core.

    Parameters
    ----------
    width
        In pixels, above 0 and below 28.

    Raises
    ------
    UsageError
        When `width` is not between them.
    """
    if not 0 < width < SIDE:
        raise UsageError(f"a stroke width must be above 0 and below {SIDE} pixels, received {width}")
    images = np.empty_like(split.images)
    for start in range(0, len(split), BLOCK):
        images[start : start + BLOCK] = _matched(split.images[start : start + BLOCK], width)
    return Split(images, split.labels)


def _ink(images: Images) -> Ink:
    return np.divide(images, np.float32(255), dtype=np.float32)


def _width(ink: Ink) -> Widths:
    """Solve Steiner's formula for the width, the brightest ink of each digit being 1."""
    brightest = ink.max(axis=(1, 2), initial=0)
    there = np.where(brightest > 0, brightest, np.float32(1))[:, np.newaxis, np.newaxis]
    edged: Ink = np.pad(ink / there, ((0, 0), (1, 1), (1, 1)))
    area = edged.sum(axis=(1, 2), dtype=np.float64)
    outline = _total_variation(edged)
    root = np.sqrt(np.maximum(outline**2 - 4 * np.pi * _euler_number(edged > 0.5) * area, 0))
    return 4 * area / np.where(area > 0, outline + root, 1)


def _total_variation(ink: Ink) -> Widths:
    """Sum the steepness of the ink in the middle between each four pixels."""
    across, down = np.diff(ink, axis=2), np.diff(ink, axis=1)
    steepness = np.hypot(across[:, 1:] + across[:, :-1], down[:, :, 1:] + down[:, :, :-1]) / 2
    return steepness.sum(axis=(1, 2), dtype=np.float64)


def _euler_number(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Count pieces less holes, pixels that touch at a corner being one piece, by the quads of each four pixels.

    Gray (1971), "Local properties of binary images in two dimensions", IEEE Transactions on Computers 20(5).
    """
    above, below = ink[:, :-1], ink[:, 1:]
    corners = (above[:, :, :-1], above[:, :, 1:], below[:, :, :-1], below[:, :, 1:])
    held = np.sum(corners, axis=0, dtype=np.int8)
    diagonal = (held == 2) & (corners[0] == corners[3])
    ones, threes, diagonals = (np.count_nonzero(q, axis=(1, 2)) for q in (held == 1, held == 3, diagonal))
    return (ones - threes - 2 * diagonals) / 4


def _matched(images: Images, width: float) -> Images:
    """Move outlines until the widths are met, and keep the best of what comes up on the way."""
    ink = _ink(images)
    skeletons = np.where(_skeletons(images), ink, 0)
    widths, moves = _width(ink), np.zeros(len(images))
    nearest, least = images.copy(), np.abs(widths - width)
    for _ in range(ROUNDS):
        moves = np.clip(moves + (width - widths) / 2, -FARTHEST, FARTHEST)
        moved = np.rint(np.maximum(_moved(ink, moves), skeletons) * 255).astype(np.uint8)
        widths = _width(_ink(moved))
        wrong = np.abs(widths - width)
        nearest[wrong < least] = moved[wrong < least]
        least = np.minimum(wrong, least)
    return nearest


def _skeletons(images: Images) -> NDArray[np.bool_]:
    """Mark the middle of the strokes, one pixel wide, by the method of Zhang and Suen (1984)."""
    from skimage.morphology import skeletonize

    strokes = images > images.max(axis=(1, 2), keepdims=True, initial=0) // 2
    # As one tall picture, a blank row between the digits: one call in place of one for each.
    column = np.pad(strokes, ((0, 0), (0, 1), (0, 0))).reshape(-1, SIDE)
    return skeletonize(column).reshape(-1, SIDE + 1, SIDE)[:, :SIDE]


def _moved(ink: Ink, by: Widths) -> Ink:
    """Move the outlines of each digit outwards by so many pixels; inwards is the paper's outlines outwards."""
    moved = np.empty_like(ink)
    growing = by > 0
    moved[growing] = _grown(ink[growing], by[growing], beyond=0)
    moved[~growing] = 1 - _grown(1 - ink[~growing], -by[~growing], beyond=1)
    return moved


def _grown(bright: Ink, radius: Widths, beyond: float) -> Ink:
    """Make each pixel as bright as the brightest point within a radius; around the picture it is `beyond`.

    A disc is the sum of smaller ones: what is farther than a pixel is reached in several steps.
    """
    far = radius.astype(np.float32)[:, np.newaxis, np.newaxis]
    for reached in range(int(np.ceil(far.max(initial=0)))):
        step = np.clip(far - reached, 0, 1)
        framed = np.pad(bright, ((0, 0), (1, 1), (1, 1)), constant_values=beyond)
        for angle in np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS):
            seen = _seen(_seen(framed, step * np.sin(angle, dtype=np.float32), 1), step * np.cos(angle), 2)
            bright = np.maximum(bright, seen)
    return bright


def _seen(framed: Ink, offsets: Ink, axis: int) -> Ink:
    """Look at what is up to a pixel farther along an axis, between the pixels (linear); all offsets have one sign."""
    ahead = 2 if offsets.max(initial=0) > 0 else 0
    size = framed.shape[axis] - 2
    here, there = (np.take(framed, range(first, first + size), axis) for first in (1, ahead))
    return here + np.abs(offsets) * (there - here)
