"""Loading of models and target domains, and their combination to tasks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, tracking
from experiments.datasets import Dataset, Unlabelled
from experiments.errors import UsageError
from experiments.execution.cache import FOLDER, Cache, Stages, discard_unused
from experiments.execution.progress import Progress
from experiments.models import Architecture, Recipe, architecture
from experiments.tracking import Reference, Store, load_network
from experiments.tracking.references import DEFAULT_DATASET, model_params
from experiments.transfer.alignments import DESKEW
from experiments.transfer.domain import Domain, check_new_domain, to_domain

if TYPE_CHECKING:
    import keras

    from experiments.workflows.transfer.run import TransferOptions


@dataclass(frozen=True, eq=False)
class SourceModel:
    """A trained model and the dataset that it was trained on.

    Attributes
    ----------
    name
        Its version (``mnist-lenet v3``), or its file.
    alignment
        Alignment of the images that it needs: ``deskew`` if it was trained on deskewed ones, else None.
    folder
        Folder of cached results for this model.
    """

    name: str
    reference: Reference
    network: "keras.Model"
    data: Dataset
    alignment: str | None
    folder: Path

    @property
    def label(self) -> str:
        """Its short name in tables and run names."""
        return self.reference.architecture or self.name

    @property
    def architecture(self) -> Architecture:
        """Its architecture.

        Raises
        ------
        UsageError
            If it is a bare file, whose architecture is unknown.
        """
        if self.reference.architecture is None:
            raise UsageError(f"the architecture of {self.reference.text} is unknown; name a registered model")
        return architecture(self.reference.architecture)

    def recipe(self, store: Store) -> Recipe:
        """Return the recipe that it was trained with; raises as `architecture`."""
        default, params = self.architecture.recipe, model_params(store, self.reference)
        return default.override({name: value for name, value in params.items() if name in default.params()})


@dataclass(frozen=True, eq=False)
class TransferTask:
    """A model to use in a target domain.

    Attributes
    ----------
    source
        The model and its own data.
    target, data
        The domain, and the dataset that it was made from, which has the labels of the training images.
    cache
        Of everything that is computed for the two.
    """

    source: SourceModel
    target: Domain
    data: Dataset | Unlabelled
    cache: Cache
    seed: int


def load_source(store: Store, reference: Reference, data_dir: Path | None, progress: Progress) -> SourceModel:
    """Load a model and the dataset that it was trained on; a bare file is assumed to come from ``mnist``.

    Raises
    ------
    DigitsError
        If one of them does not exist or cannot be read.
    """
    data = datasets.load(reference.data or DEFAULT_DATASET, data_dir, progress.download)
    digest = hashlib.sha256(tracking.model_file(store, reference).read_bytes()).hexdigest()[:16]
    name = reference.version or Path(reference.text).name
    alignment = DESKEW if DESKEW in data.transform.split("+") else None
    root = store.root / FOLDER
    discard_unused(root)
    return SourceModel(
        name, reference, load_network(store, reference), data, alignment, root / data.digest[:16] / digest
    )


def load_domain(
    name: str, alignment: str | None, data_dir: Path | None, progress: Progress
) -> tuple[Domain, Dataset | Unlabelled]:
    """Load a target domain, and the dataset that it is made from, with an alignment.

    Raises
    ------
    DigitsError
        If it does not exist or cannot be read.
    """
    data = datasets.load_target(name, data_dir, progress.download, alignment)
    return to_domain(data, data_dir, alignment), data


def load_tasks(sources: Sequence[SourceModel], options: "TransferOptions", progress: Progress) -> list[TransferTask]:
    """Combine every model with every target; a target is loaded once for all models with the same alignment.

    Raises
    ------
    UsageError
        If a target is the data that a model was trained on, or two models or targets have the same name.
    """
    names, alignments = dict.fromkeys(options.targets), dict.fromkeys(source.alignment for source in sources)
    loaded = {
        (name, alignment): load_domain(name, alignment, options.data_dir, progress)
        for name, alignment in product(names, alignments)
    }
    tasks = []
    for source, name in product(sources, names):
        domain, data = loaded[name, source.alignment]
        check_new_domain(source.name, source.data, name, data)
        folder = source.folder / f"transfer-{digest_of(domain.unlabelled, domain.images)}"
        cache = Cache(folder, Stages(progress, f"{source.name} on {domain.name}"))
        tasks.append(TransferTask(source, domain, data, cache, options.seed))
    _check_distinct("models", {task.source.reference.location: task.source.name for task in tasks})
    _check_distinct("targets", {task.data.source: task.target.name for task in tasks})
    return tasks


def _check_distinct(kind: str, names: Mapping[str, str]) -> None:
    for name in names.values():
        if [*names.values()].count(name) > 1:
            raise UsageError(f"two of the {kind} have the name {name}; rename a file or folder")


def digest_of(*arrays: NDArray[Any]) -> str:
    """Compute 16 hexadecimal digits that stand for arrays and their shapes."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(f"{array.dtype}{array.shape}".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()[:16]
