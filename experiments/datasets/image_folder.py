"""The user's own pictures of single digits: in folders ``0/`` to ``9/``, or without classes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.alignment import Alignment
from experiments.datasets.dataset import CLASSES, SIDE, UNCHANGED
from experiments.datasets.parts import Parts, digits_of
from experiments.errors import DigitsError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"}
PART_NAMES = {"train": ("train", "training"), "test": ("test", "testing")}
LEAST_CONTRAST = 32  # grey levels between paper and the strongest ink, of 255
FAINTEST_INK = 26  # a tenth of the strongest ink: what is less is the paper's grain

# The class, None where it is not known, and the file of each picture. Of one part all are known or none is.
Pictures = list[tuple[int | None, Path]]
Grey = NDArray[np.uint8]


def find_pictures(folder: Path) -> dict[str, Pictures] | None:
    """Return the pictures keyed ``train`` and ``test``, those of one of them, or None when there are none.

    They lie in class folders ``0/`` to ``9/`` or, where nobody knows their classes, beside each other; all that in
    ``train/`` (``training/``) and ``test/`` (``testing/``), or else in `folder`, and then they are keyed ``train``.

    Raises
    ------
    DigitsError
        When a class folder holds no pictures, or there are pictures that belong to no class.
    """
    found = {
        part: pictures
        for part, names in PART_NAMES.items()
        for name in names
        if (folder / name).is_dir() and (pictures := _pictures(folder / name))
    }
    if not found and (pictures := _pictures(folder)):
        found = {"train": pictures}
    return found or None


def read_pictures(found: dict[str, Pictures], folder: Path, alignment: Alignment) -> Parts:
    """Read pictures of any size and colour, dark ink on light paper or light on dark.

    When all of them have 28x28 pixels they are taken for finished digits and only inverted where needed;
    otherwise all are freed of their paper and fitted to 28x28.

    Raises
    ------
    DigitsError
        Naming the first file that is no picture or shows no ink.
    """
    finished = all(_is_finished(path) for pictures in found.values() for _, path in pictures)
    parts = {}
    for name, pictures in found.items():
        images = [_read_ink(path) if finished else _read_and_fit(path, alignment) for _, path in pictures]
        classes = [label for label, _ in pictures if label is not None]
        parts[name] = digits_of(np.stack(images), np.array(classes, np.int64) if classes else None)
    files = tuple(path.relative_to(folder).as_posix() for _, path in found.get("test", found.get("train", [])))
    return Parts(parts.get("train"), parts.get("test"), UNCHANGED if finished else alignment.transform, files)


def _pictures(folder: Path) -> Pictures:
    """List the pictures under the class folders by class and name; without class folders, those beside each other."""
    classes = [folder / str(digit) for digit in range(CLASSES) if (folder / str(digit)).is_dir()]
    loose = _files(folder)
    _require_digits_only(folder, classes)
    if not classes:
        return [(None, path) for path in loose]
    if loose:
        raise DigitsError(
            f"{folder} holds {loose[0].name} beside class folders ({classes[0].name}/): a folder has all of its "
            "pictures in class folders, or none where their digits are not known"
        )
    for one in classes:
        if not _files(one):
            raise DigitsError(f"{one} holds no pictures ({', '.join(sorted(SUFFIXES))}): add some or remove it")
    return [(int(one.name), path) for one in classes for path in _files(one)]


def _require_digits_only(folder: Path, classes: list[Path]) -> None:
    """Raise where pictures lie in folders that are no classes."""
    known = {*(path.name for path in classes), *(name for names in PART_NAMES.values() for name in names)}
    others = sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in known)
    named = [f"{path.name}/" for path in others if not path.name.startswith(".") and _files(path)]
    if named:
        raise DigitsError(
            f"{folder} has pictures in {', '.join(named)}: only digits can be read, in 0/ to 9/; name these folders "
            "so or move them away"
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _is_finished(path: Path) -> bool:
    with _opened(path) as picture:
        return picture.size == (SIDE, SIDE)


def _read_and_fit(path: Path, alignment: Alignment) -> Grey:
    return alignment.fit(_without_paper(_read_ink(path)))


def _read_ink(path: Path) -> Grey:
    """Read a picture as ``uint8 (height, width)``, ink lighter than paper."""
    with _opened(path) as picture:
        grey = _grey(picture)
    low, high = int(grey.min()), int(grey.max())
    if high - low < LEAST_CONTRAST:
        raise DigitsError(f"{path} shows no ink: its grey levels go from {low} to {high}")
    return np.invert(grey) if _paper(grey) > (low + high) / 2 else grey


@contextmanager
def _opened(path: Path) -> Iterator["Image.Image"]:
    """Open a picture; errors of opening and of decoding it name the file."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            yield picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DigitsError(f"{path} cannot be read as a picture: {error}") from error


def _grey(picture: "Image.Image") -> Grey:
    """Return a picture upright and in grey; what is transparent is white paper."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        return _sixteen_bits(np.asarray(upright))
    paper = Image.new("RGBA", upright.size, "white")
    paper.alpha_composite(upright.convert("RGBA"))
    return np.asarray(paper.convert("L"))


def _sixteen_bits(values: NDArray[np.integer]) -> Grey:
    return (values.astype(np.int64).clip(0, 0xFFFF) >> 8).astype(np.uint8)


def _paper(grey: Grey) -> float:
    """Return the grey of the paper: the median of the picture's border."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return float(np.median(border))


def _without_paper(ink: Grey) -> Grey:
    """Set the paper to 0 and the strongest ink to 255."""
    above = np.clip(ink.astype(np.float64) - _paper(ink), 0, None)
    stretched = np.rint(above * (255 / above.max())).astype(np.uint8)
    return np.where(stretched < FAINTEST_INK, np.uint8(0), stretched)
