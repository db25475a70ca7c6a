"""Pictures of digits: from a file of any format to 28x28 pixels, white ink on black, as in MNIST.

`read_picture` and `read_gray` read a file, `fit_to_mnist` fits ink into 28x28. Needs no more than NumPy,
Pillow and SciPy.
"""

from experiments.pictures.normalization import SIDE, fit_to_mnist
from experiments.pictures.reading import SUFFIXES, LoadedPicture, read_gray, read_picture, size_of

__all__ = ["SIDE", "SUFFIXES", "LoadedPicture", "fit_to_mnist", "read_gray", "read_picture", "size_of"]
