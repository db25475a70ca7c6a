"""Separation of ink and paper in a gray picture."""

import numpy as np
from numpy.typing import NDArray

from experiments.errors import DigitsError

MIN_CONTRAST = 32  # gray levels between paper and the strongest ink, of 255
MIN_INK = 26  # a tenth of the strongest ink: anything weaker is the grain of the paper

Gray = NDArray[np.uint8]  # (height, width)


def light_ink(gray: Gray, name: str) -> Gray:
    """Invert a picture of dark ink on light paper; return one of light ink on dark paper unchanged.

    Parameters
    ----------
    gray
        ``uint8 (height, width)``.
    name
        Name of the picture for the error message.

    Raises
    ------
    DigitsError
        If the gray levels differ too little for the picture to show ink.
    """
    low, high = int(gray.min()), int(gray.max())
    if high - low < MIN_CONTRAST:
        raise DigitsError(f"{name} shows no ink: its gray levels range from {low} to {high}")
    return np.invert(gray) if _paper_level(gray) > (low + high) / 2 else gray


def remove_paper(ink: Gray) -> Gray:
    """Stretch the gray levels of light ink so that the paper becomes 0 and the strongest ink 255."""
    above = np.clip(ink.astype(np.float64) - _paper_level(ink), 0, None)
    stretched = np.rint(above * (255 / above.max())).astype(np.uint8)
    return np.where(stretched < MIN_INK, np.uint8(0), stretched)


def _paper_level(gray: Gray) -> float:
    """Return the gray level of the paper: the median of the border."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return float(np.median(border))
