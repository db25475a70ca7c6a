"""Training recipe of a network, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from experiments.errors import UsageError

Optimizer = Literal["adam", "sgd"]
Schedule = Literal["constant", "cosine", "one-cycle", "exponential"]
Precision = Literal["auto", "float32", "bfloat16"]
Size = int | float


@dataclass(frozen=True)
class Recipe:
    """Settings that determine how a network is built and trained, apart from the data.

    Rates and proportions may be given as whole numbers and are stored as floats, so that equal recipes compare equal.

    The defaults are what the published MNIST examples that this project compares have in common:
    Adam, categorical cross-entropy, at most 20 epochs, early stopping on the validation loss.

    Attributes
    ----------
    epochs
        Maximum number of epochs, >= 1.
    batch_size
        Batch size, >= 1.
    optimizer
        ``adam`` or ``sgd`` (momentum 0.9, Nesterov).
    learning_rate
        Peak learning rate, > 0.
    schedule
        ``constant``; ``cosine`` (from the peak to 0 over all epochs); ``one-cycle`` (a rise over the
        first 30 % of all steps, then a cosine to 0; after Smith & Topin 2018); ``exponential`` (times
        `rate_decay` after each epoch). The two that end at 0 span all `epochs`, so they go with `patience` 0.
    rate_decay
        Factor of the exponential schedule per epoch, in (0, 1]; other schedules ignore it.
    beta_1, beta_2
        Adam's decay rates, in [0, 1).
    weight_decay
        Decoupled weight decay, >= 0.
    ema
        Decay of an exponential moving average of the weights, in [0, 1); 0 for none. The averaged weights are
        validated and kept. They cover the last 1 / (1 - `ema`) steps, and at most a tenth of all steps so far; the
        statistics of batch norm stay those of the training (see `experiments.training.averaging`).
    dropout
        Rate of the network's dropout layers, if it has any, in [0, 1).
    label_smoothing
        Proportion of the target that is spread evenly over the classes, in [0, 1).
    rotation
        Augmentation: maximum rotation in degrees, either way, in [0, 180].
    zoom
        Augmentation: maximum change of scale as a proportion, either way, in [0, 0.9].
    shift
        Augmentation: maximum translation in x and in y as a proportion of the image, in [0, 0.9].
    augmentation
        Factor on these three ranges and on those of the effects, in [0, 2]; 0 turns augmentation off.
    effects
        Augmentation for pictures: names of `experiments.training.effects.EFFECTS` separated by commas, or ``all``.
    outsiders
        Number of images without a digit that are added for training, as a proportion of the training images, in
        [0, 1]; see `experiments.training.outsiders`.
    patience
        Number of epochs without a better validation loss after which training stops; 0 never stops early. The
        weights of the best epoch are kept in either case.
    validation
        Proportion of the training images held out for validation, in (0, 0.5].
    precision
        ``float32``, ``bfloat16`` (Keras's mixed policy) or ``auto`` (bfloat16 if the processor supports it).
    seed
        Seed of initialization, shuffling, augmentation and dropout, >= 0.
    network
        Sizes of the network that its builder reads, by name (for example ``units_1``). Stored as a copy, a plain
        dictionary, so that recipes can be pickled.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    epochs: int = 20
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    rate_decay: float = 0.98
    beta_1: float = 0.9
    beta_2: float = 0.999
    weight_decay: float = 0.0
    ema: float = 0.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    augmentation: float = 1.0
    effects: str = ""
    outsiders: float = 0.0
    patience: int = 3
    validation: float = 0.1
    precision: Precision = "auto"
    seed: int = 0
    network: Mapping[str, Size] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", dict(self.network))
        for f in fields(self):
            if isinstance(f.default, float):
                object.__setattr__(self, f.name, float(getattr(self, f.name)))
        _require("epochs", self.epochs, "at least 1", self.epochs >= 1)
        _require("batch_size", self.batch_size, "at least 1", self.batch_size >= 1)
        _require("learning_rate", self.learning_rate, "above 0 and finite", 0 < self.learning_rate < float("inf"))
        _require("rate_decay", self.rate_decay, "in (0, 1]", 0 < self.rate_decay <= 1)
        for name in ("beta_1", "beta_2", "ema", "dropout", "label_smoothing"):
            value = getattr(self, name)
            _require(name, value, "in [0, 1)", 0 <= value < 1)
        _require("weight_decay", self.weight_decay, "at least 0", 0 <= self.weight_decay < float("inf"))
        _require("rotation", self.rotation, "in [0, 180] degrees", 0 <= self.rotation <= 180)
        for name in ("zoom", "shift"):
            value = getattr(self, name)
            _require(name, value, "in [0, 0.9]", 0 <= value <= 0.9)
        _require("augmentation", self.augmentation, "in [0, 2]", 0 <= self.augmentation <= 2)
        _require("outsiders", self.outsiders, "in [0, 1]", 0 <= self.outsiders <= 1)
        _require("patience", self.patience, "at least 0", self.patience >= 0)
        _require("validation", self.validation, "in (0, 0.5]", 0 < self.validation <= 0.5)
        _require("seed", self.seed, "in [0, 2**31)", 0 <= self.seed < 2**31)
        for name, choices in (("optimizer", Optimizer), ("schedule", Schedule), ("precision", Precision)):
            _require(
                name,
                getattr(self, name),
                f"one of {', '.join(get_args(choices))}",
                getattr(self, name) in get_args(choices),
            )
        for name, size in self.network.items():
            _require(name, size, "at least 0", size >= 0)

    @property
    def warps(self) -> bool:
        """Whether training images are rotated, scaled or shifted."""
        return self.augmentation * max(self.rotation, self.zoom, self.shift) > 0

    def params(self) -> dict[str, Any]:
        """Return all fields and the network's sizes as one flat dictionary, for tracking and comparison."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "network"}
        return {**own, **self.network}

    def override(self, settings: Mapping[str, Any]) -> "Recipe":
        """Return a recipe with some values replaced.

        Parameters
        ----------
        settings
            Values by name of a field or of one of the network's sizes. Text is converted to the type
            of the value that it replaces, so ``{"epochs": "3"}`` works.

        Raises
        ------
        UsageError
            If a name is unknown, or a value has the wrong type or is out of range.
        """
        known = self.params()
        changes: dict[str, Any] = {}
        sizes: dict[str, Any] = dict(self.network)
        for name, value in settings.items():
            if name not in known:
                raise UsageError(f"there is no setting {name!r}; this model has: {', '.join(sorted(known))}")
            target = sizes if name in self.network else changes
            target[name] = _like(name, known[name], value)
        return replace(self, network=sizes, **changes)


def _require(name: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise UsageError(f"{name} must be {expected}, received {value!r}")


def _like(name: str, example: Any, value: Any) -> Any:
    """Convert `value` to the type of `example`."""
    kind = type(example)
    try:
        converted = kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} must be of type {kind.__name__}, received {value!r}") from error
    if kind is int and not isinstance(value, str) and converted != value:
        raise UsageError(f"{name} must be a whole number, received {value!r}")
    return converted
