"""Tree-structured Parzen estimator (Bergstra et al. 2011)."""

from typing import Any

from experiments.tuning.samplers.sampler import STARTUP_TRIALS, Sampler


def build(_: int, trial_seed: int) -> Any:
    """Build Optuna's sampler."""
    from optuna.samplers import TPESampler

    return TPESampler(n_startup_trials=STARTUP_TRIALS, seed=trial_seed)


TPE = Sampler("tpe", "tree-structured Parzen estimator", {"optuna": build})
