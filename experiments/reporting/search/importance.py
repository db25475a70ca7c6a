"""Importance of the hyperparameters of a search."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from experiments.models.space import Space
from experiments.tuning import Trial
from experiments.tuning.optuna_engine import as_study


def importance(trials: Sequence[Trial], space: Space) -> dict[str, float]:
    """Compute the proportion of the variance that each hyperparameter explains, in [0, 1], in descending order.

    By PED-ANOVA (Watanabe, Bansal & Hutter 2023) over the complete trials; empty if there are fewer than two.
    """
    import optuna

    if sum(trial.state == "complete" and trial.value is not None for trial in trials) < 2:
        return {}
    with quiet_optuna():
        return dict(optuna.importance.get_param_importances(as_study(trials, space)))


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's warnings about experimental methods, and about importances of equal values."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Target and region quantiles", UserWarning)
        yield
