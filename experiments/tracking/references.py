"""Resolve model references, as written after ``--model``, to trained networks."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from experiments.datasets import CLASSES, DERIVED
from experiments.errors import DigitsError, UsageError, first_line, unknown
from experiments.models import IMAGE_SHAPE, MODELS
from experiments.models.onnx_export import to_onnx
from experiments.processes import this_process
from experiments.results import tuned_label
from experiments.tracking.registry import (
    CHAMPION,
    ONNX_FILE,
    has_onnx,
    is_tuned,
    registered_name,
    registered_names,
    registered_versions,
    trained_names,
    version_text,
    version_uri,
)
from experiments.tracking.store import Store

if TYPE_CHECKING:
    import keras
    import pandas as pd

DEFAULT_DATASET = "mnist"
EXPORTED = ".digits/onnx"  # networks that were trained before they were logged as ONNX too


@dataclass(frozen=True)
class Reference:
    """A trained network that was found.

    Attributes
    ----------
    text
        The reference as the user wrote it.
    location
        Path of its ``.keras`` file, or MLflow URI of its logged model.
    architecture, dataset
        Names of its architecture and of its training dataset; None for a bare file, which does not say.
    data
        What to load that dataset by: its name, or the folder of a user's own digits.
    run_id, model_id
        The training run and the logged model; None for a bare file.
    version
        For instance ``mnist-lenet v3``; None if it is not registered.
    tuned
        Whether a search has found its hyperparameters.
    note
        A remark for the user on the choice that was made.
    """

    text: str
    location: str
    architecture: str | None = None
    dataset: str | None = None
    data: str | None = None
    run_id: str | None = None
    model_id: str | None = None
    version: str | None = None
    tuned: bool = False
    note: str | None = None

    @property
    def full_version(self) -> str:
        """The registered version, or the reference itself if it is not registered."""
        return self.version or self.text

    @property
    def label(self) -> str:
        """Its name in tables: that of its architecture, ``mlp (tuned)`` if it is tuned; the stem of a bare file."""
        if self.architecture is None:
            return self.version or Path(self.text).stem
        return tuned_label(self.architecture) if self.tuned else self.architecture


def names_in_table(references: Mapping[str, Reference]) -> dict[str, str]:
    """Return the column ``model`` of networks in one table, by the caller's names for them.

    It is the caller's name if that is neither the reference nor the plain architecture, else the label; of networks
    with the same label, the caller's name.
    """
    labels = {
        name: reference.label if name in (reference.text, reference.architecture) else name
        for name, reference in references.items()
    }
    networks = Counter(labels.values())
    names = {name: label if networks[label] == 1 else name for name, label in labels.items()}
    return names if len({*names.values()}) == len(names) else {name: name for name in references}


def with_distinct_models(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table of results with the version as ``model`` where several versions have the same one."""
    shared = table.groupby("model")["version"].transform("nunique") > 1
    return table.assign(model=table["model"].where(~shared, table["version"]))


def resolve_reference(store: Store, text: str) -> Reference:
    """Find the network that a reference stands for.

    Parameters
    ----------
    text
        An architecture (its champion trained on ``mnist``, or that of the only other dataset there is), a registered
        model (its champion), ``models:/NAME/VERSION``, ``models:/NAME@ALIAS``, ``runs:/ID``, or a path to a
        ``.keras`` file.

    Raises
    ------
    UsageError
        If it is not a reference; the message suggests similar names.
    DigitsError
        If the network does not exist.
    """
    if text.endswith(".keras"):
        return _from_file(text)
    if text.endswith(".onnx"):
        raise UsageError(f"{text} can be used by digits predict only; name a .keras file or a registered model")
    if text.startswith("runs:/"):
        return _from_run(store, text)
    if text.startswith("models:/"):
        return _from_uri(store, text)
    if text in MODELS:
        return _from_architecture(store, text)
    if text in registered_names(store):
        return _from_version(store, text, text, alias=CHAMPION)
    raise unknown("model", text, MODELS, others=registered_names(store))


def resolve_references(store: Store, texts: Mapping[str, str], log: Callable[[str], None]) -> dict[str, Reference]:
    """Find several networks, given as references by name; `log` receives the remarks on the choices made.

    Raises
    ------
    UsageError
        If there is none, else as `resolve_reference`.
    """
    if not texts:
        raise UsageError("name at least one model")
    references = {name: resolve_reference(store, text) for name, text in texts.items()}
    for reference in references.values():
        if reference.note:
            log(reference.note)
    return references


def common_dataset(references: Iterable[Reference]) -> str:
    """Return the dataset that all networks were trained on.

    Raises
    ------
    UsageError
        If there are several.
    """
    names = {reference.data or DEFAULT_DATASET for reference in references}
    if len(names) > 1:
        raise UsageError(
            f"these models were trained on different data ({', '.join(sorted(names))}); name one with --dataset"
        )
    return names.pop()


def load_network(store: Store, reference: Reference) -> "keras.Model":
    """Load the network of a reference in Keras's safe mode.

    Raises
    ------
    UsageError
        If it does not map 28x28 images to ten classes.
    DigitsError
        If its file is missing or is not a Keras model.
    """
    import keras

    import experiments.models.layers  # noqa: F401 - registers the layers that the file may refer to

    path = model_file(store, reference)
    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file can make Keras raise anything
        reason = first_line(error) if is_zipfile(path) else "no zip file, or not the whole of one"
        raise DigitsError(f"cannot load {reference.text}: {path} is no readable Keras model ({reason})") from error
    if (network.input_shape[1:], network.output_shape[1:]) != (IMAGE_SHAPE, (CLASSES,)):
        raise UsageError(
            f"{reference.text} maps {network.input_shape[1:]} to {network.output_shape[1:]}; "
            f"a digit network maps {IMAGE_SHAPE} to {(CLASSES,)}"
        )
    return network


def model_params(store: Store, reference: Reference) -> dict[str, str]:
    """Return the params of a network's logged model, with which it was trained; none for a bare file."""
    if reference.model_id is None:
        return {}
    return dict(store.client.get_logged_model(reference.model_id).params)


def version_trained_with(store: Store, name: str, params: Mapping[str, Any]) -> Reference | None:
    """Return the latest version of a registered model that was trained with these params among others, or None.

    Networks that were adapted to the data do not count: they have the params of the network that they come from.
    """
    wanted = {key: str(value) for key, value in params.items()}
    of_name = [entry for entry in registered_versions(store) if entry.registered_model == name]
    for entry in reversed(of_name):
        found = resolve_reference(store, version_uri(name, entry.version))
        params = model_params(store, found)
        if wanted.items() <= params.items() and "adapted_from" not in params:
            return found
    return None


def model_file(store: Store, reference: Reference) -> Path:
    """Return the local path of the ``.keras`` file; a remote store's file is downloaded.

    Raises
    ------
    DigitsError
        If it no longer exists.
    """
    if reference.model_id is None:
        return Path(reference.location)
    return _logged_file(store, reference, "*.keras")


def onnx_file(store: Store, reference: Reference) -> Path:
    """Return the local path of the network as ONNX; see `experiments.models.onnx_export.to_onnx`.

    A network that was logged without one, or a bare ``.keras`` file, is exported to ``.digits/onnx``, once.

    Raises
    ------
    UsageError, DigitsError
        As `load_network`, and if the network has a layer that cannot be exported.
    """
    if exported := exported_file(store, reference):
        return exported
    exported = _export_path(store, reference)
    content = to_onnx(load_network(store, reference))
    exported.parent.mkdir(parents=True, exist_ok=True)
    fresh = exported.with_suffix(f".{this_process().replace(':', '-')}")
    fresh.write_bytes(content)
    fresh.replace(exported)
    return exported


def exported_file(store: Store, reference: Reference) -> Path | None:
    """Return the local path of the network as ONNX, or None if it would have to be exported: that needs Keras.

    Raises
    ------
    DigitsError
        If its files no longer exist.
    """
    if reference.model_id is not None and has_onnx(store, reference.model_id):
        return _logged_file(store, reference, ONNX_FILE)
    exported = _export_path(store, reference)
    return exported if exported.exists() else None


def _export_path(store: Store, reference: Reference) -> Path:
    name = reference.model_id or hashlib.sha256(model_file(store, reference).read_bytes()).hexdigest()
    return store.root / EXPORTED / f"{name}.onnx"


def _logged_file(store: Store, reference: Reference, pattern: str) -> Path:
    """Return the local path of a logged model's file whose name matches a pattern; a remote one is downloaded."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        # Not by its models:/ URI, which MLflow would look up in the store that it used last.
        place = store.client.get_logged_model(reference.model_id).artifact_location
        folder = Path(download_artifacts(artifact_uri=place, tracking_uri=store.uri))
        return next(folder.rglob(pattern))
    except (MlflowException, OSError, StopIteration) as error:
        raise DigitsError(f"the files of {reference.text} are gone from the store; train it again") from error


def _from_file(text: str) -> Reference:
    if not Path(text).is_file():
        raise DigitsError(f"there is no file {text}")
    return Reference(text, location=text)


def _from_run(store: Store, text: str) -> Reference:
    from mlflow.exceptions import MlflowException

    run_id = text.removeprefix("runs:/").split("/")[0]
    try:
        run = store.client.get_run(run_id)
    except MlflowException as error:
        raise DigitsError(f"there is no run {run_id!r} in {store.uri}") from error
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        raise DigitsError(f"run {run_id} has no model; name a training run that finished")
    return _describe(store, text, outputs[-1].model_id)


def _from_uri(store: Store, text: str) -> Reference:
    name = text.removeprefix("models:/")
    if "@" in name:
        name, alias = name.rsplit("@", 1)
        return _from_version(store, text, name, alias=alias)
    name, _, number = name.rpartition("/")
    if not name or not number.isdigit():
        raise UsageError(f"{text!r} is no model reference; write models:/NAME/VERSION or models:/NAME@ALIAS")
    return _from_version(store, text, name, number=number)


def _from_architecture(store: Store, text: str) -> Reference:
    preferred = registered_name(DEFAULT_DATASET, text)
    trained = trained_names(store, text)
    derived = {registered_name(name, text) for name in DERIVED}
    names = [name for name in trained if name not in derived] or trained or registered_names(store, text)
    if preferred in names:
        return _from_version(store, text, preferred, alias=CHAMPION)
    if not names:
        raise DigitsError(f"no {text} has been trained yet; run: digits train {text}")
    if len(names) > 1:
        raise DigitsError(
            f"{text} was trained on several datasets but not on {DEFAULT_DATASET}; choose one of {', '.join(names)}"
        )
    return _from_version(store, text, names[0], alias=CHAMPION, note=f"{preferred} does not exist; using {names[0]}")


def _from_version(
    store: Store,
    text: str,
    name: str,
    *,
    number: str | None = None,
    alias: str | None = None,
    note: str | None = None,
) -> Reference:
    from mlflow.exceptions import MlflowException

    try:
        if alias is None:
            entry = store.client.get_model_version(name, str(number))
        else:
            entry = store.client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        names = registered_names(store)
        missing = f"has no version {number}" if alias is None else f"has no version with alias {alias}"
        reason = f"{name} {missing}" if name in names else f"there is no registered model {name}"
        known = ", ".join(names) or "none yet"
        raise DigitsError(f"{reason}; registered: {known} (see digits models)") from error
    model_id, version = entry.source.removeprefix("models:/"), version_text(name, entry.version)
    return _describe(store, text, model_id, version=version, note=note)


def _describe(store: Store, text: str, model_id: str, **details: Any) -> Reference:
    model = store.client.get_logged_model(model_id)
    return Reference(
        text,
        location=f"models:/{model_id}",
        architecture=model.params.get("model"),
        dataset=model.params.get("dataset"),
        data=model.params.get("data", model.params.get("dataset")),
        run_id=model.source_run_id,
        model_id=model_id,
        tuned=is_tuned(store, model.source_run_id),
        **details,
    )
