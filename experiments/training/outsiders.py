"""Images of what is no digit, from which a network learns to be unsure.

After Hendrycks, Mazeika & Dietterich (2019), "Deep anomaly detection with outlier exposure": images outside of all
classes are learned with a uniform target.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split, concatenate
from experiments.models import Recipe
from experiments.pictures.normalization import SIDE, crop, fit_to_mnist
from experiments.training.letters import STROKES

if TYPE_CHECKING:
    pass

OUTSIDE = CLASSES  # the label of an outsider
CANVAS = 120  # pixels on which strokes are drawn
ROOM = 24  # pixels of paper around them
DOT = 2  # points of a stroke that has no length
# Halves of other digits are themselves like digits: the right one of an 8 is a 3.
FRAGMENTS = {0: (0, 1), 2: (0, 1), 3: (0,), 5: (0, 1), 6: (0, 1), 8: (0,), 9: (0, 1)}

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Random = np.random.Generator


def with_outsiders(split: Split, recipe: Recipe) -> Split:
    """Add outsiders to training images: `recipe.outsiders` of their number, with the label 10.

    Half of them are letters, signs, scribbles, pairs and fragments of digits, and nearly blank images; the other half
    are wrong segments of rows of digits, with which come segments that are whole digits. The same split and seed give
    the same images.
    """
    from experiments.training.segments import row_segments

    count = round(len(split) * recipe.outsiders)
    if not count:
        return split
    drawn = outsiders(split, count // 2, recipe.seed)
    labelled = Split(drawn, np.full(len(drawn), OUTSIDE, np.int64))
    return concatenate([split, labelled, row_segments(split, count - len(drawn), recipe.seed)])


def outsiders(digits: Split, count: int, seed: int) -> Pixels:
    """Make images that show no digit, uint8 (count, 28, 28), white ink on black in MNIST's form."""
    random = np.random.default_rng([seed, OUTSIDE])
    makers: tuple[Callable[[Random, Split], Pixels], ...] = (_letter, _printed, _scribble, _pair, _pair, _fragment)
    return np.stack(
        [_blank(random) if random.random() < 0.03 else makers[i % len(makers)](random, digits) for i in range(count)]
    )


def _letter(random: Random, digits: Split) -> Pixels:  # noqa: ARG001 - every maker gets the digits
    strokes = STROKES[str(random.choice(list(STROKES)))]
    points = [[[int(number) for number in point] for point in stroke.split()] for stroke in strokes.split("|")]
    return _drawn(random, [np.array(stroke, np.float64) for stroke in points])


def _scribble(random: Random, digits: Split) -> Pixels:  # noqa: ARG001
    count = random.integers(2, 5)
    return _drawn(random, [random.uniform((0, 0), (4, 6), (random.integers(4, 8), 2)) for _ in range(count)])


def _drawn(random: Random, strokes: list[Points]) -> Pixels:
    """Draw strokes with shaky points, rounded corners and a random pen."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (CANVAS, CANVAS))
    pen = ImageDraw.Draw(image)
    width = int(random.integers(5, 14))
    scale = (CANVAS - 2 * ROOM) / np.array([4, 6])
    for stroke in strokes:
        points = (stroke + random.normal(0, 0.22, stroke.shape)) * scale + ROOM
        rounded = [tuple(point) for point in _rounded(points, int(random.integers(0, 3)))]
        pen.line(rounded, 255, width, joint="curve")
        for x, y in (rounded[0], rounded[-1]):
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    return fit_to_mnist(np.asarray(image))


def _rounded(points: Points, rounds: int) -> Points:
    """Cut the corners of a line (Chaikin 1974)."""
    for _ in range(rounds):
        inner = np.stack([0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]], axis=1)
        points = np.concatenate([points[:1], inner.reshape(-1, 2), points[-1:]])
    return points


def _printed(random: Random, digits: Split) -> Pixels:  # noqa: ARG001
    """Print a letter or a short word in the font that comes with Pillow."""
    from PIL import Image, ImageDraw, ImageFont

    letters = [letter for letter in STROKES if len(letter) == 1]
    text = "".join(random.choice(letters, random.choice([1, 1, 1, 2, 3])))
    image = Image.new("L", (3 * CANVAS, CANVAS))
    ImageDraw.Draw(image).text((20, 10), text, 255, ImageFont.load_default(64))
    return fit_to_mnist(np.asarray(image))


def _pair(random: Random, digits: Split) -> Pixels:
    """Put two digits beside each other, often touching."""
    first, second = (_resized(crop(digits.images[i]), random.uniform(0.8, 1.25)) for i in random.choice(len(digits), 2))
    height = max(len(first), len(second)) + 4
    overlap = int(random.integers(-2, 4))
    canvas = np.zeros((height, first.shape[1] + second.shape[1] + 2), np.uint8)
    left = 0
    for one in (first, second):
        top = int(random.integers(0, height - len(one) + 1))
        place = canvas[top : top + len(one), left : left + one.shape[1]]
        np.maximum(place, one[:, : place.shape[1]], out=place)
        left = max(0, one.shape[1] - overlap)
    return fit_to_mnist(canvas)


def _fragment(random: Random, digits: Split) -> Pixels:
    """Take the left or the right half of a digit, as a wrong cut leaves it."""
    while True:
        index = int(random.integers(len(digits)))
        sides = FRAGMENTS.get(int(digits.labels[index]))
        ink = crop(digits.images[index])
        if sides and ink.shape[1] >= 8:
            kept = round(ink.shape[1] * random.uniform(0.3, 0.5))
            half = ink[:, :kept] if random.choice(sides) == 0 else ink[:, -kept:]
            if half.any():
                return fit_to_mnist(half)


def _blank(random: Random) -> Pixels:
    """Make an image without ink, or with a few specks."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    for row, column in random.integers(4, 24, (random.integers(0, 5), 2)):
        image[row : row + DOT, column : column + DOT] = random.integers(60, 256)
    return image


def _resized(ink: Pixels, scale: float) -> Pixels:
    from PIL import Image

    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    image: Image.Image = Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
