"""Segments of rows of digits: what lies between two cuts, whole digits and wrong cuts.

A row is read by the best path over its segments (`experiments.inference.rows`), most of which are no digits. A network
that has learned them as outsiders knows a wrong cut when it sees one.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split
from experiments.pictures.cuts import LINE_HEIGHT, Segment, cut_line, list_segments
from experiments.pictures.normalization import crop, fit_to_mnist

Pixels = NDArray[np.uint8]
Random = np.random.Generator

DIGITS = 4  # of a row
WRONG = 8  # segments of a row that are taken as outsiders, at most
SIZES = (0.8, 1.15)  # of the height of a row
SLANTS = (-0.15, 0.5)  # columns a row, to the right
GAPS = (-6.0, 5.0)  # pixels between neighbors where they are nearest; below 0 they overlap
JITTER = 3  # pixels off the baseline
INK = 100  # of 255, from which a pixel is ink
SAME, OTHER = 0.85, 0.6  # shared ink of a segment and a digit, as a proportion of the ink of both


def row_segments(digits: Split, count: int, seed: int) -> Split:
    """Cut rows made of `digits`; return segments that are whole digits with their label, and wrong ones with 10.

    Parameters
    ----------
    count
        How many wrong segments; there are about half as many whole digits.
    """
    random = np.random.default_rng([seed, CLASSES, DIGITS])
    images: list[Pixels] = []
    labels: list[int] = []
    wrong = 0
    while wrong < count:
        chosen = random.integers(0, len(digits), DIGITS)
        line, masks = _row(random, [digits.images[i] for i in chosen])
        found = [(one, _label(one, masks, digits.labels[chosen])) for one in list_segments(cut_line(line))]
        outside = [(one, label) for one, label in found if label == CLASSES and one.may_be_digit]
        kept = random.permutation(len(outside))[: min(WRONG, count - wrong)]
        for segment, label in [*(outside[i] for i in kept), *_whole(found)]:
            images.append(fit_to_mnist(segment.ink))
            labels.append(label)
        wrong += len(kept)
    return Split(np.stack(images), np.array(labels, np.int64))


def _row(random: Random, images: list[Pixels]) -> tuple[Pixels, list[NDArray[np.bool_]]]:
    """Write digits beside each other; return the row, uint8 (height, width), and the ink of each digit in it."""
    slant = random.uniform(*SLANTS)
    inks = [_slanted(crop(image), random.uniform(*SIZES) * LINE_HEIGHT, slant) for image in images]
    height = 2 * LINE_HEIGHT
    line = np.zeros((height, sum(ink.shape[1] for ink in inks) + 20 * len(inks)), np.uint8)
    masks: list[NDArray[np.bool_]] = []
    for ink in inks:
        top = int(1.5 * LINE_HEIGHT - len(ink) + random.integers(-JITTER, JITTER + 1))
        top = min(max(top, 0), height - len(ink))
        left = _left(line[top : top + len(ink)], ink, random.uniform(*GAPS)) if masks else 8
        own = np.zeros_like(line)
        own[top : top + len(ink), left : left + ink.shape[1]] = ink[:, : line.shape[1] - left]
        masks.append(own > INK)
        np.maximum(line, own, out=line)
    return line, masks


def _slanted(ink: Pixels, height: float, slant: float) -> Pixels:
    """Resize ink to a height in pixels and slant it to the right."""
    from PIL import Image

    rows = max(8, round(height))
    columns = max(2, round(ink.shape[1] * rows / len(ink)))
    reach = round(abs(slant) * rows)
    image = Image.fromarray(ink).resize((columns, rows), Image.Resampling.BICUBIC)
    start = reach if slant > 0 else 0
    sheared = image.transform(
        (columns + reach, rows),
        Image.Transform.AFFINE,
        (1, slant, -start, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    return crop(np.asarray(sheared))


def _left(line: Pixels, ink: Pixels, gap: float) -> int:
    """Return the column from which on ink is `gap` pixels from what is on the line, in the row where it is nearest."""
    columns = np.arange(line.shape[1])
    last = np.where(line > INK, columns, -1).max(axis=1)
    first = np.where((ink > INK).any(axis=1), (ink > INK).argmax(axis=1), line.shape[1])
    near = int(np.where(last >= 0, last - first, -line.shape[1]).max())
    whole = int(np.flatnonzero((line > INK).any(axis=0)).max(initial=0))
    return min(max(near + 1 + round(gap), whole - ink.shape[1] // 2, 0), line.shape[1] - ink.shape[1])


def _label(segment: Segment, masks: list[NDArray[np.bool_]], labels: NDArray[np.int64]) -> int | None:
    """Return the label of the digit that a segment is, 10 if it is none, and None if that is not clear."""
    height, width = segment.ink.shape
    own = np.zeros_like(masks[0])
    own[segment.y : segment.y + height, segment.x : segment.x + width] = segment.ink > INK
    shared = [float((own & mask).sum()) / max(1.0, float((own | mask).sum())) for mask in masks]
    best = int(np.argmax(shared))
    if shared[best] >= SAME:
        return int(labels[best])
    return CLASSES if shared[best] <= OTHER else None


def _whole(found: list[tuple[Segment, int | None]]) -> list[tuple[Segment, int]]:
    """Return one segment for each label of a digit."""
    digits = {label: (segment, label) for segment, label in found if label is not None and label != CLASSES}
    return list(digits.values())
