"""A folder of the user's own digits, IDX files or pictures, as a data set."""

import re
from pathlib import Path

import numpy as np

from experiments.datasets.alignment import DEFAULT, Alignment
from experiments.datasets.dataset import Dataset
from experiments.datasets.derived import DATASET_NAMES
from experiments.datasets.idx_folder import find_idx, read_idx
from experiments.datasets.image_folder import find_pictures, read_pictures
from experiments.datasets.parts import Parts
from experiments.datasets.splits import hold_out_test
from experiments.errors import DigitsError


def load_folder(folder: Path, alignment: Alignment = DEFAULT) -> Dataset:
    """Load a folder, its digits fitted to 28x28.

    Where it has no test part, a fixed stratified fifth of the digits becomes it.

    Raises
    ------
    DigitsError
        When the folder holds neither IDX files nor pictures in ``0/`` to ``9/``, or they are not in order.
    """
    parts = _read(folder, alignment)
    classes = np.unique(parts.train.labels)
    if classes.size < 2:
        raise DigitsError(f"{folder} has training digits of one class only, {classes[0]}: add another class")
    train, test = parts.train, parts.test
    if test is None:
        train, test = hold_out_test(train, str(folder))
    return Dataset(registry_name(folder), train, test, parts.transform, str(folder))


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
        return read_pictures(pictures, alignment)
    raise DigitsError(
        f"{folder} holds no digits: looked for IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "with or without .gz) and for pictures in folders 0/ to 9/, there or under train/ and test/"
    )
