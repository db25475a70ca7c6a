"""`digits tune`."""

from experiments.workflows.tune.run import TuneOptions, TuneResult, tune

__all__ = ["TuneOptions", "TuneResult", "tune"]
