"""Pictures of digits: from a file of any format to 28x28 pixels, white ink on black, as in MNIST.

`read_picture` and `read_gray` read a file, `light_ink` and `remove_paper` find the ink, `fit_to_mnist` fits it into 28x28. Needs no more
than NumPy and Pillow.
"""

from experiments.pictures.ink import light_ink, remove_paper
from experiments.pictures.normalization import SIDE, fit_to_mnist
from experiments.pictures.reading import SUFFIXES, Picture, read_gray, read_picture, size_of

__all__ = [
    "SIDE",
    "SUFFIXES",
    "Picture",
    "fit_to_mnist",
    "light_ink",
    "read_gray",
    "read_picture",
    "remove_paper",
    "size_of",
]
