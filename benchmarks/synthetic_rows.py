"""Seeded generator of pictures with rows of digits, whose strings and boxes are known.

Digits of a dataset are written beside each other by one pen: scaled, slanted, off the baseline, and many of them touch
their neighbor. The ink lies on paper with a color, a shadow, noise and sometimes ruled lines.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from experiments.datasets.dataset import Split

Ink = NDArray[np.floating]  # (height, width), from 0 to 1
Box = tuple[int, int, int, int]  # x, y, width, height in pixels

INK = 0.4  # strength from which a pixel is ink
MARGIN = 0.7  # around the text, of the height of digits
SPACING = 1.75  # from line to line, of the height of digits
OVERLAP = 0.3  # greatest overlap of the boxes of neighbors, of the height of digits


@dataclass(frozen=True)
class RowStyle:
    """What pictures to make.

    Attributes
    ----------
    lines, digits
        Number of lines, and of digits in each.
    touching
        Proportion of neighbors that are pushed together until they touch.
    groups
        Whether spaces, dashes, points and commas stand between some digits.
    heights
        Least and greatest height of digits in pixels.
    slant
        Greatest slant of a writer, as a tangent.
    jitter
        Standard deviation of the distance to the baseline, of the height of digits.
    slope
        Greatest slope of the baseline, as a tangent.
    plain
        Whether the ink is white and the paper black, without any noise.
    """

    lines: int = 1
    digits: int = 5
    touching: float = 0.6
    groups: bool = False
    heights: tuple[int, int] = (24, 90)
    slant: float = 0.15
    jitter: float = 0.05
    slope: float = 0.05
    plain: bool = False


@dataclass(frozen=True, eq=False)
class SyntheticRows:
    """A picture with its truth.

    Attributes
    ----------
    picture
        ``uint8 (height, width, 3)``.
    strings
        The digits of each line, from top to bottom.
    boxes
        The bounding box of each digit's ink, by line.
    touching
        Number of neighbors that touch.
    """

    picture: NDArray[np.uint8]
    strings: tuple[str, ...]
    boxes: tuple[tuple[Box, ...], ...]
    touching: int


@dataclass(frozen=True, eq=False)
class _Line:
    ink: Ink
    string: str
    boxes: tuple[Box, ...]
    touching: int


def synthetic_rows(split: Split, style: RowStyle, seed: int) -> SyntheticRows:
    """Make a picture; it depends only on the arguments.

    Parameters
    ----------
    split
        Images ``uint8 (n, height, width)``, white ink on black, with their labels.
    """
    rng = np.random.default_rng([seed, 10598])
    height = int(rng.integers(*style.heights, endpoint=True))
    slant = rng.uniform(-style.slant / 3, style.slant)
    slope = rng.uniform(-style.slope, style.slope)
    lines = [_write_line(split, style, height, slant, slope, rng) for _ in range(style.lines)]
    margin = round(MARGIN * height)
    below = round(SPACING * height)
    width = 2 * margin + max(line.ink.shape[1] for line in lines)
    ink = np.zeros(
        (2 * margin + (len(lines) - 1) * below + max(line.ink.shape[0] for line in lines), width), np.float32
    )
    boxes = []
    for number, line in enumerate(lines):
        top = margin + number * below
        left = margin + int(rng.integers(0, width - 2 * margin - line.ink.shape[1], endpoint=True))
        view = ink[top : top + line.ink.shape[0], left : left + line.ink.shape[1]]
        np.maximum(view, line.ink, out=view)
        boxes.append(tuple((left + x, top + y, w, h) for x, y, w, h in line.boxes))
    picture = _plain(ink) if style.plain else _on_paper(ink, height, rng)
    return SyntheticRows(
        picture, tuple(line.string for line in lines), tuple(boxes), sum(line.touching for line in lines)
    )


def _write_line(
    split: Split, style: RowStyle, height: int, slant: float, slope: float, rng: np.random.Generator
) -> _Line:
    """Write one line; the ink is cropped to its bounding box."""
    ink = np.zeros((3 * height + round(abs(slope) * 3 * height * style.digits), 3 * height * style.digits), np.float32)
    base = ink.shape[0] // 2 if slope == 0 else round(ink.shape[0] / 2 - slope * ink.shape[1] / 4)
    boxes: list[Box] = []
    string, touching, end = "", 0, height
    for position, index in enumerate(rng.integers(0, len(split), style.digits)):
        digit = _draw(split.images[index], height * rng.uniform(0.85, 1.15), slant)
        middle = base + slope * end + height * rng.normal(0, style.jitter)
        top = int(np.clip(round(middle - digit.shape[0] / 2), 0, ink.shape[0] - digit.shape[0]))
        gap = round(height * rng.uniform(0.06, 0.45))
        if position and style.groups and rng.random() < 0.3:
            end = _separate(ink, end, round(middle), height, rng)
        elif position and rng.random() < style.touching:
            clearance = min(_clearance(ink, digit, top, end), round(rng.uniform(0, OVERLAP) * height))
            gap = -clearance - int(rng.integers(0, 1 + height // 20, endpoint=True))
        left = max(end + gap, boxes[-1][0] + 1 if boxes else 0)
        view = ink[top : top + digit.shape[0], left : left + digit.shape[1]]
        touching += bool(position and _touches(view, digit))
        np.maximum(view, digit, out=view)
        boxes.append(_bounding_box(digit, left, top))
        end = max(end, left + digit.shape[1])
        string += str(split.labels[index])
    x, y, width, height = _bounding_box(ink, 0, 0)
    moved = tuple((left - x, top - y, w, h) for left, top, w, h in boxes)
    return _Line(ink[y : y + height, x : x + width], string, moved, touching)


def _draw(image: NDArray[np.uint8], height: float, slant: float) -> Ink:
    """Scale a digit so that its ink has a height of about that many pixels, and shear it."""
    x, y, width, rows = _bounding_box(image.astype(np.float32) / 255, 0, 0)
    scale = height / max(rows, 0.8 * width)
    size = (max(2, round(width * scale)), max(2, round(rows * scale)))
    digit = Image.fromarray(image[y : y + rows, x : x + width]).resize(size, Image.Resampling.BICUBIC)
    extra = int(np.ceil(abs(slant) * size[1]))
    start = -slant * size[1] if slant > 0 else 0.0
    sheared = digit.transform(
        (size[0] + extra, size[1]), Image.Transform.AFFINE, (1, slant, start, 0, 1, 0), Image.Resampling.BICUBIC
    )
    ink = np.asarray(sheared, np.float32) / 255
    columns = np.flatnonzero((ink > INK).any(axis=0))
    return ink[:, columns[0] : columns[-1] + 1]


def _clearance(ink: Ink, digit: Ink, top: int, end: int) -> int:
    """Return the least number of blank pixels, along rows, between the ink and a digit that starts at `end`."""
    before = ndimage.maximum_filter1d(ink[top : top + digit.shape[0], :end], 3, axis=0) > INK
    after = digit > INK
    both = before.any(axis=1) & after.any(axis=1)
    if not both.any():
        return 0
    right = np.argmax(before[both, ::-1], axis=1)
    return int((right + np.argmax(after[both], axis=1)).min())


def _touches(view: Ink, digit: Ink) -> bool:
    return bool((ndimage.maximum_filter(view, 3) > INK)[digit > INK].any())


def _bounding_box(ink: Ink, left: int, top: int) -> Box:
    """Return the bounding box of what is ink, moved by (left, top)."""
    rows = np.flatnonzero((ink > INK).any(axis=1))
    columns = np.flatnonzero((ink > INK).any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return left + x, top + y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def _separate(ink: Ink, end: int, middle: int, height: int, rng: np.random.Generator) -> int:
    """Write a space, dash, point or comma after `end`; return where it ends."""
    kind = rng.choice(["space", "dash", "point", "comma"])
    if kind == "space":
        return end + round(height * rng.uniform(0.5, 1.2))
    thick = max(2, round(0.11 * height))
    start = end + round(0.2 * height)
    width = round(height * rng.uniform(0.25, 0.4)) if kind == "dash" else thick
    top = middle if kind == "dash" else middle + round(0.5 * height) - thick
    tall = round(0.25 * height) if kind == "comma" else thick
    ink[top : top + tall, start : start + width] = 1.0
    return start + width + round(0.1 * height)


def _plain(ink: Ink) -> NDArray[np.uint8]:
    gray: NDArray[np.uint8] = np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _on_paper(ink: Ink, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write ink of some color on paper with a shadow, noise and sometimes ruled lines."""
    paper = np.broadcast_to(rng.uniform(165, 250) + rng.normal(0, 6, 3), (*ink.shape, 3)).copy()
    if rng.random() < 0.35:
        _rule(paper, height, rng)
    color = rng.uniform(10, 110, 3) if rng.random() < 0.5 else np.repeat(rng.uniform(10, 90), 3)
    soft = ndimage.gaussian_filter(ink, rng.uniform(0, 0.02) * height)[..., None] * rng.uniform(0.75, 1)
    picture = paper * (1 - soft) + color * soft
    if rng.random() < 0.2:
        picture = 255 - picture
    picture *= _shadow(ink.shape, rng)[..., None]
    picture += rng.normal(0, rng.uniform(0, 7), ink.shape)[..., None]
    rounded: NDArray[np.uint8] = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return rounded


def _rule(paper: NDArray[np.float64], height: int, rng: np.random.Generator) -> None:
    """Print ruled or squared lines on the paper."""
    step = round(height * rng.uniform(0.5, 1.8))
    thick = max(1, round(0.03 * height))
    fade = rng.uniform(0.55, 0.85)
    squared = rng.random() < 0.3
    for offset in range(thick):
        paper[offset + step // 2 :: step] *= fade
        if squared:
            paper[:, offset + step // 2 :: step] *= fade


def _shadow(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the share of light on each pixel: a slope and a soft blot."""
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)
    blot = np.exp(-((x - rng.uniform()) ** 2 + (y - rng.uniform()) ** 2) / rng.uniform(0.05, 0.5))
    light: NDArray[np.float64] = (1 - rng.uniform(0, 0.25) * (slope + 0.5)) * (1 - rng.uniform(0, 0.3) * blot)
    return light
