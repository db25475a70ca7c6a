"""`digits analyze`."""

from experiments.workflows.analyze.record import AnalyzeManyResult, AnalyzeResult
from experiments.workflows.analyze.run import AnalyzeOptions, analyze, analyze_many

__all__ = ["AnalyzeManyResult", "AnalyzeOptions", "AnalyzeResult", "analyze", "analyze_many"]
