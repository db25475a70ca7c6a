"""What several models say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation.arguments import checked_probabilities


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several models as one.

    Attributes
    ----------
    probabilities
        The mean of the members' probabilities, float32 (n, 10).
    votes
        The digit that most members hold for the most probable, int64 (n,); among equally many the one of the higher
        mean probability. This is how An et al. 2020 combine their networks.
    """

    probabilities: NDArray[np.float32]
    votes: NDArray[np.int64]


def ensemble(members: Sequence[NDArray[Any]]) -> Ensemble:
    """Join the predictions of several models for the same images.

    Parameters
    ----------
    members
        Predicted distributions, (n, 10) each; at least two.

    Raises
    ------
    ValueError
        For fewer than two members or malformed arrays, naming what was received.
    """
    if len(members) < 2:
        raise ValueError(f"an ensemble needs at least two members, received {len(members)}")
    checked = np.stack([checked_probabilities(member, len(members[0])) for member in members])
    mean = checked.mean(axis=0)
    counts = np.eye(CLASSES)[checked.argmax(axis=2)].sum(axis=0)
    favoured = counts == counts.max(axis=1, keepdims=True)
    return Ensemble(mean.astype(np.float32), np.where(favoured, mean, -1).argmax(axis=1))
