"""Digit classifiers as ONNX files, run by ONNX Runtime: without Keras, TensorFlow and MLflow."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from experiments.errors import DigitsError, UsageError, first_line

CLASSES = 10
IMAGE_SHAPE = (28, 28, 1)
LOGITS, FEATURES = "logits", "features"
BATCH = 256  # images at a time: bounds the memory of the hidden layers
FLOAT32 = "tensor(float)"
PREFIX = "digits."  # of our keys in the metadata of an ONNX file
ERRORS_ONLY = 3  # log level of ONNX Runtime


@dataclass(frozen=True)
class Settings:
    """Values fitted on validation data that belong to a network; an ONNX file has them in its ``metadata_props``.

    Attributes
    ----------
    temperature
        Divisor of the logits that calibrates the probabilities, > 0.
    min_score
        Smallest score of a digit; a picture below it counts as something else.
    source
        Where the network comes from, for people to read.
    """

    temperature: float = 1.0
    min_score: float = -math.inf
    source: str = ""

    def to_metadata(self) -> dict[str, str]:
        """Return the metadata of an ONNX file with these settings."""
        return {f"{PREFIX}{key}": str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Return the settings in the metadata of an ONNX file; what is missing has its default.

        Raises
        ------
        ValueError
            If a value is no number or out of range.
        """
        kinds: dict[str, type] = {"temperature": float, "min_score": float, "source": str}
        own = {one.name: metadata[key] for one in fields(cls) if (key := f"{PREFIX}{one.name}") in metadata}
        settings = cls(**{name: kinds[name](text) for name, text in own.items()})
        if not 0 < settings.temperature < math.inf or math.isnan(settings.min_score):
            raise ValueError(f"temperature {settings.temperature}, min_score {settings.min_score}")
        return settings


@dataclass(frozen=True)
class Scores:
    """What a network computes for n images.

    Attributes
    ----------
    logits
        ``float32 (n, 10)``.
    features
        ``float32 (n, d)``, the activations before the classifier.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Network:
    """A digit classifier from an ONNX file as `experiments.models.onnx_export.to_onnx` writes it.

    Parameters
    ----------
    file
        Path of the file, or its content.
    threads
        Threads for one operation. One is the fastest for single pictures of so small networks.

    Attributes
    ----------
    settings
        The `Settings` in the file.

    Raises
    ------
    DigitsError
        If the file cannot be read or is no ONNX model.
    UsageError
        If the model is no digit classifier.
    """

    def __init__(self, file: str | Path | bytes, threads: int = 1) -> None:
        name = "the network" if isinstance(file, bytes) else str(file)
        self._session = _session(_content(file), name, threads)
        self._image = _check(self._session, name)
        try:
            self.settings = Settings.from_metadata(self._session.get_modelmeta().custom_metadata_map)
        except ValueError as error:
            raise DigitsError(f"{name} has wrong settings in its metadata: {error}") from error

    def scores(self, images: NDArray[np.float32]) -> Scores:
        """Compute the logits and features of ``float32 (n, 28, 28, 1)``, white ink in [0, 1] on black; n >= 1."""
        starts = range(0, len(images), BATCH)
        parts = [self._session.run([LOGITS, FEATURES], {self._image: images[i : i + BATCH]}) for i in starts]
        logits, features = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Scores(logits, features)


def _content(file: str | Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise DigitsError(f"{file} cannot be read: {error.strerror or error}") from error


def _session(content: bytes, name: str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY + 1
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has an exception of its own for each kind of damage
        raise DigitsError(f"{name} is no readable ONNX model: {first_line(error)}") from error


def _check(session: Any, name: str) -> str:
    """Return the name of the input of a digit classifier.

    Raises
    ------
    UsageError
        If it has other inputs or outputs.
    """
    inputs = [(one.type, one.shape[1:]) for one in session.get_inputs()]
    outputs = {one.name: (one.type, one.shape[1:]) for one in session.get_outputs()}
    rows = outputs.get(FEATURES, ("", []))
    if (
        inputs != [(FLOAT32, [*IMAGE_SHAPE])]
        or outputs.get(LOGITS) != (FLOAT32, [CLASSES])
        or (rows[0], len(rows[1])) != (FLOAT32, 1)
    ):
        raise UsageError(
            f"{name} is no digit classifier: it needs one float32 input (n, 28, 28, 1) and the outputs logits (n, 10) "
            "and features (n, d)"
        )
    return str(session.get_inputs()[0].name)
