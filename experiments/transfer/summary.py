"""Summary of all results in target domains, in words."""

from collections.abc import Sequence

from experiments.analysis.text import Section
from experiments.results import SOURCE_ONLY
from experiments.transfer.comparison_summary import summarize_models
from experiments.transfer.domain_result import DomainResult
from experiments.transfer.explanation_input import explanation_input
from experiments.transfer.predictions import mean_entropy


def summarize(results: Sequence[DomainResult]) -> tuple[Section, ...]:
    """Return a section on each model in each target, and one that compares the models of each source and target."""
    routes: dict[tuple[str, str], list[DomainResult]] = {}
    for result in results:
        routes.setdefault((result.source, result.target.name), []).append(result)
    sections: list[Section] = []
    for (source, target), group in routes.items():
        corrupted = {one.model: one for one in results if one.source == source and one.is_corrupted_source}
        labelled = [one for one in group if one.source_only.metrics]
        inputs = [explanation_input(one, corrupted.get(one.model)) for one in labelled]
        sections += summarize_models(inputs, source, target)
        sections += [_unlabelled(one) for one in group if not one.source_only.metrics]
    return tuple(sections)


def _unlabelled(result: DomainResult) -> Section:
    entropies = {method: mean_entropy(found.probabilities) for method, found in result.methods.items()}
    others = [f"{value:.3f} after {method}" for method, value in entropies.items() if method != SOURCE_ONLY]
    sentences = [
        f"{result.target.name} has no labels, so the accuracy cannot be measured.",
        f"The mean entropy of the predictions is {', '.join([f'{entropies[SOURCE_ONLY]:.3f} nats', *others])}.",
    ]
    if shift := result.shift:
        significant = "significant" if shift.mmd > shift.mmd_chance else "not significant"
        sentences.append(
            f"In its feature space the squared MMD between the domains is {shift.mmd:.2g} (95 % of permutations below "
            f"{shift.mmd_chance:.2g}), which is {significant}."
        )
    return Section(f"{result.model} on {result.target.name}", tuple(sentences))
