"""A trained model in a new domain: domain shift, alignment, adaptation without labels, and few-shot learning."""

from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.domain import Domain
from experiments.transfer.domain_result import DomainResult, MethodResult
from experiments.transfer.few_shot import FewShot
from experiments.transfer.shift import Shift, shift
from experiments.transfer.summary import summarize

__all__ = ["ADAPTATIONS", "Domain", "DomainResult", "FewShot", "MethodResult", "Shift", "shift", "summarize"]
