"""Grid search: every combination of a few values of each range, in random order."""

import itertools
import random
from typing import Any

from experiments.models.space import Space, Value
from experiments.tuning.samplers.sampler import Sampler


def build(_: int, trial_seed: int) -> Any:
    """Build a sampler that is never asked: the engine enqueues the points of the grid."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=trial_seed)


def grid(space: Space, seed: int) -> list[dict[str, Value]]:
    """Return all points of the grid over a search space, shuffled by the seed."""
    grids = (values.grid() for values in space.values())
    points = [dict(zip(space, point, strict=True)) for point in itertools.product(*grids)]
    random.Random(seed).shuffle(points)  # noqa: S311 - not for secrets
    return points


GRID = Sampler("grid", "grid search", {"optuna": build}, points=grid)
