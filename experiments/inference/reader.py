"""Reader of digits in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.errors import DigitsError, UsageError
from experiments.inference.network import CLASSES, Network, Scores
from experiments.inference.readings import Reading, RowReading, enlarged
from experiments.pictures.digit import DigitPicture, find_digit
from experiments.pictures.opening import MAX_MEGAPIXELS
from experiments.pictures.reading import LoadedPicture, read_picture

if TYPE_CHECKING:
    from experiments.inference.rows import Lattice

READER = "reader"  # the network that comes with the package
BUNDLED = Path(__file__).with_name("reader.onnx")
SCORE, CERTAINTY = 0.4, 1.2  # how much they count where one of several views is the digit; fitted with their prices
BLANK_SCORE = -1000.0  # of a picture without ink: below what any network gives

Model = str | Path | bytes
Source = str | Path | bytes | NDArray[np.uint8] | LoadedPicture
"""The path of a picture file, its content, or pixels: gray (height, width) or RGB (height, width, 3)."""


@dataclass(frozen=True)
class Judgment:
    """What networks say of n digits.

    Attributes
    ----------
    probabilities
        ``float64 (n, 10)``, calibrated; of several networks the mean.
    scores
        ``float64 (n,)``, higher for digits than for anything else; of several networks the mean.
    """

    probabilities: NDArray[np.float64]
    scores: NDArray[np.float64]


class Reader:
    """Reads digits in pictures of any kind: photos, scans, drawings, dark ink on light paper or light on dark.

    Parameters
    ----------
    model
        ``"reader"`` for the network that comes with the package, the path of an ONNX file, its content, or several of
        these: an ensemble, whose probabilities are the mean of its members'.
    threads
        Threads of each network.
    max_megapixels
        Larger pictures are refused.

    Raises
    ------
    UsageError
        If there is no model, or one is no digit classifier.
    DigitsError
        If a file is missing or damaged.

    Examples
    --------
    >>> from experiments.inference import Reader
    >>> reading = Reader().read("photo.png")  # doctest: +SKIP
    >>> reading.digit, round(reading.probability, 2)  # doctest: +SKIP
    (7, 0.98)
    """

    def __init__(
        self,
        model: Model | Sequence[Model] = READER,
        *,
        threads: int = 1,
        max_megapixels: float = MAX_MEGAPIXELS,
    ) -> None:
        models = [model] if isinstance(model, Model) else [*model]
        if not models:
            raise UsageError("name at least one model")
        self._networks = [Network(one if isinstance(one, bytes) else network_file(one), threads) for one in models]
        self._min_score = float(np.mean([network.settings.min_score for network in self._networks]))
        self._max_megapixels = max_megapixels

    def read(self, picture: Source) -> Reading:
        """Read one digit.

        Raises
        ------
        DigitsError
            If the picture cannot be read or is too large.
        """
        return self.read_found([self.find(picture)])[0]

    def read_many(self, pictures: Sequence[Source]) -> list[Reading]:
        """Read one digit in each picture, in one batch; raises as `read`."""
        return self.read_found([self.find(picture) for picture in pictures])

    def read_rows(self, picture: Source, length: int | None = None) -> list[RowReading]:
        """Read rows of digits from top to bottom.

        Parameters
        ----------
        length
            Number of digits in each row, >= 1; None if it is unknown.

        Raises
        ------
        DigitsError
            As `read`.
        """
        image = self.open(picture)
        return _rows(image, self._lattices(image, length), length)

    def explain_rows(self, picture: Source, length: int | None = None) -> tuple[list[RowReading], NDArray[np.uint8]]:
        """Read rows of digits, and draw boxes, cuts and alternatives: ``uint8 (h, w, 3)``; raises as `read_rows`."""
        from experiments.inference.annotation import annotate_rows

        image = self.open(picture)
        lattices = self._lattices(image, length)
        return _rows(image, lattices, length), annotate_rows(image.pixels, lattices, length)

    def _lattices(self, image: LoadedPicture, length: int | None) -> "list[Lattice]":
        from experiments.inference.rows import Prices, build_lattices, keep_plausible
        from experiments.pictures.lines import find_rows

        if length is not None and length < 1:
            raise UsageError(f"length must be at least 1, received {length}")
        return keep_plausible(build_lattices(find_rows(image.pixels), self, Prices()), length)

    def find(self, picture: Source) -> DigitPicture | None:
        """Find the ink of a digit and bring it to 28x28; None if there is none. Raises as `read`."""
        image = self.open(picture)
        found = find_digit(image.pixels)
        return found and replace(found, box=enlarged(found.box, image.reduced))

    def read_found(self, found: Sequence[DigitPicture | None]) -> list[Reading]:
        """Read digits that `find` has found, in one batch."""
        inked = [one for one in found if one is not None]
        judgment = self.judge([one.views for one in inked], [one.prices for one in inked])
        judged = iter(zip(judgment.probabilities, judgment.scores, strict=True))
        return [_blank() if one is None else self._reading(one, *next(judged)) for one in found]

    def judge(self, digits: Sequence[NDArray[np.uint8]], prices: Sequence[NDArray[np.float64]] = ()) -> Judgment:
        """Classify n digits.

        Parameters
        ----------
        digits
            The views of each digit, ``uint8 (k, 28, 28)``, white ink on black; k >= 1 may differ. Of several, the
            probabilities are averaged, each by how much it looks like a digit, and the score of the best one counts.
        prices
            How unlikely each view is, ``float64 (k,)`` for each digit; equally likely by default.
        """
        if not digits:
            return Judgment(np.zeros((0, CLASSES)), np.zeros(0))
        images = np.concatenate(digits)[..., None].astype(np.float32) / np.float32(255)
        logits = [network.scores(images).logits.astype(np.float64) for network in self._networks]
        scores = np.mean([_log_sum_exp(one) for one in logits], axis=0)
        certainty = np.log(np.mean([_softmax(one) for one in logits], axis=0).max(axis=1))
        worth = SCORE * scores + CERTAINTY * certainty - (np.concatenate(prices) if prices else 0.0)
        temperatures = [network.settings.temperature for network in self._networks]
        each = np.mean([_softmax(one / by) for one, by in zip(logits, temperatures, strict=True)], axis=0)
        parts = np.split(np.arange(len(images)), np.cumsum([len(views) for views in digits])[:-1])
        weights = [_softmax(worth[None, part])[0] for part in parts]
        probabilities = [weight @ each[part] for weight, part in zip(weights, parts, strict=True)]
        return Judgment(np.stack(probabilities), np.array([scores[part][worth[part].argmax()] for part in parts]))

    def scores(self, images: NDArray[np.float32]) -> Scores:
        """Compute logits and features of ``float32 (n, 28, 28, 1)``, as a `Network` does.

        Of several networks, the softmax of the logits is the mean of theirs, as is the log-sum-exp; the features are
        beside each other.
        """
        each = [network.scores(images) for network in self._networks]
        if len(each) == 1:
            return each[0]
        logits = [one.logits.astype(np.float64) for one in each]
        mean = np.log(np.mean([_softmax(one) for one in logits], axis=0))
        level = np.mean([_log_sum_exp(one) for one in logits], axis=0)
        joint = (mean + level[:, None]).astype(np.float32)
        return Scores(joint, np.concatenate([one.features for one in each], axis=1))

    def open(self, picture: Source) -> LoadedPicture:
        """Return a picture in memory; raises as `read`."""
        if isinstance(picture, LoadedPicture):
            return picture
        if isinstance(picture, np.ndarray):
            return LoadedPicture(_rgb(picture))
        source = Path(picture) if isinstance(picture, str) else picture
        return read_picture(source, max_megapixels=self._max_megapixels)

    def _reading(self, found: DigitPicture, probabilities: NDArray[np.float64], score: float) -> Reading:
        digit = int(probabilities.argmax())
        is_digit = bool(score >= self._min_score)
        return Reading(digit, float(probabilities[digit]), probabilities, is_digit, float(score), found.box)


def network_file(model: str | Path) -> Path:
    """Return the file of ``"reader"``, or the path of an ONNX file itself.

    Raises
    ------
    UsageError
        If it is another reference.
    DigitsError
        If the network of the package is not there.
    """
    if str(model) == READER:
        if not BUNDLED.is_file():
            raise DigitsError(f"{BUNDLED}, which belongs to the package, is missing: install digits again")
        return BUNDLED
    if Path(model).suffix != ".onnx":
        raise UsageError(
            f"{str(model)!r} is neither {READER!r} nor an .onnx file; experiments.tracking.references.onnx_file gives "
            "the file of a registered model"
        )
    return Path(model)


def _blank() -> Reading:
    return Reading(None, 0.0, np.full(CLASSES, 1 / CLASSES), is_digit=False, score=BLANK_SCORE)


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint8 or not pixels.size or pixels.shape[2:] not in {(), (1,), (3,)} or pixels.ndim < 2:
        raise UsageError(
            f"a picture has uint8 values and the shape (height, width) or (height, width, 3), received {pixels.dtype} "
            f"{pixels.shape}"
        )
    return np.broadcast_to(pixels.reshape(*pixels.shape[:2], -1), (*pixels.shape[:2], 3))


def _log_sum_exp(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = logits.max(axis=1)
    total: NDArray[np.float64] = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return total


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = np.exp(logits - _log_sum_exp(logits)[:, None])
    return probabilities


def _rows(image: LoadedPicture, lattices: "list[Lattice]", length: int | None) -> list[RowReading]:
    from experiments.inference.rows import read_lattice

    rows = [row for lattice in lattices if (row := read_lattice(lattice, length)) is not None]
    return [
        replace(row, digits=tuple(replace(one, box=enlarged(one.box, image.reduced)) for one in row.digits))
        for row in rows
    ]
