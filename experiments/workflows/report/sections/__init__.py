"""The sections of a report, each from the runs and their results."""

from experiments.workflows.report.sections.costs import costs_section
from experiments.workflows.report.sections.features import confusing_section, features_section
from experiments.workflows.report.sections.mistakes import calibration_section, mistakes_section
from experiments.workflows.report.sections.networks import networks_section
from experiments.workflows.report.sections.searches import searches_section
from experiments.workflows.report.sections.training import training_section
from experiments.workflows.report.sections.transfer import transfer_section

# In the order in which a reader asks: which network is best, at what cost, what does it get wrong and why, how does it
# do elsewhere, and how was it made.
SECTIONS = (
    networks_section,
    costs_section,
    mistakes_section,
    calibration_section,
    confusing_section,
    features_section,
    transfer_section,
    training_section,
    searches_section,
)

__all__ = ["SECTIONS"]
