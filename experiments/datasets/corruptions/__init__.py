"""The 15 corruptions of MNIST-C (Mu, Gilmer 2019, arXiv 1906.02337) by name.

They follow the definitions of the published test set: ``corruptions.py`` of github.com/google-research/mnist-c, whose
defaults are the severities of the release. The random numbers are our own, so that the images are other draws from the
same distribution.

>>> from experiments.datasets import load
>>> from experiments.datasets.corruptions.corrupting import corrupt
>>> test = load("uci").test
>>> foggy = corrupt(test, "fog")
>>> bool((foggy.labels == test.labels).all())
True
>>> len(CORRUPTIONS)
15
"""

from experiments.datasets.corruptions.blur import GLASS_BLUR, MOTION_BLUR
from experiments.datasets.corruptions.corruption import Corruption
from experiments.datasets.corruptions.drawing import CANNY_EDGES, DOTTED_LINE, STRIPE, ZIGZAG
from experiments.datasets.corruptions.geometry import ROTATE, SCALE, SHEAR, TRANSLATE
from experiments.datasets.corruptions.noise import IMPULSE_NOISE, SHOT_NOISE
from experiments.datasets.corruptions.weather import BRIGHTNESS, FOG, SPATTER

CORRUPTIONS: dict[str, Corruption] = {
    corruption.name: corruption
    for corruption in (
        SHOT_NOISE, IMPULSE_NOISE, GLASS_BLUR, MOTION_BLUR, SHEAR, SCALE, ROTATE, BRIGHTNESS, TRANSLATE, STRIPE, FOG,
        SPATTER, DOTTED_LINE, ZIGZAG, CANNY_EDGES,
    )
}  # fmt: skip
"""Each corruption by its published name, in the published order. The order seeds the random numbers: append only."""
