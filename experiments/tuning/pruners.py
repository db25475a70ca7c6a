"""Optuna's pruners, by name: they stop trials early that fall behind others."""

from collections.abc import Callable
from typing import Any

FIRST_EPOCHS = 1  # every trial is trained for at least so many
MEDIAN_STARTUP_TRIALS = 4
REDUCTION = 3  # one in so many trials of a rung is continued: the value of Li et al. 2018


def hyperband(epochs: int) -> Any:
    """Build the pruner for trainings of so many epochs."""
    from optuna.pruners import HyperbandPruner

    return HyperbandPruner(FIRST_EPOCHS, epochs, REDUCTION)


def median(_: int) -> Any:
    """Build the pruner."""
    from optuna.pruners import MedianPruner

    return MedianPruner(n_startup_trials=MEDIAN_STARTUP_TRIALS, n_warmup_steps=FIRST_EPOCHS)


def none(_: int) -> Any:
    """Build a pruner that never stops a trial."""
    from optuna.pruners import NopPruner

    return NopPruner()


PRUNERS: dict[str, Callable[[int], Any]] = {"hyperband": hyperband, "median": median, "none": none}
