"""Quasi-Monte Carlo: a scrambled Sobol sequence."""

import warnings
from typing import Any

from experiments.tuning.samplers.sampler import Sampler


def build(search_seed: int, _: int) -> Any:
    """Build Optuna's sampler: all trials share one sequence, and the study counts the points taken."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import QMCSampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return QMCSampler(seed=search_seed, scramble=True, warn_independent_sampling=False)


QMC = Sampler("qmc", "quasi-Monte Carlo", {"optuna": build})
