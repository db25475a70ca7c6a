"""Random search."""

from typing import Any

from experiments.tuning.samplers.sampler import Sampler


def build_sampler(_: int, trial_seed: int) -> Any:
    """Build Optuna's sampler."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=trial_seed)


def build_oracle(_: int, **options: Any) -> Any:
    """Build Keras Tuner's oracle."""
    from keras_tuner.oracles import RandomSearchOracle

    return RandomSearchOracle(**options)


RANDOM = Sampler("random", "random search", {"optuna": build_sampler, "keras-tuner": build_oracle})
