"""The explorer of a feature space as one offline page: a rotating cloud of points, one per digit."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation.effects import Topic
from experiments.offline_page import page_templates, read_assets
from experiments.reporting.archive import read_npz, write_npz
from experiments.reporting.discussion.text import to_text
from experiments.reporting.figure_parts.style import GROUP_COLORS

PACKAGE = "experiments.reporting.explorer"
SIDE = 28
SHEET_COLUMNS = 50
SHEET_DIGITS = SHEET_COLUMNS**2  # a sheet decodes in about 10 ms, and a gallery needs few sheets
GRAY_STEP = 17  # 16 levels of gray, 0 17 .. 255: half the size of 256 levels, without a visible difference
FINEST = 32_767  # positions are int16
MOST_GROUPS = 65_536

SCRIPTS = (
    "data", "colors", "camera", "renderers", "picker", "sprites",
    "elements", "matrices", "controls", "stage", "explorer", "main",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ExplorerData:
    """The n digits of an explorer: positions, images, predictions and clusters.

    Parameters
    ----------
    title
        Heading of the page, with data and model.
    positions
        Embedded features, (n, 3) for a cloud or (n, 2) for a flat map, of any scale.
    images
        White on black, uint8 (n, 28, 28); kept in 16 levels of gray.
    labels, predicted
        True and predicted digits 0..9, (n,).
    probability
        Of the predicted digit, in [0, 1], (n,).
    split
        0 for train, 1 for test, (n,).
    index
        Index of each digit within its split, (n,).
    groupings
        By name, e.g. ``"KMeans, k = 10"``, the cluster 0..k-1 of each digit, (n,); may be empty.
    confusion
        Confusion score of each digit, in [0, 1] with 1 for the most confusing, (n,).
    topics
        The discussion.
    facts
        Facts by name: run, model, data, seconds.

    Raises
    ------
    ValueError
        If there are no digits, or an argument has another shape or range; the message names it.
    """

    title: str
    positions: NDArray[np.float32]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]
    split: NDArray[Any]
    index: NDArray[Any]
    groupings: Mapping[str, NDArray[np.int64]]
    confusion: NDArray[np.float32]
    topics: Sequence[Topic]
    facts: Mapping[str, str]

    def __post_init__(self) -> None:
        count = len(self.positions)
        if self.positions.ndim != 2 or self.positions.shape[1] not in {2, 3} or not count:
            raise ValueError(f"positions must have shape (n, 2) or (n, 3) with n > 0, received {self.positions.shape}")
        if not np.isfinite(self.positions).all():
            raise ValueError("positions must be finite")
        if self.images.shape != (count, SIDE, SIDE) or self.images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 ({count}, 28, 28), received {self.images.dtype} {self.images.shape}"
            )
        for name in ("labels", "predicted"):
            _check(name, getattr(self, name), count, CLASSES - 1, whole=True)
        for name in ("probability", "confusion"):
            _check(name, getattr(self, name), count, 1)
        _check("split", self.split, count, 1, whole=True)
        _check("index", self.index, count, 2**32 - 1, whole=True)
        for name, groups in self.groupings.items():
            _check(f"groupings[{name!r}]", groups, count, MOST_GROUPS - 1, whole=True)

    def to_npz(self) -> bytes:
        """Write the data as an archive of NumPy arrays, with images in the 16 levels of gray of the page.

        For the 70,000 digits of MNIST it has 9 MB and takes about 2 s.
        """
        return write_npz(replace(self, images=GRAY_STEP * _gray_levels(self.images)))

    @classmethod
    def from_npz(cls, content: bytes) -> "ExplorerData":
        """Read data that `to_npz` wrote.

        Raises
        ------
        DigitsError
            If they are damaged, or another version of this project wrote them.
        """
        return read_npz(content, lambda value, converter: converter.structure(value, cls))


def explorer_page(data: ExplorerData) -> str:
    """Build the page. It contains everything, and requests nothing.

    For the 70,000 digits of MNIST it has 12 MB and takes about 3 s. The same data give the same page.

    Parameters
    ----------
    data
        The digits and everything about them.
    """
    # The page keeps this order, so "most confusing first" needs no sorting there, and the images that a reader asks
    # for first are in the first sheets.
    order = np.argsort(-np.asarray(data.confusion, float), kind="stable")
    return (
        page_templates(PACKAGE)
        .get_template("page.html")
        .render(
            title=data.title,
            text=to_text(data.topics),
            facts=data.facts,
            data=_encode(data, order),
            sheets=_sheets(data.images, order),
            style=read_assets(PACKAGE, "page.css"),
            script=read_assets(PACKAGE, *(f"{name}.js" for name in SCRIPTS)),
        )
    )


def _check(name: str, values: NDArray[Any], count: int, greatest: int, *, whole: bool = False) -> None:
    if values.shape != (count,):
        raise ValueError(f"{name} must have shape ({count},), as positions have, received {values.shape}")
    if whole and not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"{name} must be integers, received {values.dtype}")
    if not ((values >= 0) & (values <= greatest)).all():
        raise ValueError(f"{name} must be in 0..{greatest}, received {values.min()}..{values.max()}")


def _encode(data: ExplorerData, order: NDArray[np.intp]) -> dict[str, Any]:
    """Return the data of the page's script, with arrays as base64 of little-endian numbers."""
    steps, center, radius = _quantized(data.positions)
    arrays: dict[str, tuple[NDArray[Any], str]] = {
        "positions": (steps, "<i2"),
        "labels": (data.labels, "u1"),
        "predicted": (data.predicted, "u1"),
        "probability": (data.probability, "<f4"),
        "split": (data.split, "u1"),
        "index": (data.index, "<u4"),
        "confusion": (data.confusion, "<f4"),
    }
    return {
        "title": data.title,
        "count": len(order),
        "dimensions": data.positions.shape[1],
        "center": center,
        "radius": radius,
        "palette": GROUP_COLORS,
        "sheet": {"columns": SHEET_COLUMNS, "digits": SHEET_DIGITS, "side": SIDE},
        **{name: _packed(values[order], kind) for name, (values, kind) in arrays.items()},
        "groupings": [
            {"name": name, "count": int(groups.max()) + 1, "groups": _packed(groups[order], "<u2")}
            for name, groups in data.groupings.items()
        ],
    }


def _quantized(positions: NDArray[np.float32]) -> tuple[NDArray[np.int16], list[float], float]:
    """Return positions as integer steps from their center, the center, and the length of the longest step."""
    exact = positions.astype(float)
    center = exact.mean(axis=0)
    radius = float(np.abs(exact - center).max()) or 1.0
    steps = np.round((exact - center) / radius * FINEST).astype(np.int16)
    return steps, center.tolist(), radius


def _sheets(images: NDArray[np.uint8], order: NDArray[np.intp]) -> Iterator[str]:
    """Yield sheets of 50 x 50 images, each a PNG in base64."""
    for start in range(0, len(order), SHEET_DIGITS):
        yield _text(_png(_tiled(images[order[start : start + SHEET_DIGITS]])))


def _tiled(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows = -(-len(images) // SHEET_COLUMNS)
    cells = np.zeros((rows * SHEET_COLUMNS, SIDE, SIDE), np.uint8)
    cells[: len(images)] = images
    tiled = cells.reshape(rows, SHEET_COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    return tiled.reshape(rows * SIDE, SHEET_COLUMNS * SIDE)


def _png(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    levels = Image.fromarray(_gray_levels(picture)).convert("P")
    levels.putpalette(bytes(level for level in range(0, 256, GRAY_STEP) for _ in "rgb"))
    buffer = io.BytesIO()
    levels.save(buffer, "PNG", bits=4, compress_level=6)  # level 9 takes ten times as long for 3 % less
    return buffer.getvalue()


def _gray_levels(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the nearest of 16 levels of gray, 0 to 15, of each pixel."""
    return np.round(np.arange(256) / GRAY_STEP).astype(np.uint8)[picture]


def _packed(values: NDArray[Any], kind: str) -> str:
    return _text(np.ascontiguousarray(values).astype(kind).tobytes())


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
