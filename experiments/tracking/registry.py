"""Models in MLflow: logging, registration, and the registered versions."""

import contextlib
import os
import random
import shutil
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import experiments
from experiments.datasets import DERIVED
from experiments.inference.network import Settings
from experiments.models.onnx_export import to_onnx, with_metadata
from experiments.results import PARAMETERS, VAL_ACCURACY
from experiments.tracking.past_runs import past_run
from experiments.tracking.runs import Run
from experiments.tracking.store import TRACKING_URI, Store
from experiments.tracking.tags import ADAPTED_FROM, DATASET, MODEL, subject_tags
from experiments.training import backend_packages

if TYPE_CHECKING:
    import keras
    import numpy as np
    from mlflow.entities.model_registry import ModelVersion
    from numpy.typing import NDArray

CHAMPION = "champion"
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)  # maximum seconds between attempts to register
CODE = "code"  # MLflow's name for the folder of a model's code
DATA = "data"  # MLflow's name for the folder of the network's file
ONNX_FILE = "network.onnx"  # in the same folder


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a registered model, as `digits models` lists it.

    `tuned` says whether a search has found its hyperparameters, and `parameters` is its own number of weights, None if
    its run did not record it.
    """

    registered_model: str
    version: int
    aliases: tuple[str, ...]
    dataset: str
    architecture: str
    tuned: bool
    parameters: int | None

    @property
    def text(self) -> str:
        """Name and version in tables, for instance ``mnist-lenet v3``."""
        return version_text(self.registered_model, self.version)


@dataclass(frozen=True)
class BestVersion:
    """The best version of a registered model, and the run that trained it."""

    registered_model: str
    version: int
    dataset: str
    architecture: str
    run_id: str


def registered_name(dataset: str, architecture: str) -> str:
    """Return the name of the registered model for one architecture trained on one dataset."""
    return f"{dataset}-{architecture}"


def version_text(registered_model: str, version: int | str) -> str:
    """Return a version as tables name it, for instance ``mnist-lenet v3``."""
    return f"{registered_model} v{version}"


def version_uri(registered_model: str, version: int | str) -> str:
    """Return the reference to a version, for instance ``models:/mnist-lenet/3``."""
    return f"models:/{registered_model}/{version}"


def log_model(
    run: Run,
    model: "keras.Model",
    name: str,
    params: Mapping[str, Any],
    example: "NDArray[np.float32]",
    settings: Settings | None = None,
) -> str:
    """Log a network as the one model of a run, in Keras's format and as ONNX, and return the model's id (``m-...``).

    If an interrupted call has logged the model already, its id is returned; a partly logged model is deleted.

    Parameters
    ----------
    example
        One image, float32 (1, 28, 28, 1): the model's input example.
    settings
        What the ONNX file says of calibration and rejection; by default, nothing.
    """
    from mlflow.entities import LoggedModelOutput

    client = run.store.client
    if earlier := _earlier_model(run):
        return earlier
    logged = client.create_logged_model(
        run.store.experiment_id,
        name=name,
        source_run_id=run.id,
        params={key: str(value) for key, value in params.items()},
        model_type="classifier",
    )
    try:
        with TemporaryDirectory() as folder:
            _save(model, folder, run.id, logged.model_id, example, settings or Settings())
            client.log_model_artifacts(logged.model_id, folder)
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    client.log_outputs(run.id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def model_bytes(store: Store, model_id: str) -> int:
    """Return the size in bytes of a logged network's ``.keras`` file in the store."""
    files = store.client.list_logged_model_artifacts(model_id, DATA)
    return next(int(file.file_size) for file in files if file.path.endswith(".keras"))


def has_onnx(store: Store, model_id: str) -> bool:
    """Return whether a logged network has been logged as ONNX too."""
    return any(file.path.endswith(ONNX_FILE) for file in store.client.list_logged_model_artifacts(model_id, DATA))


def _earlier_model(run: Run) -> str | None:
    """Return the id of the model that a run has logged already, and delete partly logged ones."""
    client, complete = run.store.client, None
    for model in client.search_logged_models([run.store.experiment_id], f"source_run_id = '{run.id}'"):
        if model.status == "READY":
            complete = str(model.model_id)
        else:
            client.delete_logged_model(model.model_id)
    return complete


def _save(
    model: "keras.Model",
    folder: str,
    run_id: str,
    model_id: str,
    example: "NDArray[np.float32]",
    settings: Settings,
) -> None:
    """Write the model in MLflow's Keras flavor, with this package's code, which defines the layers of some networks.

    ``data/network.onnx`` is the same network for ONNX Runtime.

    MLflow's own `mlflow.keras.log_model` (3.17) fails with an input example: it writes it before creating the folder.
    """
    import mlflow.keras
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    from experiments.tracking import pyfunc_loader

    record = Model(run_id=run_id, model_id=model_id)
    mlflow.keras.save_model(
        model,
        folder,
        mlflow_model=record,
        signature=ModelSignature(
            inputs=Schema([TensorSpec(example.dtype, (-1, *example.shape[1:]))]),
            outputs=Schema([TensorSpec(example.dtype, (-1, model.output_shape[-1]))]),
        ),
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in (*backend_packages(), "numpy")],
    )
    Path(folder, DATA, ONNX_FILE).write_bytes(with_metadata(to_onnx(model), settings.to_metadata()))
    package = Path(experiments.__file__).parent
    shutil.copytree(package, Path(folder, CODE, package.name), ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
    record.flavors["python_function"].update(code=CODE, loader_module=pyfunc_loader.__name__)
    record.save(str(Path(folder, "MLmodel")))


def register(
    run: Run,
    model_id: str,
    *,
    dataset: str,
    architecture: str,
    score: float | None,
    description: str = "",
    adapted_from: str | None = None,
) -> RegisteredVersion:
    """Register a logged model, and make the version with the best validation accuracy the champion.

    A run has one version: if the run has registered one already, before an interruption, that one is returned.

    Parameters
    ----------
    score
        Validation accuracy in [0, 1]; None if there are no labels. Such a version is the champion only as long as no
        version has a score (the first one of several).
    description
        One line, shown in the registry.
    adapted_from
        The version that the network was adapted from, if it was not trained on the dataset.
    """
    from mlflow.exceptions import MlflowException

    details = {VAL_ACCURACY: None if score is None else repr(score), ADAPTED_FROM: adapted_from}
    tags = {tag: value for tag, value in details.items() if value is not None}
    # MLflow reads and then writes without a lock: of processes that register at the same time, some fail.
    for seconds in PAUSES:
        with contextlib.suppress(MlflowException):
            return _register(run, model_id, dataset, architecture, tags, description)
        time.sleep(random.uniform(0.5, 1) * seconds)  # noqa: S311 - no secret
    return _register(run, model_id, dataset, architecture, tags, description)


def _register(
    run: Run, model_id: str, dataset: str, architecture: str, details: Mapping[str, str], description: str
) -> RegisteredVersion:
    """Do the missing parts of a registration: repeated after a failure it ends like an uninterrupted one."""
    client, name = run.store.client, registered_name(dataset, architecture)
    _ensure_registered_model(run.store, name, dataset, architecture)
    with _as_default(run.store):
        entry = _version_of(run, name) or client.create_model_version(
            name,
            f"models:/{model_id}",
            run.id,
            tags=subject_tags(architecture, dataset) | dict(details),
            description=description,
            model_id=model_id,
        )
    _promote_champion(run.store, name)
    return _as_listed(run.store, client.get_model_version(name, entry.version), architecture)


def registered_versions(store: Store) -> tuple[RegisteredVersion, ...]:
    """Return all versions of all models that this project registered, ordered by name and version."""
    listed = [
        _as_listed(store, entry, model.tags[MODEL])
        for model in _registered_models(store)
        for entry in _versions(store, model.name)
    ]
    return tuple(sorted(listed, key=lambda v: (v.registered_model, v.version)))


def registered_names(store: Store, architecture: str | None = None) -> list[str]:
    """Return the sorted names of the registered models, all or those of one architecture."""
    models = _registered_models(store)
    return sorted(model.name for model in models if architecture in (None, model.tags[MODEL]))


def version_exists(store: Store, registered_model: str, version: int) -> bool:
    """Return whether a version of a registered model is in the store."""
    from mlflow.exceptions import MlflowException

    try:
        store.client.get_model_version(registered_model, str(version))
    except MlflowException:
        return False
    return True


def is_tuned(store: Store, run_id: str | None) -> bool:
    """Return whether a training used hyperparameters that a search has found."""
    run = past_run(store, run_id) if run_id else None
    return run is not None and run.tuned


def trained_names(store: Store, architecture: str) -> list[str]:
    """Return the sorted names of an architecture's registered models with at least one version that was not adapted."""
    found = []
    for model in _registered_models(store):
        if model.tags[MODEL] == architecture:
            versions = store.client.search_model_versions(f"name = '{model.name}'")
            if any(ADAPTED_FROM not in version.tags for version in versions):
                found.append(model.name)
    return sorted(found)


def best_versions(store: Store, trainings: Container[str]) -> tuple[BestVersion, ...]:
    """Return the best version of each registered model that one of these runs has trained, ordered by name.

    It is the champion, or the version that would be champion without the others and the adapted ones. Networks that
    were trained on derived data are left out.
    """
    found = []
    for model in _registered_models(store):
        dataset, architecture = model.tags[DATASET], model.tags[MODEL]
        entries = _versions(store, model.name) if dataset not in DERIVED else []
        versions = [entry for entry in entries if ADAPTED_FROM not in entry.tags and entry.run_id in trainings]
        if versions:
            best = max(versions, key=_merit)
            found.append(BestVersion(model.name, int(best.version), dataset, architecture, best.run_id))
    return tuple(sorted(found, key=lambda one: one.registered_model))


def _merit(entry: "ModelVersion") -> tuple[bool, float, int]:
    """Return the sort key of the best version: the user's choice, then the score, then age."""
    return CHAMPION in entry.aliases, float(entry.tags.get(VAL_ACCURACY, 0)), -int(entry.version)


def _registered_models(store: Store) -> list[Any]:
    found = store.client.search_registered_models()
    models = list(found)
    while found.token:
        found = store.client.search_registered_models(page_token=found.token)
        models.extend(found)
    return [model for model in models if MODEL in model.tags]


def _versions(store: Store, name: str) -> list["ModelVersion"]:
    # search_model_versions leaves out the aliases.
    found = store.client.search_model_versions(f"name = '{name}'")
    return [store.client.get_model_version(name, entry.version) for entry in found]


def _as_listed(store: Store, entry: "ModelVersion", architecture: str) -> RegisteredVersion:
    run = past_run(store, entry.run_id) if entry.run_id else None
    parameters = run.metrics.get(PARAMETERS) if run else None
    return RegisteredVersion(
        entry.name,
        int(entry.version),
        tuple(entry.aliases),
        entry.tags.get(DATASET, ""),
        architecture,
        tuned=run is not None and run.tuned,
        parameters=None if parameters is None else int(parameters),
    )


def _version_of(run: Run, name: str) -> "ModelVersion | None":
    return next((entry for entry in _versions(run.store, name) if entry.run_id == run.id), None)


@contextlib.contextmanager
def _as_default(store: Store) -> Iterator[None]:
    """Make a store MLflow's default, in which its registry looks up logged models."""
    before = os.environ.get(TRACKING_URI)
    os.environ[TRACKING_URI] = store.uri
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(TRACKING_URI, None)
        else:
            os.environ[TRACKING_URI] = before


def _promote_champion(store: Store, name: str) -> None:
    """Make the best version the champion, until it is: another process may register one at the same time."""
    while True:
        best = max(_versions(store, name), key=lambda one: (float(one.tags.get(VAL_ACCURACY, 0)), -int(one.version)))
        if CHAMPION in best.aliases:
            return
        store.client.set_registered_model_alias(name, CHAMPION, best.version)


def _ensure_registered_model(store: Store, name: str, dataset: str, architecture: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        store.client.get_registered_model(name)
    except MlflowException:
        store.client.create_registered_model(
            name,
            tags=subject_tags(architecture, dataset),
            description=f"Network `{architecture}` trained on `{dataset}`. Each version is one training; alias "
            f"`{CHAMPION}` is the one with the best validation accuracy. Input: float32 (n, 28, 28, 1) in [0, 1], "
            "white ink on black; output: the probabilities of the digits 0 to 9.",
        )
