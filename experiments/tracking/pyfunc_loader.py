"""Loader that `mlflow.pyfunc.load_model` calls for a logged network, also where this project is not installed.

The files of a logged model contain a copy of this package for that purpose.
"""

from typing import Any

from mlflow import keras

import experiments.models.layers  # noqa: F401 - registers the layers that the file may refer to


def _load_pyfunc(path: str) -> Any:
    """Load the model at `path` as MLflow's Keras flavor does; MLflow requires this name."""
    return keras._load_pyfunc(path)
