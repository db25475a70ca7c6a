"""`digits analyze`."""

from experiments.workflows.analyze.run import AnalyzeManyResult, AnalyzeOptions, AnalyzeResult, analyze, analyze_many

__all__ = ["AnalyzeManyResult", "AnalyzeOptions", "AnalyzeResult", "analyze", "analyze_many"]
