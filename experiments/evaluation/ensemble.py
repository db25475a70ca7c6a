"""Ensembles: the joint predictions of several models."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation.arguments import checked_probabilities
from experiments.results import MEMBERS_ACCURACY, MEMBERS_ACCURACY_STD, VOTE_ACCURACY


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Joint predictions of several models.

    Attributes
    ----------
    probabilities
        Mean of the members' probabilities, float32 (n, 10).
    votes
        Majority vote of the members, int64 (n,); ties go to the digit with the higher mean probability. An et al. 2020
        combine their networks in this way.
    """

    probabilities: NDArray[np.float32]
    votes: NDArray[np.int64]

    def metrics(self, labels: NDArray[np.int64], accuracies: Sequence[float]) -> dict[str, float]:
        """Compute the metrics that only an ensemble has, from the true labels and the members' accuracies.

        Returns
        -------
        dict
            Mean and sample standard deviation of the accuracies, ``members_accuracy`` and ``members_accuracy_std``,
            and the accuracy of the majority vote, ``vote_accuracy``.
        """
        return {
            MEMBERS_ACCURACY: fmean(accuracies),
            MEMBERS_ACCURACY_STD: stdev(accuracies),
            VOTE_ACCURACY: float(np.mean(self.votes == labels)),
        }


def ensemble(members: Sequence[NDArray[Any]]) -> Ensemble:
    """Combine the predictions of several models for the same images.

    Parameters
    ----------
    members
        Predicted distributions, (n, 10) each; at least two.

    Raises
    ------
    ValueError
        If there are fewer than two members, or an array is malformed.
    """
    if len(members) < 2:
        raise ValueError(f"an ensemble needs at least two members, received {len(members)}")
    checked = np.stack([checked_probabilities(member, len(members[0])) for member in members])
    mean = checked.mean(axis=0)
    counts = np.eye(CLASSES)[checked.argmax(axis=2)].sum(axis=0)
    favored = counts == counts.max(axis=1, keepdims=True)
    return Ensemble(mean.astype(np.float32), np.where(favored, mean, -1).argmax(axis=1))
