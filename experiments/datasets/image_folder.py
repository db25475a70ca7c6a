"""The user's own pictures of single digits: in folders ``0/`` to ``9/``, or without classes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.alignment import Alignment
from experiments.datasets.dataset import CLASSES, UNCHANGED
from experiments.datasets.parts import Parts, images_or_split
from experiments.errors import DigitsError
from experiments.pictures import filters
from experiments.pictures.ink import MIN_CONTRAST, estimate_paper, find_ink
from experiments.pictures.normalization import SIDE
from experiments.pictures.reading import SUFFIXES, read_gray, size_of

PART_NAMES = {"train": ("train", "training"), "test": ("test", "testing")}

# The class, None if it is unknown, and the file of each picture. Within a part all classes are known or none is.
Pictures = list[tuple[int | None, Path]]


def find_pictures(folder: Path) -> dict[str, Pictures] | None:
    """Find the pictures of the parts ``train`` and ``test``; return None if there are none.

    They lie in class folders ``0/`` to ``9/`` or, if their classes are unknown, beside each other; either in ``train/``
    (``training/``) and ``test/`` (``testing/``) or in `folder` itself, which then is the part ``train``.

    Raises
    ------
    DigitsError
        If a class folder holds no pictures, or pictures belong to no class.
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
    """Read pictures of any size and color, dark ink on light paper or light on dark.

    If all pictures have 28x28 pixels they count as finished digits and are only inverted where needed; otherwise the
    paper is removed from each and its ink fitted to 28x28.

    Raises
    ------
    DigitsError
        Naming the first file that is no picture or shows no ink.
    """
    finished = all(size_of(path) == (SIDE, SIDE) for pictures in found.values() for _, path in pictures)
    parts = {}
    for name, pictures in found.items():
        images = [_read(path, None if finished else alignment) for _, path in pictures]
        classes = [label for label, _ in pictures if label is not None]
        parts[name] = images_or_split(np.stack(images), np.array(classes, np.int64) if classes else None)
    files = tuple(path.relative_to(folder).as_posix() for _, path in found.get("test", found.get("train", [])))
    return Parts(parts.get("train"), parts.get("test"), UNCHANGED if finished else alignment.transform, files)


def _read(path: Path, alignment: Alignment | None) -> NDArray[np.uint8]:
    gray = read_gray(path)
    picture = np.repeat(gray[..., None], 3, axis=2)
    if alignment is None and np.ptp(gray) >= MIN_CONTRAST:
        return gray if estimate_paper(picture)[1] > 0 else np.invert(gray)
    ink = find_ink(picture)
    if alignment is None or ink is None:
        raise DigitsError(f"{path} shows no ink")
    near = filters.dilate(ink.mask, corners=True)
    return alignment.fit(np.where(near, np.rint(ink.strength * 255), 0).astype(np.uint8))


def _pictures(folder: Path) -> Pictures:
    """List the pictures of the class folders by class and name; without class folders, those beside each other."""
    classes = [folder / str(digit) for digit in range(CLASSES) if (folder / str(digit)).is_dir()]
    loose = _files(folder)
    _require_digits_only(folder, classes)
    if not classes:
        return [(None, path) for path in loose]
    if loose:
        raise DigitsError(
            f"{folder} holds {loose[0].name} beside class folders ({classes[0].name}/): put all pictures into class "
            "folders, or none if their digits are unknown"
        )
    for one in classes:
        if not _files(one):
            raise DigitsError(f"{one} holds no pictures ({', '.join(SUFFIXES)}): add some or remove it")
    return [(int(one.name), path) for one in classes for path in _files(one)]


def _require_digits_only(folder: Path, classes: list[Path]) -> None:
    """Raise DigitsError if pictures lie in folders that are no classes."""
    known = {*(path.name for path in classes), *(name for names in PART_NAMES.values() for name in names)}
    others = sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in known)
    named = [f"{path.name}/" for path in others if not path.name.startswith(".") and _files(path)]
    if named:
        raise DigitsError(
            f"{folder} has pictures in {', '.join(named)}: only digits can be read, in 0/ to 9/; rename these folders "
            "or move them away"
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
