"""Profiles of `digits run`: the networks that a suite trains, the datasets, and the analyses and transfers that follow.

Which networks belong to a profile is said by `Architecture.profiles` and `Architecture.cost`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.errors import UsageError, unknown
from experiments.models import architecture, trained_by
from experiments.models.architecture import CostClass
from experiments.results import ALIGN, SOURCE_ONLY, tuned_label


@dataclass(frozen=True)
class PlannedTraining:
    """A training in a suite.

    Attributes
    ----------
    tuned
        Whether to search its hyperparameters first.
    settings
        Changes of the network's recipe.
    """

    model: str
    dataset: str
    seed: int = 0
    tuned: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name of the trained network in tables; a tuned one is not the network of the registry."""
        return f"{tuned_label(self.model) if self.tuned else self.model}{f' seed {self.seed}' if self.seed else ''}"

    @property
    def expected_seconds(self) -> float | None:
        """Expected training time on the two cores that the README names; None if unknown."""
        return architecture(self.model).expected_seconds.get(self.dataset)


@dataclass(frozen=True)
class PlannedTransfer:
    """A transfer in a suite: networks trained on one dataset, used in target domains.

    Attributes
    ----------
    name
        Name of the step.
    source, models
        Dataset that the networks were trained on, and the networks.
    targets, adapt, few_shot
        As in `experiments.workflows.transfer.TransferOptions`.
    adapt_cost
        Cost of the networks; after `adapt`, the adaptation methods whose `suite_networks` contain it are applied.
    """

    name: str
    source: str
    models: tuple[str, ...]
    targets: tuple[str, ...]
    adapt: tuple[str, ...] = (SOURCE_ONLY,)
    few_shot: tuple[int | None, ...] = ()
    adapt_cost: CostClass | None = None


@dataclass(frozen=True)
class Profile:
    """A suite.

    Attributes
    ----------
    name, summary
        The summary is one line of help.
    trainings
        All trainings; networks trained on the same dataset are evaluated and compared.
    settings
        Changes of all recipes.
    trials
        Number of trials of each search.
    analyzed
        Networks whose feature space is analyzed, trained on the main dataset.
    transfers
        Transfers to target domains.
    ensemble
        Whether networks trained on the same dataset are also evaluated as an ensemble. It has all of them as members:
        selecting members by their test accuracy would bias the result.
    published
        The network that is written to ``reports/NAME`` as an ONNX file with its model card.
    seconds
        Expected wall time of steps by name, on the two cores that the README names, where it is not the
        `expected_seconds` of a network.
    """

    name: str
    summary: str
    trainings: tuple[PlannedTraining, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 20
    analyzed: tuple[str, ...] = ()
    transfers: tuple[PlannedTransfer, ...] = ()
    ensemble: bool = False
    published: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """The main dataset: that of the first training."""
        return self.trainings[0].dataset

    @property
    def datasets(self) -> tuple[str, ...]:
        """All training datasets, in order."""
        return tuple(dict.fromkeys(training.dataset for training in self.trainings))

    def also(self, models: Sequence[str]) -> "Profile":
        """Return a profile that trains further networks on the main dataset.

        Raises
        ------
        UsageError
            If there is no such network, or the profile trains it already.
        """
        for model in models:
            if any((one.model, one.dataset) == (architecture(model).name, self.dataset) for one in self.trainings):
                raise UsageError(f"profile {self.name} trains {model} already")
        more = tuple(PlannedTraining(model, self.dataset) for model in dict.fromkeys(models))
        return replace(self, trainings=(*self.trainings, *more))


TUNED = "mlp"  # the network that `quick` and `full` search hyperparameters for
ANALYZED = ("lenet", "alexnet")  # by `full`
RECORD_EPOCHS = 20  # at least
RECORD_SEEDS = (0, 1, 2)
RESNET_EPOCH_SECONDS = 77.0  # docs/record.md


def _trainings(models: Sequence[str], dataset: str) -> tuple[PlannedTraining, ...]:
    """Return trainings of networks, the tuned one first: it takes longest."""
    others = (PlannedTraining(model, dataset) for model in models if model != TUNED)
    return (PlannedTraining(TUNED, dataset, tuned=True), *others)


def _record_training(model: str, seed: int) -> PlannedTraining:
    long = architecture(model).recipe.epochs >= RECORD_EPOCHS
    return PlannedTraining(model, "mnist", seed, settings={} if long else {"epochs": RECORD_EPOCHS})


_QUICK = _trainings(trained_by("quick"), "uci")
# The recipes suit 54,000 images; on 1,294 their batches of 128 leave too few steps.
QUICK = Profile(
    "quick",
    f"tunes {TUNED}, trains {len(_QUICK)} networks on uci, which needs no download; minutes",
    _QUICK,
    {"batch_size": 32},
    trials=8,
    analyzed=("lenet",),
    transfers=(PlannedTransfer("transfer", "uci", tuple(one.model for one in _QUICK), ("uci-c",)),),
    seconds={f"tune {TUNED}": 49, "evaluate": 17, "analyze lenet": 35, "transfer": 50, "report": 2},
)

_ALL, _LIGHT, _HEAVY = trained_by("full"), trained_by("full", "light"), trained_by("full", "heavy")
FULL = Profile(
    "full",
    f"tunes {TUNED}, trains {len(_ALL)} networks on mnist and {len(_LIGHT)} on usps, "
    f"analyzes {' and '.join(ANALYZED)}, transfers all; hours",
    (*_trainings(_ALL, "mnist"), *(PlannedTraining(model, "usps") for model in _LIGHT)),
    analyzed=ANALYZED,
    transfers=(
        # The alignments by deskewing are left out: retraining every network would double the training time.
        PlannedTransfer("transfer to usps", "mnist", _LIGHT, ("usps",), (ALIGN,), adapt_cost="light"),
        PlannedTransfer("transfer to mnist-c", "mnist", (*_LIGHT, *_HEAVY), ("mnist-c",)),
        PlannedTransfer("transfer large to usps", "mnist", _HEAVY, ("usps",), (), adapt_cost="heavy"),
        PlannedTransfer("transfer few labels of usps", "mnist", ("mlp", "cnn"), ("usps",), few_shot=(1, 5, 10, 50)),
        PlannedTransfer("transfer to mnist", "usps", _LIGHT, ("mnist",)),
    ),
    seconds={
        f"tune {TUNED}": 740,
        "evaluate": 120,
        "evaluate on usps": 50,
        "analyze lenet": 190,
        "analyze alexnet": 280,
        "transfer to usps": 390,
        "transfer to mnist-c": 710,
        "transfer large to usps": 310,
        "transfer few labels of usps": 420,
        "transfer to mnist": 100,
        "report": 11,
    },
)

_RECORD = trained_by("record")
_RECORD_TRAININGS = tuple(_record_training(model, seed) for model in _RECORD for seed in RECORD_SEEDS)
# The members of an ensemble should make different errors: networks of different kinds, and several seeds of each.
RECORD = Profile(
    "record",
    f"trains {', '.join(_RECORD)} on mnist from three seeds each and evaluates them as an ensemble; hours",
    _RECORD_TRAININGS,
    ensemble=True,
    seconds={
        **{
            f"train {one.label}": RECORD_EPOCHS * RESNET_EPOCH_SECONDS
            for one in _RECORD_TRAININGS
            if one.model == "resnet"
        },
        "evaluate": 210,
        "report": 5,
    },
)
_READER = trained_by("reader")
READER = Profile(
    "reader",
    "trains the network that reads pictures, on mnist and usps, and tests it on usps and mnist-c; an hour",
    tuple(PlannedTraining(model, "mnist") for model in _READER),
    transfers=(PlannedTransfer("test on usps and mnist-c", "mnist", _READER, ("usps", "mnist-c")),),
    published="reader",
    seconds={"evaluate": 20, "test on usps and mnist-c": 60, "report": 5},
)
PROFILES: dict[str, Profile] = {one.name: one for one in (QUICK, FULL, RECORD, READER)}


def profile(name: str) -> Profile:
    """Return the profile called `name`.

    Raises
    ------
    UsageError
        If there is none, suggesting the nearest name.
    """
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    return PROFILES[name]
