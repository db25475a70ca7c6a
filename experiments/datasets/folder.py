"""A folder of the user's own digits, IDX files or pictures, to train on or to apply networks to."""

import re
from pathlib import Path

import numpy as np

from experiments.datasets.alignment import DEFAULT, Alignment
from experiments.datasets.dataset import Dataset, Images, Split, Unlabelled
from experiments.datasets.derivations import DATASET_NAMES
from experiments.datasets.idx_folder import find_idx, read_idx
from experiments.datasets.image_folder import find_pictures, read_pictures
from experiments.datasets.parts import Parts
from experiments.datasets.splits import hold_out_test
from experiments.errors import DigitsError


def load_folder(folder: Path, alignment: Alignment = DEFAULT) -> Dataset:
    """Load a folder to train on, its digits fitted to 28x28.

    Without a test part, a fixed stratified fifth of the digits becomes the test split.

    Raises
    ------
    DigitsError
        If the folder holds neither IDX files nor pictures, if they are malformed or have no labels, or if there is only
        one class.
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
    """Load a folder to apply networks to; it may have a single class, digits without labels or only test digits.

    The result is a `Dataset` if all digits have labels and there is a training part, otherwise `Unlabelled`.

    Raises
    ------
    DigitsError
        If the folder holds neither IDX files nor pictures, or they are malformed.
    """
    parts = _read(folder, alignment)
    train, test = parts.train, parts.test
    if isinstance(train, Split) and (test is None or isinstance(test, Split)):
        return _dataset(folder, train, test, parts.transform)
    present = [Images(each.images) for each in (train, test) if each is not None]
    asked = present[-1] if test is None else test
    return Unlabelled(registry_name(folder), present[0], asked, parts.transform, str(folder.absolute()), parts.files)


def registry_name(folder: Path) -> str:
    """Convert the name of a folder to ``[a-z0-9-]``; append ``-folder`` if a dataset has that name."""
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
        "with or without .gz) and for pictures in folders 0/ to 9/, or beside each other if their labels are "
        "unknown, there or under train/ and test/"
    )


def _labelled(digits: Images, folder: Path, part: str) -> Split:
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
