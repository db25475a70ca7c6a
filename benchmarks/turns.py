"""Training in turns, so that what else the machine does falls on all sides alike."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from benchmarks.measures import images_per_second
from benchmarks.plan import Plan
from experiments.training import Epoch


def take_turns(
    sides: Mapping[str, Callable[[], Sequence[float]]], images: int, rounds: int, say: Callable[[str], None]
) -> dict[str, list[float]]:
    """Let each side train once a round, in order: A B A B.

    Parameters
    ----------
    sides
        By name: trains from scratch and returns the seconds of each epoch.
    images
        Trained on in each epoch.
    rounds
        How many turns each side gets.
    say
        Hears the rate of each turn.

    Returns
    -------
    By name, images a second in each round.
    """
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, epoch_seconds in sides.items():
            rates[name].append(images_per_second(images, epoch_seconds()))
            say(f"round {number} of {rounds}: {name} {rates[name][-1]:,.0f} images/s")
    return rates


class TrainingClock:
    """Times the training part of each epoch of `experiments.training.fit`, without the validation after it.

    Its methods go to `fit` as `on_step` and `on_epoch`.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._start = self._last_step = perf_counter()

    def on_step(self, done: int, total: int) -> None:  # noqa: ARG002
        """Note that a batch is done."""
        self._last_step = perf_counter()

    def on_epoch(self, epoch: Epoch) -> None:  # noqa: ARG002
        """Note that validation is done too."""
        self.seconds.append(self._last_step - self._start)
        self._start = perf_counter()


def train_cnn(plan: Plan, settings: Mapping[str, Any]) -> list[float]:
    """Train `cnn` by its recipe with some values replaced; return the seconds of each epoch, validation apart."""
    from experiments.models import MODELS
    from experiments.training import fit

    cnn, clock = MODELS["cnn"], TrainingClock()
    recipe = cnn.recipe.override({**settings, "epochs": plan.epochs, "patience": 0})
    fit(cnn, recipe, plan.train, plan.validation, on_step=clock.on_step, on_epoch=clock.on_epoch)
    return clock.seconds
