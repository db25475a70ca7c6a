"""What the numbers of networks in target domains say, route by route."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments import transfer
from experiments.analysis import Section
from experiments.transfer import Findings, Outcome, Rung, Transfer
from experiments.workflows.transfer.domains import DESKEW
from experiments.workflows.transfer.numbers import corruptions, of_its_source
from experiments.workflows.transfer.pipeline import ALIGN, NONE, STROKE


def discussion(findings: Sequence[Findings]) -> tuple[Section, ...]:
    """Say what the numbers show, route by route."""
    routes: dict[tuple[str, str], list[Findings]] = {}
    for found in findings:
        routes.setdefault((found.source, found.target.name), []).append(found)
    sections: list[Section] = []
    for (home, target), group in routes.items():
        corrupted = {found.name: found for found in findings if found.source == home and of_its_source(found)}
        known = [_transfer(found, corrupted.get(found.name)) for found in group if found.outcomes[NONE].metrics]
        sections += transfer.explain(known, home, target)
        sections += [_unlabelled(found) for found in group if not found.outcomes[NONE].metrics]
    return tuple(sections)


def _unlabelled(found: Findings) -> Section:
    """Say what can be said where nothing can be counted as right."""
    unsure = {way: transfer.mean_entropy(outcome.probabilities) for way, outcome in found.outcomes.items()}
    others = [f"{value:.3f} after {way}" for way, value in unsure.items() if way != NONE]
    sentences = [
        f"{found.target.name} has no labels: what is right and wrong there cannot be told.",
        f"The mean entropy of the predictions is {', '.join([f'{unsure[NONE]:.3f} nats', *others])}.",
    ]
    if shift := found.shift:
        beyond = "beyond chance" if shift.mmd > shift.mmd_chance else "not shown to be beyond chance"
        sentences.append(
            f"In its features the domains lie apart by a squared MMD of {shift.mmd:.2g} (by chance up to "
            f"{shift.mmd_chance:.2g}), which is {beyond}."
        )
    return Section(f"{found.name} on {found.target.name}", tuple(sentences))


def _transfer(found: Findings, corrupted: Findings | None) -> Transfer:
    plain = found.outcomes[NONE].metrics
    assert plain is not None  # noqa: S101 - the caller has left those without out
    right = _is_right(found.outcomes[NONE], found)
    placed = [rung for rung in found.ladder if rung.alignment not in {DESKEW, STROKE}]
    return Transfer(
        name=found.name,
        source=found.at_home,
        target=plain,
        shift=found.shift,
        alignments=_right(placed, found),
        alignment=next((rung.alignment for rung in found.ladder if _same(rung, found)), ""),
        deskewed=_deskewed(found),
        corruptions=corruptions(corrupted) if corrupted else {},
        adaptations={
            way: transfer.Adaptation(right, _is_right(outcome, found))
            for way, outcome in found.outcomes.items()
            if way not in (NONE, ALIGN)
        },
        right=right,
        views=found.target.views,
    )


def _right(rungs: Sequence[Rung], found: Findings) -> dict[str, NDArray[np.bool_]]:
    return {rung.alignment: _is_right(rung.outcome, found) for rung in rungs}


def _is_right(outcome: Outcome, found: Findings) -> NDArray[np.bool_]:
    """Return which target digits were recognised; these have labels."""
    return np.asarray(outcome.probabilities.argmax(axis=1) == found.target.labels)


def _same(rung: Rung, found: Findings) -> bool:
    """Return whether a rung is the network as it was used without any alignment being asked for."""
    plain = found.outcomes[NONE].probabilities
    return rung.network == found.name and np.array_equal(rung.outcome.probabilities, plain)


def _deskewed(found: Findings) -> transfer.Deskewed | None:
    rungs = [rung for rung in found.ladder if rung.alignment in {DESKEW, STROKE}]
    return transfer.Deskewed(rungs[0].network, _right(rungs, found)) if rungs else None
