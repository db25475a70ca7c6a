"""The alignment ablation: a model on the target under each alignment, without training on it."""

from collections.abc import Iterable

from experiments.datasets.alignment import ALIGNMENTS

DESKEW, STROKE = "deskew", "stroke"
DESKEWED_ALIGNMENTS = (DESKEW, STROKE)  # they need a model trained on deskewed images
ALIGNMENT_ORDER = (*ALIGNMENTS, STROKE)
_FIXED = (DESKEW, "box")


def fixed_alignment(measured: Iterable[str]) -> str:
    """Return the alignment that the method ``align`` reports: ``deskew``, else ``box``, else the first one measured.

    It is fixed in advance. The entropy of the predictions does not select it, because a network may be confident on
    badly distorted images, too.
    """
    names = [*measured]
    return next((name for name in _FIXED if name in names), names[0])
