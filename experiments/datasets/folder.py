"""A folder of the user's own digits, IDX files or pictures, to train on or to use networks on."""

import re
from pathlib import Path

import numpy as np

from experiments.datasets.alignment import DEFAULT, Alignment
from experiments.datasets.dataset import Dataset, Digits, Split, Unlabelled
from experiments.datasets.derived import DATASET_NAMES
from experiments.datasets.idx_folder import find_idx, read_idx
from experiments.datasets.image_folder import find_pictures, read_pictures
from experiments.datasets.parts import Parts
from experiments.datasets.splits import hold_out_test
from experiments.errors import DigitsError


def load_folder(folder: Path, alignment: Alignment = DEFAULT) -> Dataset:
    """Load a folder to train on, its digits fitted to 28x28.

    Where it has no test part, a fixed stratified fifth of the digits becomes it.

    Raises
    ------
    DigitsError
        When the folder holds neither IDX files nor pictures, they are not in order or have no labels, or there is one
        class only.
    """
    parts = _read(folder, alignment)
    if parts.train is None:
        raise DigitsError(f"{folder} has no train images: it has digits to test on and none to train on")
    train, test = _labelled(parts.train, folder, "train"), parts.test
    classes = np.unique(train.labels)
    if classes.size < 2:
        raise DigitsError(f"{folder} has training digits of one class only, {classes[0]}: add another class")
    return _dataset(folder, train, None if test is None else _labelled(test, folder, "test"), parts.transform)


def load_target_folder(folder: Path, alignment: Alignment = DEFAULT) -> Dataset | Unlabelled:
    """Load a folder to use networks on: one class is enough, and so are digits without labels or test digits alone.

    It is a `Dataset` where all digits have labels and there are some to train on, else `Unlabelled`.

    Raises
    ------
    DigitsError
        When the folder holds neither IDX files nor pictures, or they are not in order.
    """
    parts = _read(folder, alignment)
    train, test = parts.train, parts.test
    if isinstance(train, Split) and (test is None or isinstance(test, Split)):
        return _dataset(folder, train, test, parts.transform)
    there = [Digits(each.images) for each in (train, test) if each is not None]
    asked = there[-1] if test is None else test
    return Unlabelled(registry_name(folder), there[0], asked, parts.transform, str(folder.absolute()), parts.files)


def registry_name(folder: Path) -> str:
    """Return the folder's name in ``[a-z0-9-]``; a name that a data set has already gets ``-folder``."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "digits"
    return f"{name}-folder" if name in DATASET_NAMES else name


def _read(folder: Path, alignment: Alignment) -> Parts:
    files = find_idx(folder)
    if files:
        return read_idx(files, alignment)
    pictures = find_pictures(folder)
    if pictures:
        return read_pictures(pictures, folder, alignment)
    raise DigitsError(
        f"{folder} holds no digits: looked for IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "with or without .gz) and for pictures in folders 0/ to 9/, or beside each other where their labels are not "
        "known, there or under train/ and test/"
    )


def _labelled(digits: Digits, folder: Path, part: str) -> Split:
    if not isinstance(digits, Split):
        raise DigitsError(
            f"{folder} has no {part} labels: add them as {part}-labels-idx1-ubyte beside IDX images, or sort pictures "
            "into 0/ to 9/; without labels it can be a target of digits transfer only"
        )
    return digits


def _dataset(folder: Path, train: Split, test: Split | None, transform: str) -> Dataset:
    if test is None:
        train, test = hold_out_test(train, str(folder))
    return Dataset(registry_name(folder), train, test, transform, str(folder.absolute()))
