"""`digits evaluate`."""

from experiments.workflows.evaluate.run import EvaluateOptions, EvaluateResult, evaluate

__all__ = ["EvaluateOptions", "EvaluateResult", "evaluate"]
