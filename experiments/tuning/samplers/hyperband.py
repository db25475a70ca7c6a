"""Hyperband (Li et al. 2018), which continues the trainings of the best trials of a round."""

from typing import Any

from experiments.tuning.samplers.sampler import Sampler

REDUCTION = 3  # one in so many trials of a round is continued: Keras Tuner's default
UNLIMITED = 1_000_000  # rounds: the number of trials ends the search


def build(epochs: int, **options: Any) -> Any:
    """Build Keras Tuner's oracle."""
    from keras_tuner.oracles import HyperbandOracle

    return HyperbandOracle(max_epochs=epochs, factor=REDUCTION, hyperband_iterations=UNLIMITED, **options)


HYPERBAND = Sampler("hyperband", "Hyperband", {"keras-tuner": build}, continues=True)
