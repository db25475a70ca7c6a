"""From a picture of one digit to its ink alone, and on to 28x28."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from experiments.pictures import filters
from experiments.pictures.ink import Color, Mask, Strength, find_ink
from experiments.pictures.normalization import fit_to_mnist
from experiments.pictures.pieces import Piece, find_pieces, without_rules
from experiments.pictures.strokes import with_usual_strokes

Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # x, y, width, height

WORK_SIDE = 120  # pixels to which the longer side of a picture is reduced
MIN_DIGIT = 0.35  # of the picture: a digit that fills less is looked at again, from nearby
MARGIN = 0.5  # of the digit's longer side around it, when it is looked at again
FLAT = 0.15  # of the height of the digit: lower pieces below it, and narrower ones along the edge, are rules
NEAR = 0.35  # of the height of the digit: pieces farther from it are not part of it
NEIGHBOR = 0.3  # of the height of the digit: other pieces as high as that are of its neighbors


@dataclass(frozen=True, eq=False)
class DigitPicture:
    """A digit found in a picture.

    Attributes
    ----------
    views
        Ways to see it as one of MNIST's digits, uint8 (k, 28, 28): one, unless neighbors touch it or are near.
    prices
        How unlikely each view is by its shape and place, float64 (k,), to be weighed against a network's score.
    box
        Where it is in the picture: x, y, width and height in pixels.
    steps
        Intermediate pictures by name, uint8 (height, width) or (height, width, 3), in order.
    """

    views: NDArray[np.uint8]
    prices: NDArray[np.float64]
    box: Box
    steps: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


def find_digit(picture: Color) -> DigitPicture | None:
    """Find the digit of a picture, the one nearest to its middle; return None if there is no ink.

    A small digit in a large picture is found in a reduced copy first and then looked at from nearby.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)`` of any size.
    """
    found = _find(picture)
    if found is None:
        return None
    x, y, width, height = found.box
    longer = max(width, height)
    if max(picture.shape[:2]) <= WORK_SIDE or longer >= MIN_DIGIT * max(picture.shape[:2]):
        return found
    margin = int(MARGIN * longer) + 1
    top, left = max(0, y - margin), max(0, x - margin)
    nearby = picture[top : y + height + margin, left : x + width + margin]
    closer = _find(nearby) if nearby.shape[:2] != picture.shape[:2] else None
    if closer is None:
        return found
    x, y, width, height = closer.box
    return replace(closer, box=(x + left, y + top, width, height), steps={"whole picture": picture, **closer.steps})


def _find(picture: Color) -> DigitPicture | None:
    small = _reduced(picture)
    ink = find_ink(small)
    if ink is None:
        return None
    mask = without_rules(without_rules(ink.mask).T).T
    pieces, labels = find_pieces(mask)
    if not pieces:
        return None
    digit = _digit(pieces, mask.shape)
    alone = _alone(ink.strength, labels, [piece.label for piece in digit])
    usual = with_usual_strokes(alone)
    view = fit_to_mnist(usual)
    scale = picture.shape[0] / small.shape[0], picture.shape[1] / small.shape[1]
    strength = _gray(ink.strength)
    steps = {
        "picture": picture,
        "paper": np.broadcast_to(ink.paper, small.shape),
        "ink": strength,
        "digit": alone,
        "strokes": usual,
        "28x28": view,
    }
    views, prices = view[None], np.zeros(1)
    if _is_crowded(digit, pieces):
        from experiments.pictures.crowds import candidates

        near = filters.dilate(mask, corners=True)
        views, prices = candidates(np.where(near, strength, np.uint8(0)), digit[0].height, view)
    return DigitPicture(views, prices, _box(digit, scale), steps)


def _is_crowded(digit: list[Piece], pieces: list[Piece]) -> bool:
    """Return whether the digit may touch a neighbor, or a piece of it may have been left out."""
    main = digit[0]
    cut_off = any(piece.touches[2] or piece.touches[3] for piece in digit)
    return cut_off or any(piece.height >= NEIGHBOR * main.height for piece in pieces if piece not in digit)


def _reduced(picture: Color) -> Color:
    """Reduce a picture by averaging so that its longer side has at most the work side."""
    from PIL import Image

    height, width = picture.shape[:2]
    scale = WORK_SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _digit(pieces: list[Piece], shape: tuple[int, int]) -> list[Piece]:
    """Choose the pieces of the digit: the piece of most ink near the middle, and what belongs to it."""
    main = max(pieces, key=lambda piece: _weight(piece, shape))
    digit = [main]
    others = sorted((piece for piece in pieces if piece is not main), key=lambda piece: _gap(main, piece))
    for piece in others:
        if any(_belongs(piece, part, main) for part in digit):
            digit.append(piece)
    return digit


def _weight(piece: Piece, shape: tuple[int, int]) -> float:
    """Return how likely a piece is the digit: by its height, how near it is to the middle, and the sides it touches."""
    off = [(m - side / 2) / side for m, side in zip(piece.middle, shape, strict=True)]
    central = float(np.exp(-(off[0] ** 2 + 2 * off[1] ** 2) / (2 * 0.2**2)))
    touched = 0.5 if piece.touches[2] or piece.touches[3] else 1.0
    thin = 0.3 if piece.height < 0.2 * shape[0] else 1.0
    return np.sqrt(piece.area) * (0.1 + central) * touched * thin


def _gap(one: Piece, other: Piece) -> float:
    """Return the distance between two boxes in pixels, 0 if they overlap."""
    down = max(0, one.rows.start - other.rows.stop, other.rows.start - one.rows.stop)
    right = max(0, one.columns.start - other.columns.stop, other.columns.start - one.columns.stop)
    return float(np.hypot(down, right))


def _belongs(piece: Piece, part: Piece, main: Piece) -> bool:
    """Decide whether a piece is part of the digit: near to it, above or below it, or between its ends."""
    if _gap(piece, part) > NEAR * main.height:
        return False
    if _is_rule(piece, main):
        return False
    inside = min(piece.columns.stop, main.columns.stop) - max(piece.columns.start, main.columns.start)
    beside = inside < 0.4 * piece.width
    if beside and (piece.touches[2] or piece.touches[3]):
        return False
    dot = beside and piece.height < 0.3 * main.height and piece.middle[0] > main.middle[0]
    return not dot


def _is_rule(piece: Piece, main: Piece) -> bool:
    """Decide whether a piece is a part of a ruled line: flat below the digit, or narrow along the edge."""
    below = piece.height < FLAT * main.height and piece.rows.start >= main.rows.stop - FLAT * main.height
    narrow = piece.width < FLAT * main.height < piece.height / 2
    return below or (narrow and (piece.touches[0] or piece.touches[1]))


def _alone(strength: Strength, labels: NDArray[np.int32], chosen: list[int]) -> Gray:
    """Return the ink of the chosen pieces and their soft edges, cropped."""
    of_digit: Mask = np.isin(labels, chosen)
    near = filters.dilate(of_digit, corners=True) & (of_digit | (labels == 0))
    kept = np.where(near, strength, 0)
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    return _gray(kept[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _gray(strength: NDArray[np.float32]) -> Gray:
    return np.rint(strength * 255).astype(np.uint8)


def _box(pieces: list[Piece], scale: tuple[float, float]) -> Box:
    top, bottom = min(p.rows.start for p in pieces), max(p.rows.stop for p in pieces)
    left, right = min(p.columns.start for p in pieces), max(p.columns.stop for p in pieces)
    return (
        int(left * scale[1]),
        int(top * scale[0]),
        round((right - left) * scale[1]),
        round((bottom - top) * scale[0]),
    )
