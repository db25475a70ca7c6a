"""Ways to cut a digit out between neighbors that touch it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from experiments.pictures.cuts import LINE_HEIGHT, Segment, cut_line, list_segments
from experiments.pictures.normalization import fit_to_mnist
from experiments.pictures.strokes import with_usual_strokes

Gray = NDArray[np.uint8]

MIN_HEIGHT = 0.35  # of the digit's height, of a candidate
OFF = 0.5  # of the digit's height: candidates farther from the middle of the picture are left out
MOST = 48  # candidates, those of the lowest price

# Of the price of a candidate. Fitted on synthetic cut-outs of documents (`benchmarks/synthetic_pictures.py`), made of
# MNIST's validation digits, by the likelihood of those candidates that the network reads rightly.
FAR, ASIDE, HIGH, CROSSED, LOW, SMALL, TOUCHING = 24.0, 0.8, 1.3, 0.1, 0.7, 1.3, 0.2
USUAL_HEIGHT = 0.8  # of the digit's height


def candidates(strength: Gray, height: int, view: Gray) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """List what may be the digit in the middle of a picture, as digits of MNIST, with a price for each.

    Parameters
    ----------
    strength
        The ink of the whole picture, uint8 (height, width).
    height
        Of the digit in pixels.
    view
        The digit as found without cuts, uint8 (28, 28), returned if there is no candidate.

    Returns
    -------
    tuple
        Views, uint8 (k, 28, 28), and prices, float64 (k,), the lowest first.
    """
    scale = LINE_HEIGHT / max(height, strength.shape[0] / 2)
    size = (max(1, round(strength.shape[1] * scale)), max(1, round(strength.shape[0] * scale)))
    line = np.asarray(Image.fromarray(strength).resize(size, Image.Resampling.BILINEAR))
    segments = [one for one in list_segments(cut_line(line)) if _is_possible(one, line.shape)]
    if not segments:
        return view[None], np.zeros(1)
    prices = np.array([_price(segment, line.shape) for segment in segments])
    order = np.argsort(prices, kind="stable")[:MOST]
    return np.stack([fit_to_mnist(with_usual_strokes(segments[i].ink)) for i in order]), prices[order]


def _off(segment: Segment, shape: tuple[int, int]) -> tuple[float, float]:
    """Return how far a segment is from the middle, down and to the right, in heights of the digit."""
    height, width = segment.ink.shape
    return (segment.y + height / 2 - shape[0] / 2) / LINE_HEIGHT, (segment.x + width / 2 - shape[1] / 2) / LINE_HEIGHT


def _is_possible(segment: Segment, shape: tuple[int, int]) -> bool:
    return segment.ink.shape[0] >= MIN_HEIGHT * LINE_HEIGHT and abs(_off(segment, shape)[1]) <= OFF


def _price(segment: Segment, shape: tuple[int, int]) -> float:
    """Return the price of a segment: for its place, the cuts beside it, and its size."""
    down, right = _off(segment, shape)
    height, width = segment.ink.shape
    touching = segment.x == 0 or segment.x + width >= shape[1]
    return (
        FAR * right**2
        + ASIDE * abs(right)
        + HIGH * down**2
        + CROSSED * segment.crossed
        + LOW * max(0.0, USUAL_HEIGHT - height / LINE_HEIGHT)
        + SMALL * (1 - height / shape[0])
        + TOUCHING * touching
    )
