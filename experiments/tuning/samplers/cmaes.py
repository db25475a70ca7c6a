"""CMA-ES (Hansen & Ostermeier 2001)."""

from typing import Any

from experiments.tuning.samplers.sampler import STARTUP_TRIALS, Sampler


def build(_: int, trial_seed: int) -> Any:
    """Build Optuna's sampler."""
    from optuna.samplers import CmaEsSampler

    return CmaEsSampler(n_startup_trials=STARTUP_TRIALS, seed=trial_seed, warn_independent_sampling=False)


CMAES = Sampler("cmaes", "CMA-ES", {"optuna": build})
