"""Loader that `mlflow.pyfunc.load_model` calls for a network that reads encoded pictures.

It needs neither Keras nor TensorFlow. The files of the logged model contain a copy of the code.
"""

from typing import Any

from experiments.errors import DigitsError
from experiments.inference.network import CLASSES
from experiments.inference.reader import Reader

PICTURE = "picture"  # the column of encoded pictures


class PictureModel:
    """Reads one digit in each picture of a table.

    Parameters
    ----------
    path
        Path of the ONNX file.
    """

    def __init__(self, path: str) -> None:
        self._reader = Reader(path)

    def predict(self, data: Any, params: Any = None) -> list[dict[str, Any]]:  # noqa: ARG002 - MLflow's signature
        """Return digit, probability, probabilities, is_digit, score and error of each picture.

        Parameters
        ----------
        data
            A data frame whose column ``picture`` has the contents of picture files.
        """
        return [self._read(content) for content in data[PICTURE]]

    def _read(self, content: bytes) -> dict[str, Any]:
        try:
            read = self._reader.read(content)
        except DigitsError as error:
            blank = {"digit": None, "probability": 0.0, "probabilities": [1 / CLASSES] * CLASSES}
            return {**blank, "is_digit": False, "score": None, "error": str(error)}
        return {
            "digit": read.digit,
            "probability": read.probability,
            "probabilities": read.probabilities.tolist(),
            "is_digit": read.is_digit,
            "score": read.score,
            "error": None,
        }


def _load_pyfunc(path: str) -> PictureModel:
    """Load the ONNX file at `path`; MLflow requires this name."""
    return PictureModel(path)
