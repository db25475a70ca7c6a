"""What is found of one network in one target domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import Metrics, measure
from experiments.transfer.adaptation.adapted import entropy
from experiments.transfer.few_shot import FewShot
from experiments.transfer.shift import Shift

Interval = tuple[float, float, float]

FIXED = ("deskew", "box")  # which rung stands for alignment


@dataclass(frozen=True, eq=False)
class Domain:
    """The digits of a target domain.

    Attributes
    ----------
    name, transform
        As of `experiments.datasets.Dataset`.
    unlabelled
        uint8 (m, 28, 28): what a network may be adapted to. Its labels are not looked at.
    images
        uint8 (n, 28, 28): the test digits.
    labels
        int64 (n,), of the test digits; None where nobody knows them.
    views
        In how many forms, one after the other, the same digits come: 15 for ``<name>-c``, else 1.
    files
        The file of each test digit, where digits without labels are pictures; else none.
    """

    name: str
    transform: str
    unlabelled: NDArray[np.uint8]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    views: int = 1
    files: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a network said of the target's test digits, after what was done for it.

    Attributes
    ----------
    probabilities
        float32 (n, 10).
    metrics
        None where the digits have no labels.
    seconds
        Wall time of what was done, without the measuring.
    curve
        Numbers by name over the epochs of an adaptation; see `experiments.transfer.adaptation.Adapted`.
    """

    probabilities: NDArray[np.float32]
    metrics: Metrics | None
    seconds: float = 0.0
    curve: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Rung:
    """One alignment of the ladder.

    Attributes
    ----------
    alignment
        Its name.
    network
        Which network was asked: from ``deskew`` on one that was trained on deskewed digits.
    entropy
        Mean entropy in nats of its predictions for the unlabelled digits: how unsure it is.
    outcome
        On the test digits.
    """

    alignment: str
    network: str
    entropy: float
    outcome: Outcome


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is found of one network in one target domain.

    Attributes
    ----------
    name, source, target
        Of the network and of the data it was trained on, for the reader; and the domain.
    at_home
        Its metrics on the source's test digits.
    outcomes
        By what was done: ``none``, ``align`` (the rung that stands for it), and methods of adaptation.
    ladder
        The rungs, where they were tried.
    shift
        In its features; None where they cannot be compared.
    few_shot
        None where it was not asked for.
    baseline
        Accuracy of ``mlp_small``, trained on the same source, under each corruption; empty where the target is not of
        corrupted digits or there is no such network.
    """

    name: str
    source: str
    target: Domain
    at_home: Metrics
    outcomes: Mapping[str, Outcome]
    ladder: tuple[Rung, ...] = ()
    shift: Shift | None = None
    few_shot: FewShot | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)


def outcome(
    target: Domain,
    probabilities: NDArray[np.float32],
    seconds: float = 0.0,
    curve: Mapping[str, tuple[float, ...]] | None = None,
) -> Outcome:
    """Return an outcome with its metrics, where the target has labels."""
    metrics = None if target.labels is None else measure(target.labels, probabilities)
    return Outcome(probabilities, metrics, seconds, curve or {})


def fixed_rung(ladder: Sequence[Rung]) -> Rung:
    """Return the rung that stands for alignment, fixed in advance: the first of `FIXED` there is, else the plainest.

    Where a network is surest does not choose it: of digits that are torn apart a network may be sure, too.
    """
    by_name = {rung.alignment: rung for rung in ladder}
    return next((by_name[name] for name in FIXED if name in by_name), ladder[0])


def mean_entropy(probabilities: NDArray[np.float32]) -> float:
    """Return the mean entropy in nats of predictions (n, 10)."""
    return float(entropy(probabilities).mean())
