"""The user's own IDX files: MNIST's naming, and those of QMNIST, EMNIST and others that follow it."""

import re
from dataclasses import replace
from pathlib import Path

from experiments.datasets.alignment import Alignment, to_split, transform_of
from experiments.datasets.content import read_content
from experiments.datasets.dataset import UNCHANGED, RawSplit, joined
from experiments.datasets.idx import parse_split
from experiments.datasets.parts import Parts
from experiments.errors import DigitsError

NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)[-_.]idx\d-\w+(\.gz)?", re.IGNORECASE
)
TRANSPOSED = "transpose"

# Of one set: ("train" or "test", "images" or "labels") to the file.
Files = dict[tuple[str, str], Path]


def find_idx(folder: Path) -> Files | None:
    """Return the IDX files of the one set in `folder`; None when there are no such files.

    Raises
    ------
    DigitsError
        When there are several sets, or a training set is not complete.
    """
    sets: dict[str, Files] = {}
    for path in sorted(folder.iterdir()):
        match = NAME.fullmatch(path.name)
        if match:
            part = "train" if match["part"].lower() == "train" else "test"
            sets.setdefault(match["set"].lower(), {}).setdefault((part, match["kind"].lower()), path)
    if len(sets) > 1:
        names = ", ".join(f"{name}*" for name in sorted(sets))
        raise DigitsError(f"{folder} holds several data sets ({names}): give one of them a folder of its own")
    for files in sets.values():
        _require_pairs(files, folder)
        return files
    return None


def read_idx(files: Files, alignment: Alignment) -> Parts:
    """Read the pairs of files; images of EMNIST, which are transposed, are put right before they are fitted to 28x28.

    EMNIST: https://www.nist.gov/itl/products-and-services/emnist-dataset, whose IDX files hold the
    images in the column order of MATLAB.
    """
    transposed = files["train", "images"].name.lower().startswith("emnist")
    train = _read(files, "train", transposed)
    test = _read(files, "test", transposed) if ("test", "images") in files else None
    transform = joined(TRANSPOSED if transposed else UNCHANGED, transform_of(train, alignment))
    return Parts(to_split(train, alignment), None if test is None else to_split(test, alignment), transform)


def _read(files: Files, part: str, transposed: bool) -> RawSplit:
    raw = parse_split(read_content(files[part, "images"]), read_content(files[part, "labels"]))
    return replace(raw, images=raw.images.transpose(0, 2, 1)) if transposed else raw


def _require_pairs(files: Files, folder: Path) -> None:
    """Raise unless there are images and labels to train on, and both or neither to test on."""
    for part in ("train", "test"):
        missing = [kind for kind in ("images", "labels") if (part, kind) not in files]
        if missing and (part == "train" or len(missing) == 1):
            held = ", ".join(path.name for path in files.values())
            raise DigitsError(f"{folder} holds {held} but no {part} {' and no '.join(missing)} in IDX format")
