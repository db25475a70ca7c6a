"""Target domains: the images that a model is adapted to and measured on."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments import datasets
from experiments.datasets import Dataset, Split, Unlabelled
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.derivations.corrupted import CORRUPTED_TRANSFORM
from experiments.datasets.deskewing import deskew
from experiments.datasets.strokes import match_stroke_width
from experiments.errors import UsageError
from experiments.transfer.alignments import DESKEW

CORRUPTED_EACH = 500  # training images per corruption to adapt to: together about as many as USPS has
CORRUPTED_SEED = 1  # the test images have seed 0
MAX_OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class Domain:
    """The images of a target domain.

    Attributes
    ----------
    name, transform
        As in `experiments.datasets.Dataset`.
    unlabelled
        uint8 (m, 28, 28): images to adapt to, without their labels.
    images
        uint8 (n, 28, 28): test images.
    labels
        int64 (n,): labels of the test images, or None if they have none.
    variants
        Number of corrupted variants of each test image: 15 for ``<name>-c``, else 1. All images in their first variant
        come first, then all in their second, and so on.
    files
        File of each test image if these are unlabelled pictures; else empty.
    """

    name: str
    transform: str
    unlabelled: NDArray[np.uint8]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    variants: int = 1
    files: tuple[str, ...] = ()


def to_domain(data: Dataset | Unlabelled, data_dir: Path | None, alignment: str | None) -> Domain:
    """Build a target domain from a dataset that was loaded with an alignment.

    The training images of ``<name>-c`` are clean: a model is adapted to a sample of them under each corruption, drawn
    with another seed than the test images.
    """
    corrupted = is_corrupted(data)
    return Domain(
        data.name,
        data.transform,
        _corrupted_sample(data.name, data_dir, alignment) if corrupted else data.train.images,
        data.test.images,
        data.test.labels if isinstance(data.test, Split) else None,
        len(CORRUPTIONS) if corrupted else 1,
        data.files if isinstance(data, Unlabelled) else (),
    )


def is_corrupted(data: Dataset | Unlabelled) -> bool:
    """Return whether the test images are corrupted and the training images are not: ``<name>-c``."""
    return CORRUPTED_TRANSFORM in data.transform.split("+")


def _corrupted_sample(name: str, data_dir: Path | None, alignment: str | None) -> NDArray[np.uint8]:
    # Deskewing comes last, as it does for the test images.
    before = None if alignment == DESKEW else alignment
    published = datasets.load(published_name(name), data_dir, alignment=before)
    clean = datasets.sample(published.train, CORRUPTED_EACH)
    images = np.concatenate([corrupt(clean, each, CORRUPTED_SEED).images for each in CORRUPTIONS])
    return deskew(images) if alignment == DESKEW else images


def published_name(name: str) -> str:
    """Return the dataset that a derived dataset is made from; the name itself for any other."""
    return datasets.DERIVED[name].source.name if name in datasets.DERIVED else name


def with_stroke_width(domain: Domain, width: float) -> Domain:
    """Return a domain with all strokes brought to a width in pixels."""
    unlabelled, images = (
        match_stroke_width(Split(each, np.zeros(len(each), np.int64)), width).images
        for each in (domain.unlabelled, domain.images)
    )
    return replace(domain, unlabelled=unlabelled, images=images)


def check_new_domain(model: str, source: Dataset, target: str, data: Dataset | Unlabelled) -> None:
    """Refuse the data that a model was trained on as a target, whatever its name and place.

    Raises
    ------
    UsageError
        If more than half of the target's test images are in the source, pixel by pixel.
    """
    known = {image.tobytes() for split in (source.train, source.test) for image in split.images}
    overlap = sum(image.tobytes() in known for image in data.test.images) / len(data.test.images)
    if overlap > MAX_OVERLAP:
        raise UsageError(
            f"{target} is not a new domain for {model}: its images are those of {source.name}, the training data; "
            "digits evaluate measures a model on its own data"
        )
