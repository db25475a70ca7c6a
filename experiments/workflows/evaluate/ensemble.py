"""Networks that are measured as one: which may be, and what is told of them."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.evaluation import Comparison, Ensemble
from experiments.tracking import Reference

ENSEMBLE = "ensemble"  # its name among those of the models


def check_members(references: Mapping[str, Reference]) -> None:
    """Refuse what is no ensemble.

    Raises
    ------
    UsageError
        For fewer than two networks, the same one twice, or one that is called like the ensemble.
    """
    if ENSEMBLE in references:
        raise UsageError(f"a model called {ENSEMBLE!r} cannot be told from the ensemble; name its version")
    if len(references) < 2:
        raise UsageError(f"an ensemble needs at least two models, received {', '.join(references)}")
    seen: dict[object, str] = {}
    for name, reference in references.items():
        first = seen.setdefault(reference.model_id or Path(reference.location).resolve(), name)
        if first != name:
            raise UsageError(f"{first} and {name} are the same network; an ensemble needs different ones")


def joined_numbers(together: Ensemble, comparison: Comparison, labels: NDArray[np.int64]) -> dict[str, float]:
    """Return what there is to tell of an ensemble beside its metrics.

    Parameters
    ----------
    comparison
        Of the members and, under `ENSEMBLE`, of the ensemble.
    labels
        True digits, (n,).

    Returns
    -------
    dict
        Mean and sample standard deviation of the members' accuracies, ``members_accuracy`` and
        ``members_accuracy_std``, and the accuracy of their majority, ``vote_accuracy``.
    """
    alone = [metrics.accuracy for name, metrics in comparison.rows.items() if name != ENSEMBLE]
    return {
        "members_accuracy": fmean(alone),
        "members_accuracy_std": stdev(alone),
        "vote_accuracy": float(np.mean(together.votes == labels)),
    }
