"""Optuna's samplers and pruners, by name."""

import warnings
from typing import TYPE_CHECKING, Any

from experiments.tuning.search import Search

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

STARTUP_TRIALS = 8  # random ones before TPE and CMA-ES draw conclusions: Optuna's 10 are half of a small search
FIRST_EPOCHS = 1  # the least that a trial is given
REDUCTION = 3  # of the trials in a rung, one in so many goes on: the value of Li et al. 2018


def make_sampler(search: Search, number: int) -> "BaseSampler":
    """Return the sampler that suggests trial `number`.

    Each trial has one of its own, seeded by the search's seed and the trial's number: samplers keep their random state
    to themselves, so that one that is made anew after an interruption would repeat itself, and several workers with
    the same seed would all suggest the same. The memory of a sampler is the study.
    """
    from optuna import samplers
    from optuna.exceptions import ExperimentalWarning

    seed = (search.seed * 1_000_003 + number) % 2**32
    if search.sampler == "tpe":
        return samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed)
    if search.sampler == "cmaes":
        return samplers.CmaEsSampler(n_startup_trials=STARTUP_TRIALS, seed=seed, warn_independent_sampling=False)
    if search.sampler == "qmc":  # one sequence, of which the study counts the points taken
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return samplers.QMCSampler(seed=search.seed, scramble=True, warn_independent_sampling=False)
    return samplers.RandomSampler(seed=seed)  # a grid needs none: its points are laid out beforehand


def make_pruner(search: Search) -> "BasePruner":
    """Return the pruner of a search."""
    from optuna import pruners

    if search.pruner == "hyperband":
        return pruners.HyperbandPruner(FIRST_EPOCHS, search.recipe.epochs, REDUCTION)
    if search.pruner == "median":
        return pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS // 2, n_warmup_steps=FIRST_EPOCHS)
    return pruners.NopPruner()


def distribution(values: Any) -> Any:
    """Return Optuna's distribution for a range of the search space."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    from experiments.models.space import Floats, Integers

    if isinstance(values, Integers):
        return IntDistribution(values.low, values.high, step=values.step)
    if isinstance(values, Floats):
        return FloatDistribution(values.low, values.high, step=values.step, log=values.log)
    return CategoricalDistribution(values.values)
