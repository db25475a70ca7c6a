"""The share of a training epoch of `cnn` that augmentation takes."""

from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks.measures import share, spread
from benchmarks.plan import Plan
from benchmarks.report import Finding, Report
from benchmarks.speed import NO_AUGMENTATION
from benchmarks.turns import take_turns, train_cnn

WITH, WITHOUT = "cnn with augmentation", "cnn without"
LIMIT = 0.30


def measure(plan: Plan) -> Report:
    """Train `cnn` by its recipe and without augmentation in turns."""
    sides = {WITH: partial(train_cnn, plan, {}), WITHOUT: partial(train_cnn, plan, NO_AUGMENTATION)}
    return report(plan, take_turns(sides, len(plan.train), plan.rounds, plan.say))


def report(plan: Plan, rates: Mapping[str, Sequence[float]]) -> Report:
    """Set the two rates beside each other."""
    augmenting = share(rates[WITH], rates[WITHOUT])
    return Report(
        title=f"Augmentation on {plan.images}, {plan.rounds} rounds of {plan.epochs} epochs, the first not counted",
        headers=("training", "images/s"),
        rows=tuple((name, f"{spread(values):,.0f}") for name, values in rates.items()),
        findings=(
            Finding(
                f"augmentation takes {augmenting:.1%} of an epoch",
                f"at most {LIMIT:.0%}",
                augmenting.median <= LIMIT,
            ),
        ),
        numbers={"images_per_second": rates, "share": augmenting.median},
    )
