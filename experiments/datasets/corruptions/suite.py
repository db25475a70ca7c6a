"""The fifteen corruptions by name, and splits and data sets under them.

They follow the definitions that the test set of MNIST-C was published with: ``corruptions.py`` of
github.com/google-research/mnist-c, whose defaults are the severities of the release. Each function names its own.
The random numbers are ours, so that the images are other draws from the same distribution.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.datasets.corruptions.blur import GLASS_DRAWS, glass_blur, motion_blur
from experiments.datasets.corruptions.corruption import Corruption
from experiments.datasets.corruptions.drawing import canny_edges, dotted_line, stripe, zigzag
from experiments.datasets.corruptions.geometry import rotate, scale, shear, translate
from experiments.datasets.corruptions.noise import impulse_noise, shot_noise
from experiments.datasets.corruptions.weather import FOG_DRAWS, brightness, fog, spatter
from experiments.datasets.dataset import SIDE, Dataset, Split, joined
from experiments.errors import unknown

CORRUPTED = "corrupted"
"""The transform of a data set whose test digits are corrupted."""

CORRUPTIONS: dict[str, Corruption] = {
    "shot_noise": Corruption("grain of too few photons", "5 of 5: 3 photons for white", SIDE * SIDE, shot_noise),
    "impulse_noise": Corruption("black and white specks", "4 of 5: 17 % of the pixels", SIDE * SIDE, impulse_noise),
    "glass_blur": Corruption("seen through rough glass", "1 of 5: 2 passes, 1 pixel far", GLASS_DRAWS, glass_blur),
    "motion_blur": Corruption("smeared to one side", "1 of 5: sigma 3 pixels, within 45 degrees", 1, motion_blur),
    "shear": Corruption("slanted to the left or right", "2 of 5: 0.4 radians", 1, shear),
    "scale": Corruption("made smaller", "3 of 5: to 70 %", 0, scale),
    "rotate": Corruption("turned to the left or right", "2 of 5: 0.4 radians", 1, rotate),
    "brightness": Corruption("all of it lighter", "5 of 5: by half of white", 0, brightness),
    "translate": Corruption("moved towards a corner", "3 of 5: by 3 pixels each way", 2, translate),
    "stripe": Corruption("left and right quarter inverted", "the only one", 0, stripe),
    "fog": Corruption("behind drifting fog", "5 of 5: 3 parts of fog, decay 1.4", FOG_DRAWS, fog),
    "spatter": Corruption("splashed with mud", "4 of 5", SIDE * SIDE, spatter),
    "dotted_line": Corruption("crossed by a dotted line", "the only one", 2, dotted_line),
    "zigzag": Corruption("crossed by a zigzag line", "the only one", 2, zigzag),
    "canny_edges": Corruption("only its outlines left", "the only one: sigma 1", 0, canny_edges),
}
"""Each corruption by its published name, in the published order."""

# What is worked on at a time, in random numbers and pixels: few enough to stay in the processor's cache.
BLOCK_NUMBERS = 1 << 20


def corrupt(split: Split, corruption: str, seed: int = 0) -> Split:
    """Return the digits under a corruption, with the labels they had.

    What becomes of a digit depends on its image, its index in the split, the corruption and the seed (0 or more),
    not on the digits beside it: the first hundred of a split come out as they do alone. For 10,000 digits all 15 take
    about ten seconds of one core.

    Raises
    ------
    UsageError
        When no corruption has this name.
    """
    if corruption not in CORRUPTIONS:
        raise unknown("corruption", corruption, CORRUPTIONS)
    chosen = CORRUPTIONS[corruption]
    # One stream for all images, drawn in their order: the numbers of an image do not depend on the blocks.
    stream = np.random.default_rng((seed, list(CORRUPTIONS).index(corruption)))
    images = np.empty_like(split.images)
    for block in _blocks(len(split), SIDE * SIDE + chosen.draws):
        clean = np.divide(split.images[block], np.float32(255), dtype=np.float32)
        draws = stream.random((len(clean), chosen.draws), np.float32)
        images[block] = np.rint(np.clip(chosen.apply(clean, draws), 0, 1) * 255)
    return Split(images, split.labels)


def with_corrupted_test(data: Dataset) -> Dataset:
    """Return the training digits as they are and the test digits under each corruption in turn.

    Of n test digits, the one at ``i`` is found under the k-th of `CORRUPTIONS` at ``k * n + i``. The seed is 0: the
    data set is the same in every run.
    """
    splits = [corrupt(data.test, name) for name in CORRUPTIONS]
    test = Split(np.concatenate([s.images for s in splits]), np.concatenate([s.labels for s in splits]))
    return replace(data, test=test, transform=joined(data.transform, CORRUPTED))


def _blocks(images: int, numbers_per_image: int) -> Iterator[slice]:
    size = max(1, BLOCK_NUMBERS // numbers_per_image)
    return (slice(start, start + size) for start in range(0, images, size))
