"""Pictures of digits with known truth: photos, drawings and cut-outs of documents, made of images of a dataset.

    python benchmarks/synthetic_pictures.py FOLDER --kind document --count 1000

They are for choosing thresholds without looking at real pictures, of which there are few.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from experiments import datasets
from experiments.datasets import Split
from experiments.pictures.normalization import crop

Random = np.random.Generator
Ink = NDArray[np.float64]  # (height, width) in [0, 1]
Picture = NDArray[np.uint8]  # (height, width, 3)


def pictures(digits: Split, kind: str, count: int, seed: int) -> Iterator[tuple[Picture, int]]:
    """Yield pictures of a kind and the digit that each shows."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    for index in random.integers(0, len(digits), count):
        yield KINDS[kind](random, digits, int(index)), int(digits.labels[index])


def _photo(random: Random, digits: Split, index: int) -> Picture:
    """Return a cut-out of a phone photo: a thin pen on paper, some way from the middle."""
    ink = _written(random, digits, index, random.uniform(9, 40), random.uniform(-0.9, 0.6))
    pad = [int(v) for v in random.uniform(0.02, 1.0, 4) * max(ink.shape)]
    ink = np.pad(ink, ((pad[0], pad[1]), (pad[2], pad[3])))
    return _printed(
        random, ink, paper=random.uniform(140, 240), contrast=random.uniform(40, 150), noise=random.uniform(0, 5)
    )


def _drawing(random: Random, digits: Split, index: int) -> Picture:
    """Return a drawing of any pen, polarity, size and color."""
    ink = _written(random, digits, index, random.uniform(24, 200), random.uniform(-0.8, 1.2))
    pad = [int(v) for v in random.uniform(0.0, 0.8, 4) * max(ink.shape)]
    ink = np.pad(ink, ((pad[0], pad[1]), (pad[2], pad[3])))
    if random.random() < 0.7:
        ink = (ink > 0.5).astype(float) if random.random() < 0.4 else ink
        paper, pen = (255.0, 0.0) if random.random() < 0.5 else (0.0, 255.0)
        color = np.full(3, pen) if random.random() < 0.6 else random.uniform(0, 255, 3)
        if np.abs(color - paper).mean() < 60:
            color = np.full(3, pen)
        return np.rint(paper + ink[..., None] * (color - paper)).astype(np.uint8)
    return _printed(
        random, ink, paper=random.uniform(150, 250), contrast=random.uniform(60, 200), noise=random.uniform(0, 8)
    )


def _document(random: Random, digits: Split, index: int) -> Picture:
    """Return a cut-out of a document: slanted pen strokes, neighbors that often touch, rules, dots, colored paper."""
    height, slant = random.uniform(18, 42), random.uniform(-0.75, 0.05)
    thickness = random.uniform(-0.6, 0.5)

    def write(which: int, size: float) -> Ink:
        return _written(random, digits, which, size, thickness, slant)

    ink = write(index, height)
    rows, columns = ink.shape
    left, top = 2 * int(height), int(height / 2)
    wide = np.zeros((rows + 2 * top, columns + 2 * left))
    wide[top : top + rows, left : left + columns] = ink
    for side in (-1, 1):
        if random.random() < (0.55 if side < 0 else 0.4):
            other = write(int(random.integers(len(digits))), height * random.uniform(0.85, 1.15))
            y = int(np.clip(top + rows - len(other) + random.integers(-4, 5), 0, len(wide) - len(other)))
            _add_neighbor(wide, other, y, side, gap=random.uniform(-0.06, 0.12) * height)
    if random.random() < 0.3:
        y, x, size = top + rows - 4, left + columns + int(random.integers(0, 6)), int(random.integers(2, 5))
        wide[y : y + size * 2, x : x + size] = 1
    if random.random() < 0.25:
        x = left + int(random.uniform(-0.4, 1.2) * columns)
        wide[:, x : x + int(random.integers(1, 4))] = random.uniform(0.4, 1)
    if random.random() < 0.3:
        y = top + int(rows * random.choice([random.uniform(0.3, 0.8), random.uniform(0.95, 1.2)], p=[0.25, 0.75]))
        wide[y : y + int(random.integers(1, 3)), :: 1 if random.random() < 0.5 else 3] = random.uniform(0.3, 0.9)
    pad = [int(v) for v in random.uniform(0.0, 0.3, 4) * height]
    cut = wide[top - pad[0] : top + rows + pad[1], left - pad[2] : left + columns + pad[3]]
    color = np.array([1.0, random.uniform(0.75, 1.0), random.uniform(0.4, 1.0)])
    return _printed(
        random,
        cut,
        paper=random.uniform(120, 240) * color,
        contrast=random.uniform(45, 190),
        noise=random.uniform(1, 6),
    )


def _add_neighbor(page: Ink, other: Ink, y: int, side: int, gap: float) -> None:
    """Write a digit beside the ink of a page, so near that no row has a smaller gap than `gap` pixels.

    Slanted digits reach over each other; so the gap is measured row by row.
    """
    band = page[y : y + len(other)]
    if side < 0:
        inner, outer = _first(band), _last(other)
        x = int(np.min(inner - outer) - 1 - gap)
    else:
        inner, outer = _last(band), _first(other)
        x = int(np.max(inner - outer) + 1 + gap)
    x = max(0, min(x, page.shape[1] - other.shape[1]))
    place = band[:, x : x + other.shape[1]]
    np.maximum(place, other, out=place)


def _first(ink: Ink) -> NDArray[np.float64]:
    """Return the first column of ink in each row; infinite where there is none."""
    return np.where((ink > 0.5).any(axis=1), (ink > 0.5).argmax(axis=1), np.inf)


def _last(ink: Ink) -> NDArray[np.float64]:
    """Return the last column of ink in each row; minus infinity where there is none."""
    last: NDArray[np.float64] = ink.shape[1] - 1 - _first(ink[:, ::-1])
    return last


KINDS: dict[str, Callable[[Random, Split, int], Picture]] = {
    "photo": _photo,
    "drawing": _drawing,
    "document": _document,
}


def _written(
    random: Random, digits: Split, index: int, height: float, thickness: float, slant: float | None = None
) -> Ink:
    """Return the ink of a digit at another size, slanted and bent a little, with a thinner or thicker pen.

    Parameters
    ----------
    height
        Of the ink in pixels.
    thickness
        By which stroke edges move, as a share of two pixels of MNIST, either way.
    slant
        Columns a row; random by default.
    """
    ink = crop(digits.images[index]) / 255.0
    scale = max(3.0, 2 * height / len(ink))
    large = ndimage.zoom(np.pad(ink, 4), scale, order=3).clip(0, 1)
    large = ndimage.gaussian_filter(large, 0.3 * scale)
    distance = np.where(
        large > 0.5, ndimage.distance_transform_edt(large > 0.5), -ndimage.distance_transform_edt(large <= 0.5)
    )
    moved = distance + thickness * scale
    if (moved > 0).sum() < 0.3 * (distance > 0).sum():  # a thin pen must leave a line
        moved = distance + 0.3 * thickness * scale
    ink = np.clip(moved / scale * 2 + 0.5, 0, 1)
    shear = random.uniform(-0.35, 0.15) if slant is None else slant
    reach = int(abs(shear) * len(ink) / 2) + 1
    ink = np.pad(ink, ((0, 0), (reach, reach)))
    middle = len(ink) / 2
    ink = ndimage.affine_transform(ink, [[1, 0], [-shear, 1]], [0, shear * middle], order=1)
    field = ndimage.gaussian_filter(random.normal(0, 1, (2, *ink.shape)), (0, 4 * scale, 4 * scale))
    field *= 1.2 * scale * random.random() / max(1e-9, np.abs(field).max())
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    ink = ndimage.map_coordinates(ink, [rows + field[0], columns + field[1]], order=1)
    inked = np.rint(ink * 255).astype(np.uint8)
    alone = crop(inked)
    width = max(1, round(alone.shape[1] * height / len(alone)))
    resized = Image.fromarray(alone).resize((width, max(1, round(height))), Image.Resampling.BOX)
    return np.asarray(resized) / 255.0


def _printed(random: Random, ink: Ink, paper: float | NDArray[np.float64], contrast: float, noise: float) -> Picture:
    """Photograph ink on paper: uneven light and ink, blur, noise and compression."""
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]] / max(ink.shape)
    light = 1 + random.uniform(-0.25, 0.25) * rows + random.uniform(-0.25, 0.25) * columns
    uneven = 1 - 0.5 * random.random() * ndimage.gaussian_filter(random.random(ink.shape), 2).clip(0, 1)
    ink_color = contrast * random.uniform(0.7, 1.0, 3)
    page = np.broadcast_to(np.asarray(paper, float), (3,))
    picture = (page - (ink * uneven)[..., None] * ink_color) * light[..., None]
    picture = ndimage.gaussian_filter(picture, (blur := random.uniform(0, 0.035) * len(ink) * 0.6, blur, 0))
    picture = picture + ndimage.gaussian_filter(random.normal(0, noise, (*ink.shape, 1)), (0.6, 0.6, 0))
    stored = io.BytesIO()
    Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8)).save(
        stored, "JPEG", quality=int(random.integers(50, 95))
    )
    return np.asarray(Image.open(stored).convert("RGB"))


def main() -> None:
    """Write pictures into class folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=KINDS, default="photo")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    digits = datasets.split_validation(datasets.load("mnist", options.data_dir).train, 0.1)[1]
    for i, (picture, label) in enumerate(pictures(digits, options.kind, options.count, options.seed)):
        folder = options.folder / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{i:06}.png")


if __name__ == "__main__":
    main()
