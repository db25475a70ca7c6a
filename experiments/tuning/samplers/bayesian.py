"""Bayesian optimization with a Gaussian process."""

from typing import Any

from experiments.tuning.samplers.sampler import Sampler


def build(_: int, **options: Any) -> Any:
    """Build Keras Tuner's oracle."""
    from keras_tuner.oracles import BayesianOptimizationOracle

    return BayesianOptimizationOracle(**options)


BAYESIAN = Sampler("bayesian", "Bayesian optimization", {"keras-tuner": build})
