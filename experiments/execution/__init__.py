"""Execution of long work: steps with dependencies, caching, resuming, progress, and workers in other processes."""

from experiments.execution.cache import Cache, Stages
from experiments.execution.executors import ExecutorConfig
from experiments.execution.history import History, cached_results, load_history
from experiments.execution.progress import Progress, ProgressCallback, StepState
from experiments.execution.resume import ResumeState, resumable_run, resume_state
from experiments.execution.scheduler import run_steps
from experiments.execution.steps import Inputs, Plan, PlanResult, Step, StepResult, StepsFailedError
from experiments.execution.versions import code_version

__all__ = [
    "Cache",
    "ExecutorConfig",
    "History",
    "Inputs",
    "Plan",
    "PlanResult",
    "Progress",
    "ProgressCallback",
    "ResumeState",
    "Stages",
    "Step",
    "StepResult",
    "StepState",
    "StepsFailedError",
    "cached_results",
    "code_version",
    "load_history",
    "resumable_run",
    "resume_state",
    "run_steps",
]
