"""The user's own IDX files, named as those of MNIST, QMNIST or EMNIST."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.alignment import Alignment, fit_all, transform_of
from experiments.datasets.content import read_content
from experiments.datasets.dataset import UNCHANGED, joined
from experiments.datasets.idx import parse_images, parse_split
from experiments.datasets.parts import Parts, images_or_split
from experiments.errors import DigitsError

NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)[-_.]idx\d-\w+(\.gz)?", re.IGNORECASE
)
TRANSPOSED = "transpose"
INVERTED = "inverted"
LIGHT_PAPER = 2 / 3  # of the range from the darkest to the lightest pixel of a dataset

ImageArray = NDArray[np.uint8]  # (n, height, width)
# The files of one dataset by ("train" or "test", "images" or "labels").
Files = dict[tuple[str, str], Path]


def find_idx(folder: Path) -> Files | None:
    """Find the IDX files of the dataset in `folder`; return None if there are none.

    Raises
    ------
    DigitsError
        If there are several datasets, or labels without their images.
    """
    sets: dict[str, Files] = {}
    for path in sorted(folder.iterdir()):
        match = NAME.fullmatch(path.name)
        if match:
            part = "train" if match["part"].lower() == "train" else "test"
            sets.setdefault(match["set"].lower(), {}).setdefault((part, match["kind"].lower()), path)
    if len(sets) > 1:
        names = ", ".join(f"{name}*" for name in sorted(sets))
        raise DigitsError(f"{folder} holds several datasets ({names}): move one of them to a separate folder")
    for files in sets.values():
        _require_images(files, folder)
        return files
    return None


def read_idx(files: Files, alignment: Alignment) -> Parts:
    """Read images, and their labels if there are any, and fit them to 28x28.

    Before that, the transposed images of EMNIST are transposed back, and dark ink on light paper is inverted.

    EMNIST: https://www.nist.gov/itl/products-and-services/emnist-dataset, whose IDX files hold the images in the column
    order of MATLAB.
    """
    read = {name: _read(files, name) for name, kind in sorted(files, reverse=True) if kind == "images"}
    transposed = any(path.name.lower().startswith("emnist") for path in files.values())
    paper = _light_paper([images for images, _ in read.values()])
    parts = {}
    for name, (images, labels) in read.items():
        turned = images.transpose(0, 2, 1) if transposed else images
        ink = turned if paper is None else paper - np.minimum(turned, paper)
        parts[name] = images_or_split(fit_all(ink, alignment), labels)
    transforms = TRANSPOSED if transposed else UNCHANGED, UNCHANGED if paper is None else INVERTED
    first, _ = next(iter(read.values()))
    return Parts(parts.get("train"), parts.get("test"), joined(*transforms, transform_of(first, alignment)))


def _read(files: Files, name: str) -> tuple[ImageArray, NDArray[np.int64] | None]:
    """Read the images of a part, and their labels or None."""
    images = read_content(files[name, "images"])
    if (name, "labels") not in files:
        return parse_images(images), None
    raw = parse_split(images, read_content(files[name, "labels"]))
    return raw.images, raw.labels


def _light_paper(sets: Sequence[ImageArray]) -> np.uint8 | None:
    """Return the gray level of light paper, the median of all borders; None if it is not among the lightest pixels."""
    borders = [edge for images in sets for edge in (images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel())]
    paper = np.median(np.concatenate(borders))
    low, high = min(int(images.min()) for images in sets), max(int(images.max()) for images in sets)
    return np.uint8(paper) if paper > low + LIGHT_PAPER * (high - low) else None


def _require_images(files: Files, folder: Path) -> None:
    """Raise DigitsError if there are labels without images."""
    for name in ("train", "test"):
        if (name, "labels") in files and (name, "images") not in files:
            held = ", ".join(path.name for path in files.values())
            raise DigitsError(f"{folder} holds {held} but no {name} images in IDX format")
