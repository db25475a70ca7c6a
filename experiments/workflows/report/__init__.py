"""`digits report`."""

from experiments.workflows.report.check import check
from experiments.workflows.report.run import ReportResult, report

__all__ = ["ReportResult", "check", "report"]
