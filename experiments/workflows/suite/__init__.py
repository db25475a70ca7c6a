"""`digits run`."""

from experiments.workflows.suite.profiles import PROFILES, Profile, Training, Transfer, profile
from experiments.workflows.suite.run import PlannedStep, plan_suite, run_suite

__all__ = ["PROFILES", "PlannedStep", "Profile", "Training", "Transfer", "plan_suite", "profile", "run_suite"]
