"""Pictures of digits: from a file of any format to 28x28 pixels, white ink on black, as in MNIST.

`read_gray` reads a file, `light_ink` and `remove_paper` find the ink, `fit_to_mnist` fits it into 28x28. Needs no more
than NumPy and Pillow.
"""

from experiments.pictures.normalization import SIDE, fit_to_mnist
from experiments.pictures.reading import SUFFIXES, read_gray, size_of

__all__ = ["SIDE", "SUFFIXES", "fit_to_mnist", "read_gray", "size_of"]
