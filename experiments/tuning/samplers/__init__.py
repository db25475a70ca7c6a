"""The samplers, by name; see `Sampler`."""

from experiments.tuning.samplers.bayesian import BAYESIAN
from experiments.tuning.samplers.cmaes import CMAES
from experiments.tuning.samplers.grid import GRID
from experiments.tuning.samplers.hyperband import HYPERBAND
from experiments.tuning.samplers.qmc import QMC
from experiments.tuning.samplers.random import RANDOM
from experiments.tuning.samplers.sampler import Sampler
from experiments.tuning.samplers.tpe import TPE

SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler for sampler in (TPE, BAYESIAN, RANDOM, GRID, CMAES, QMC, HYPERBAND)
}
"""All samplers. The first one of an engine is its default."""


def samplers_of(engine: str) -> tuple[str, ...]:
    """Return the names of the samplers that an engine offers, its default first."""
    return tuple(name for name, sampler in SAMPLERS.items() if engine in sampler.engines)


__all__ = ["SAMPLERS", "Sampler", "samplers_of"]
