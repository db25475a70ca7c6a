"""A trained network with the domain it comes from, and the domains it is to be used in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, tracking
from experiments.datasets import Dataset, Split, Unlabelled
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.derivations.corrupted import CORRUPTED_TRANSFORM
from experiments.datasets.deskewing import deskew
from experiments.errors import UsageError
from experiments.execution.cache import FOLDER, discard_unused
from experiments.execution.progress import Progress
from experiments.models import Architecture, Recipe, architecture
from experiments.tracking import Reference, Store
from experiments.tracking.references import DEFAULT_DATASET, model_params
from experiments.transfer import Domain

if TYPE_CHECKING:
    import keras

DESKEW = "deskew"
DESKEWED_FORM = "{}-deskewed"  # of a data set's name
CORRUPTED_EACH = 500  # digits under each corruption to adapt to: together about as many as USPS has for training
CORRUPTED_SEED = 1
MOST_KNOWN = 0.5  # of a target's test digits, that may be among those of the source, pixel by pixel


@dataclass(frozen=True, eq=False)
class Source:
    """A trained network and the data it was trained on.

    Attributes
    ----------
    name
        Of the network, for the reader.
    alignment
        What digits must undergo for this network: ``deskew`` if it was trained on deskewed ones, None else.
    folder
        Where what is computed for this network is kept.
    """

    name: str
    reference: Reference
    network: "keras.Model"
    data: Dataset
    alignment: str | None
    folder: Path

    @property
    def architecture(self) -> Architecture:
        """What the network is.

        Raises
        ------
        UsageError
            For a bare file, which does not tell.
        """
        if self.reference.architecture is None:
            raise UsageError(f"{self.reference.text} does not tell what it was built by; name a registered model")
        return architecture(self.reference.architecture)

    def recipe(self, store: Store) -> Recipe:
        """Return the recipe that the network was trained with; errors as of `architecture`."""
        default, told = self.architecture.recipe, model_params(store, self.reference)
        return default.override({name: value for name, value in told.items() if name in default.params()})


def source(store: Store, reference: Reference, data_dir: Path | None, progress: Progress) -> Source:
    """Load a network and the data it was trained on; a bare file is taken to come from ``mnist``.

    Raises
    ------
    DigitsError
        When one of them cannot be had.
    """
    data = datasets.load(reference.data or DEFAULT_DATASET, data_dir, progress.download)
    digest = hashlib.sha256(tracking.model_file(store, reference).read_bytes()).hexdigest()[:16]
    name = reference.version or Path(reference.text).name
    alignment = DESKEW if DESKEW in data.transform.split("+") else None
    place = store.root / FOLDER
    discard_unused(place)
    folder = place / data.digest[:16] / digest
    return Source(name, reference, tracking.load_network(store, reference), data, alignment, folder)


def target(
    name: str, alignment: str | None, data_dir: Path | None, progress: Progress
) -> tuple[Domain, Dataset | Unlabelled]:
    """Load a domain, its digits aligned as the networks that are to be used in it need them.

    Raises
    ------
    DigitsError
        When it cannot be had.
    """
    data = datasets.load_target(name, data_dir, progress.download, alignment)
    return domain(data, data_dir, alignment), data


def check_new(home: Source, name: str, data: Dataset | Unlabelled) -> None:
    """Refuse as a target, whatever it is called and wherever it lies, what a network was trained on.

    Raises
    ------
    UsageError
        When most test digits of the target are, as the network is given them, digits of the network's own data.
    """
    if _known(data.test.images, home.data) > MOST_KNOWN:
        raise UsageError(
            f"{name} is no new domain to {home.name}: its digits are those of {home.data.name}, which that was trained "
            "on; digits evaluate measures a network on its own data"
        )


def _known(images: NDArray[np.uint8], data: Dataset) -> float:
    """Return the share of images that are among the digits of a data set."""
    known = {image.tobytes() for split in (data.train, data.test) for image in split.images}
    return sum(image.tobytes() in known for image in images) / len(images)


def domain(data: Dataset | Unlabelled, data_dir: Path | None, alignment: str | None) -> Domain:
    """Return a data set, loaded by an alignment, as a target: its training digits without labels, its test digits.

    Of ``<name>-c``, whose training digits are clean, a sample of these under each of the corruptions is what a network
    may be adapted to; the random numbers are others than those of the test digits.
    """
    corrupted = is_corrupted(data)
    return Domain(
        data.name,
        data.transform,
        _corrupted(data.name, data_dir, alignment) if corrupted else data.train.images,
        data.test.images,
        data.test.labels if isinstance(data.test, Split) else None,
        len(CORRUPTIONS) if corrupted else 1,
        data.files if isinstance(data, Unlabelled) else (),
    )


def is_corrupted(data: Dataset | Unlabelled) -> bool:
    """Tell whether the test digits are under corruptions and the training digits are not: ``<name>-c``."""
    return CORRUPTED_TRANSFORM in data.transform.split("+")


def _corrupted(name: str, data_dir: Path | None, alignment: str | None) -> NDArray[np.uint8]:
    # Deskewing comes last, as it does for the test digits.
    before = None if alignment == DESKEW else alignment
    published = datasets.load(datasets.DERIVED[name].source.name, data_dir, alignment=before)
    clean = datasets.sample(published.train, CORRUPTED_EACH)
    images = np.concatenate([corrupt(clean, each, CORRUPTED_SEED).images for each in CORRUPTIONS])
    return deskew(images) if alignment == DESKEW else images


def digest_of(*arrays: NDArray[Any]) -> str:
    """Return 16 hexadecimal digits that stand for arrays, their shapes among them."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(f"{array.dtype}{array.shape}".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()[:16]
