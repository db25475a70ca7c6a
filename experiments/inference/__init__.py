"""Digits in pictures, read by ONNX Runtime alone: no TensorFlow, Keras, MLflow or scikit-learn.

`Reader` reads a picture, `Network` runs an ONNX file, `Settings` are what the file says about itself.
"""

from experiments.inference.network import Network, Scores, Settings
from experiments.inference.reader import Judgment, Reader
from experiments.inference.readings import Reading, RowDigit, RowReading

__all__ = ["Judgment", "Network", "Reader", "Reading", "RowDigit", "RowReading", "Scores", "Settings"]
