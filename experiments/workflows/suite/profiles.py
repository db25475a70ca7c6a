"""What suites do, as data: which networks are trained on what, and what is then asked of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.errors import UsageError, unknown
from experiments.models import architecture
from experiments.results import ALIGN, SOURCE_ONLY


@dataclass(frozen=True)
class Training:
    """A network that is trained, on what, from which seed.

    Attributes
    ----------
    tuned
        Whether it is trained with what a search of its own finds.
    settings
        What it changes in the network's recipe.
    """

    model: str
    dataset: str
    seed: int = 0
    tuned: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Transfer:
    """Networks trained on one set of data, used in other domains.

    Attributes
    ----------
    name
        Of the step.
    source, models
        The data, and the networks.
    targets, adapt, few_shot, retrain
        As in `experiments.workflows.transfer.TransferOptions`.
    """

    name: str
    source: str
    models: tuple[str, ...]
    targets: tuple[str, ...]
    adapt: tuple[str, ...] = (SOURCE_ONLY,)
    few_shot: tuple[int | None, ...] = ()
    retrain: bool = False


@dataclass(frozen=True)
class Profile:
    """A suite.

    Attributes
    ----------
    name, summary
        The summary is a line for those who choose one.
    trainings
        All that is trained; what was trained on the same data is evaluated and compared.
    settings
        What all trainings change in the recipes.
    trials
        Trials of each search.
    analyzed
        Networks whose feature space is looked into, all trained on the data of the first training.
    transfers
        Uses in new domains.
    ensemble
        Whether what was trained on the same data is measured together too. All of it is: who chooses among networks by
        the test images measures the choice.
    seconds
        What steps are expected to take, by name, on the machine that the README names: what it has figures of as
        measured, the others by their work.
    """

    name: str
    summary: str
    trainings: tuple[Training, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 20
    analyzed: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    ensemble: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """The data that it is about: that of its first training."""
        return self.trainings[0].dataset

    @property
    def datasets(self) -> tuple[str, ...]:
        """All data that networks are trained on, in order."""
        return tuple(dict.fromkeys(training.dataset for training in self.trainings))

    def also(self, models: Sequence[str]) -> "Profile":
        """Return a profile that trains further networks on its data.

        Raises
        ------
        UsageError
            For a network that there is not, or that it trains already.
        """
        for model in models:
            if any((one.model, one.dataset) == (architecture(model).name, self.dataset) for one in self.trainings):
                raise UsageError(f"profile {self.name} trains {model} already")
        more = tuple(Training(model, self.dataset) for model in dict.fromkeys(models))
        return replace(self, trainings=(*self.trainings, *more))


# The recipes are made for 54,000 images; on 1,294 their batches of 128 leave too few steps.
QUICK = Profile(
    "quick",
    "tunes mlp, trains it, mlp_small, lenet and cnn on uci, which needs no download; minutes",
    (
        Training("mlp", "uci", tuned=True),
        Training("mlp_small", "uci"),
        Training("lenet", "uci"),
        Training("cnn", "uci"),
    ),
    {"batch_size": 32},
    trials=8,
    analyzed=("lenet",),
    transfers=(Transfer("transfer", "uci", ("mlp", "mlp_small", "lenet", "cnn"), ("uci-c",)),),
    seconds={
        "tune mlp": 49,
        "train mlp": 7,
        "train mlp_small": 5,
        "train lenet": 8,
        "train cnn": 8,
        "evaluate": 17,
        "analyze lenet": 35,
        "transfer": 50,
        "report": 2,
    },
)

LIGHT = ("mlp_small", "mlp", "lenet", "cnn", "cnn_norm")
HEAVY = ("fast", "cnn_deep", "cnn_wide", "resnet", "vgg", "alexnet")
FULL = Profile(
    "full",
    "tunes mlp, trains eleven networks on mnist, five on usps, analyzes lenet and alexnet, transfers all; hours",
    (
        Training("mlp", "mnist", tuned=True),
        *(Training(model, "mnist") for model in (*LIGHT, *HEAVY) if model != "mlp"),
        *(Training(model, "usps") for model in LIGHT),
    ),
    analyzed=("lenet", "alexnet"),
    transfers=(
        # The last alignments are left out: training every model on deskewed images, too, would double the time.
        Transfer("transfer to usps", "mnist", LIGHT, ("usps",), (ALIGN, "adabn", "tent", "shot")),
        Transfer("transfer to mnist-c", "mnist", (*LIGHT, *HEAVY), ("mnist-c",)),
        Transfer("transfer large to usps", "mnist", HEAVY, ("usps",), ("adabn", "tent")),
        Transfer("transfer few labels of usps", "mnist", ("mlp", "cnn"), ("usps",), few_shot=(1, 5, 10, 50)),
        Transfer("transfer to mnist", "usps", LIGHT, ("mnist",)),
    ),
    seconds={
        "tune mlp": 740,
        "train mlp": 88,
        "train mlp_small": 45,
        "train lenet": 100,
        "train cnn": 92,
        "train cnn_norm": 150,
        "train fast": 7,
        "train cnn_deep": 150,
        "train cnn_wide": 500,
        "train resnet": 590,
        "train vgg": 590,
        "train alexnet": 1110,
        "train mlp_small on usps": 12,
        "train mlp on usps": 12,
        "train lenet on usps": 19,
        "train cnn on usps": 19,
        "train cnn_norm on usps": 26,
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
# Members that err differently make an ensemble better than they are: of different kinds, and from different seeds.
# By the time of an epoch in docs/record.md.
RECORD_SECONDS = {"resnet": 20 * 77.0, "simple3": 30 * 79.0, "simple5": 30 * 83.0, "simple7": 30 * 75.0}
RECORD = Profile(
    "record",
    "trains resnet, simple3, simple5, simple7 on mnist from three seeds each and measures them as an ensemble; hours",
    tuple(
        Training(model, "mnist", seed, settings={"epochs": 20} if model == "resnet" else {})
        for model in RECORD_SECONDS
        for seed in (0, 1, 2)
    ),
    ensemble=True,
    seconds={
        **{
            f"train {model}{seed}": seconds
            for model, seconds in RECORD_SECONDS.items()
            for seed in ("", " seed 1", " seed 2")
        },
        "evaluate": 210,
        "report": 5,
    },
)
PROFILES = {profile.name: profile for profile in (QUICK, FULL, RECORD)}


def profile(name: str) -> Profile:
    """Return the profile called `name`.

    Raises
    ------
    UsageError
        When there is none, suggesting the nearest name.
    """
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    return PROFILES[name]
