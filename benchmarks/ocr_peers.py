"""Programs for reading text that users would install instead: rapidocr and Tesseract, held to digits."""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.readers import DigitReader, Picture

DIGITS = "0123456789"
BLANK = 0  # class of CTC that stands for no character
RAPIDOCR = "python -m pip install 'rapidocr>=3.10'"
TESSERACT = "apt-get install tesseract-ocr"
ONE_THREAD = {
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
RECOGNIZER_ONLY = {"Global.use_det": False, "Global.use_cls": False}


class NotInstalledError(Exception):
    """A peer is not there; the message says how to install it."""


class RapidOcr:
    """rapidocr 3.x with its default models on one thread.

    Whatever it reads that is no digit is dropped, in its favor: ``7.`` counts as ``7``.

    Parameters
    ----------
    name
        In tables.
    params
        Settings of rapidocr besides those for one thread.
    """

    uses_length = False
    needs_28x28 = False

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        try:
            package = import_module("rapidocr")
        except ImportError as error:
            raise NotInstalledError(f"{error}; {RAPIDOCR}") from error
        import_module("cv2").setNumThreads(1)
        self.name = name
        self.version = f"rapidocr {version('rapidocr')}"
        self._engine = package.RapidOCR(params={**ONE_THREAD, **params})

    @property
    def size(self) -> int:
        """Bytes of the networks that it has used: it loads each when it first needs it."""
        parts = (self._engine.text_det, self._engine.text_cls, self._engine.text_rec)
        return sum(Path(part.session.session._model_path).stat().st_size for part in parts if part is not None)

    def read_digit(self, picture: Picture) -> str:
        """Return the digits in all that it reads."""
        return self._text(picture)

    def read_rows(self, picture: Picture, length: int | None) -> str:  # noqa: ARG002
        """Return the digits in all that it reads, line by line."""
        return self._text(picture)

    def _text(self, picture: Picture) -> str:
        found = self._engine(np.ascontiguousarray(picture[..., ::-1]))  # it takes blue, green, red
        return "\n".join(text for line in found.txts or () if (text := only_digits(line)))


class DigitsOnlyRapidOcr(RapidOcr):
    """rapidocr's recognizer restricted to the ten digits: the probabilities of other characters are not looked at.

    A single digit is the text if that has one digit, else the digit with the highest probability anywhere.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, RECOGNIZER_ONLY)
        self._text(np.full((48, 48, 3), 255, np.uint8))  # loads the recognizer
        recognizer = self._engine.text_rec
        decode = recognizer.postprocess_op
        columns = [BLANK, *(decode.character.index(digit) for digit in DIGITS)]

        def keep(predictions: NDArray[np.float32], *args: Any, **options: Any) -> Any:
            self._steps = predictions[0][:, columns]
            return decode(predictions, *args, **options)

        recognizer.postprocess_op = keep

    def read_digit(self, picture: Picture) -> str:
        """Return the only digit of the text, else the likeliest one."""
        text = self.read_rows(picture, None)
        return text if len(text) == 1 else DIGITS[int(self._steps[:, 1:].max(axis=0).argmax())]

    def read_rows(self, picture: Picture, length: int | None) -> str:  # noqa: ARG002
        """Return the likeliest digits."""
        self._text(picture)
        return decode_greedily(self._steps)


class Tesseract:
    """The command `tesseract`, restricted to digits; its time includes starting the process."""

    name = "tesseract"
    uses_length = False
    needs_28x28 = False

    def __init__(self) -> None:
        command = shutil.which("tesseract")
        if command is None:
            raise NotInstalledError(f"there is no command tesseract; {TESSERACT}")
        self._command = command
        self.version = self._run("--version").splitlines()[0]
        folder = re.search(r'"(.+)"', self._run("--list-langs"))
        file = Path(folder.group(1) if folder else "", "eng.traineddata")
        if not file.is_file():
            raise NotInstalledError(f"tesseract has no data for English; {TESSERACT}")
        self.size = file.stat().st_size

    def read_digit(self, picture: Picture) -> str:
        """Read the picture as a single character."""
        return self._read(picture, "10")

    def read_rows(self, picture: Picture, length: int | None) -> str:  # noqa: ARG002
        """Read the picture as a single line."""
        return self._read(picture, "7")

    def _read(self, picture: Picture, segmentation: str) -> str:
        encoded = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(encoded, "BMP")
        whitelist = f"tessedit_char_whitelist={DIGITS}"
        options = ["stdin", "stdout", "-l", "eng", "--psm", segmentation, "-c", whitelist]
        return only_digits(self._run(*options, content=encoded.getvalue()))

    def _run(self, *options: str, content: bytes = b"") -> str:
        one_thread = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        ran = subprocess.run([self._command, *options], input=content, capture_output=True, check=True, env=one_thread)
        return ran.stdout.decode(errors="replace")


def decode_greedily(probabilities: NDArray[np.floating]) -> str:
    """Decode the output of a network trained with CTC: the likeliest class of each step, repetitions merged.

    Parameters
    ----------
    probabilities
        ``(steps, 11)``: of the blank, then of the ten digits.
    """
    best = probabilities.argmax(axis=1)
    begins = np.diff(best, prepend=BLANK) != 0
    return "".join(DIGITS[one - 1] for one in best[begins] if one != BLANK)


def only_digits(text: str) -> str:
    """Drop all characters but digits."""
    return re.sub(r"[^0-9]", "", text)


PEERS: dict[str, Callable[[], DigitReader]] = {
    "rapidocr": lambda: RapidOcr("rapidocr", RECOGNIZER_ONLY),
    "rapidocr-digits": lambda: DigitsOnlyRapidOcr("rapidocr-digits"),
    "tesseract": Tesseract,
    "rapidocr-pipeline": lambda: RapidOcr("rapidocr-pipeline", {}),
}
"""The constructor of each peer, by name; it raises NotInstalledError if it is not there.

The pipeline detects text before it recognizes it, as rapidocr does by default. The others take the
whole picture for one line of text, which suits pictures of single digits and rows better.
"""

DEFAULT_PEERS = ("rapidocr", "rapidocr-digits", "tesseract")
