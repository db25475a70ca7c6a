"""The user's own pictures of single digits, in folders ``0/`` to ``9/``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.alignment import Alignment
from experiments.datasets.dataset import CLASSES, SIDE, UNCHANGED, Split
from experiments.datasets.parts import Parts
from experiments.errors import DigitsError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"}
PART_NAMES = {"train": ("train", "training"), "test": ("test", "testing")}
LEAST_CONTRAST = 32  # grey levels between paper and the strongest ink, of 255
FAINTEST_INK = 26  # a tenth of the strongest ink: what is less is the paper's grain

# The class and the file of each picture.
Pictures = list[tuple[int, Path]]
Grey = NDArray[np.uint8]


def find_pictures(folder: Path) -> dict[str, Pictures] | None:
    """Return the pictures in ``0/ ... 9/``, keyed ``train`` and, if there is an own part, ``test``.

    The class folders lie in `folder`, or under ``train/`` (``training/``) and ``test/`` (``testing/``).
    None when there are no class folders.

    Raises
    ------
    DigitsError
        When a class folder holds no pictures or there is a test part alone.
    """
    found = {
        part: _pictures(folder / name)
        for part, names in PART_NAMES.items()
        for name in names
        if _class_folders(folder / name)
    }
    if "test" in found and "train" not in found:
        raise DigitsError(f"{folder} holds pictures to test on but none to train on in train/0/ to train/9/")
    if not found and _class_folders(folder):
        found = {"train": _pictures(folder)}
    return found or None


def read_pictures(found: dict[str, Pictures], alignment: Alignment) -> Parts:
    """Read pictures of any size and colour, dark ink on light paper or light on dark.

    When all of them have 28x28 pixels they are taken for finished digits and only inverted where needed;
    otherwise all are freed of their paper and fitted to 28x28.

    Raises
    ------
    DigitsError
        Naming the first file that is no picture or shows no ink.
    """
    finished = all(_is_finished(path) for pictures in found.values() for _, path in pictures)
    splits = {
        part: Split(
            np.stack([_read_ink(path) if finished else _read_and_fit(path, alignment) for _, path in pictures]),
            np.array([label for label, _ in pictures], np.int64),
        )
        for part, pictures in found.items()
    }
    return Parts(splits["train"], splits.get("test"), UNCHANGED if finished else alignment.transform)


def _class_folders(folder: Path) -> list[Path]:
    return [folder / str(digit) for digit in range(CLASSES) if (folder / str(digit)).is_dir()]


def _pictures(folder: Path) -> Pictures:
    """List the pictures under the class folders, by class and name."""
    pictures: Pictures = []
    for class_folder in _class_folders(folder):
        files = sorted(path for path in class_folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not files:
            raise DigitsError(
                f"{class_folder} holds no pictures ({', '.join(sorted(SUFFIXES))}): add some or remove it"
            )
        pictures += [(int(class_folder.name), path) for path in files]
    return pictures


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
