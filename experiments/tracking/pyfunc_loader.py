"""What `mlflow.pyfunc.load_model` calls for a logged network, also where this project is not installed.

The files of a logged model hold a copy of this package for it.
"""

from typing import Any

from mlflow import keras

import experiments.models.layers  # noqa: F401 - registers the layers that loading may meet


def _load_pyfunc(path: str) -> Any:
    """Load the model at `path`, as MLflow's Keras flavour does; the name is MLflow's contract with loaders."""
    return keras._load_pyfunc(path)
