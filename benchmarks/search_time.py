"""Time to the best validation accuracy of a plain loop of random trials: `digits tune` against that loop."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from time import perf_counter

from benchmarks.measures import ratio
from benchmarks.report import Finding, Report
from benchmarks.search_plan import MLP, SearchPlan
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.models.space import Choices, Floats, Integers, Space
from experiments.processes import usable_cores
from experiments.tracking import Store, open_store, past_runs
from experiments.tracking.tags import STUDY
from experiments.training import fit
from experiments.workflows.tune.run import TuneOptions, tune

EXPECTED = 1 / 3  # of the loop's time
MOST_TRIALS = 100
WARM_UP_SEED = 1000
WORKERS = usable_cores()


@dataclass(frozen=True)
class Curve:
    """One side's search with one seed: seconds since its begin and best value so far, at the end of each trial."""

    seed: int
    seconds: tuple[float, ...]
    best: tuple[float, ...]

    def __str__(self) -> str:
        rises = [
            f"{second:.0f} s {value:.4f}"
            for i, (second, value) in enumerate(zip(self.seconds, self.best, strict=True))
            if i == 0 or value > self.best[i - 1]
        ]
        return f"{len(self.seconds)} trials in {self.seconds[-1]:.0f} s: {', '.join(rises)}"


def measure(plan: SearchPlan) -> Report:
    """Let both sides search in turns, once a seed, after a warm-up of the loop; the other side starts cold."""
    search_randomly(plan, WARM_UP_SEED, trials=1)
    loops, searches = [], []
    for seed in range(plan.repeats):
        loops.append(search_randomly(plan, seed, plan.trials))
        plan.say(f"seed {seed}: loop of random trials: {loops[-1]}")
        searches.append(search(plan, seed, target=loops[-1].best[-1]))
        plan.say(f"seed {seed}: digits tune: {searches[-1]}")
    return report(plan, loops, searches)


def search_randomly(plan: SearchPlan, seed: int, trials: int) -> Curve:
    """Train for the full length at random points of the space, one after the other, and record nothing."""
    import keras

    draw, start = random.Random(seed), perf_counter()
    curve = Curve(seed, (), ())
    for _ in range(trials):
        recipe = MLP.recipe.override({**plan.settings(seed), **random_point(MLP.space, draw)})
        value = fit(MLP, recipe, plan.train, plan.validation).best.val_accuracy
        keras.backend.clear_session()
        curve = _longer(curve, perf_counter() - start, value)
    return curve


def random_point(space: Space, draw: random.Random) -> dict[str, int | float]:
    """Return a point drawn evenly from a search space, on each range's own scale."""
    return {name: _draw(values, draw) for name, values in space.items()}


def _draw(values: Integers | Floats | Choices, draw: random.Random) -> int | float:
    if isinstance(values, Choices):
        return draw.choice(values.values)
    if isinstance(values, Integers):
        return draw.randrange(values.low, values.high + 1, values.step)
    if values.log:
        return float(values.low * (values.high / values.low) ** draw.random())
    if values.step:
        return values.low + values.step * draw.randint(0, round((values.high - values.low) / values.step))
    return draw.uniform(values.low, values.high)


class Goal(Progress):
    """Ends a search when it has reached a value, and keeps its curve on the way."""

    def __init__(self, store: Store, study: str, seed: int, target: float) -> None:
        self._store, self._study, self._target = store, study, target
        self._start = perf_counter()
        self.curve = Curve(seed, (), ())

    def log(self, text: str) -> None:
        """Read what the search has recorded whenever a trial has ended."""
        if not text.startswith("trial "):
            return
        run = past_runs(self._store, "tune", {STUDY: self._study}, finished=False)[0]
        best = self._store.client.get_run(run.id).data.metrics.get("best_value", 0.0)
        self.curve = _longer(self.curve, perf_counter() - self._start, best)
        if best >= self._target:
            raise GoalReached


class GoalReached(Exception):  # noqa: N818 - no error
    """A search is as good as it has to be."""


def search(plan: SearchPlan, seed: int, target: float) -> Curve:
    """Search as `digits tune mlp --workers N` does, processes, records and all, until a trial reaches the target.

    The search does not begin at the network's own recipe, as it does elsewhere: that was found by searches before.
    """
    store, study = open_store(), f"search-{seed}"
    options = TuneOptions(
        MLP.name, plan.dataset, settings=plan.settings(seed), limit=plan.limit, trials=MOST_TRIALS,
        study=study, executor=ExecutorConfig(WORKERS), own_first=False,
    )  # fmt: skip
    goal = Goal(store, study, seed, target)
    with suppress(GoalReached):
        tune(store, options, goal)
    return goal.curve


def _longer(curve: Curve, second: float, value: float) -> Curve:
    return Curve(curve.seed, (*curve.seconds, second), (*curve.best, max((value, *curve.best[-1:]))))


def report(plan: SearchPlan, loops: Sequence[Curve], searches: Sequence[Curve]) -> Report:
    """Set the two sides beside each other, a row a seed."""
    share = ratio([curve.seconds[-1] for curve in searches], [curve.seconds[-1] for curve in loops])
    short = sum(ours.best[-1] < loop.best[-1] for ours, loop in zip(searches, loops, strict=True))
    missing = f" ({short} of {len(loops)} never got there, their time so far is counted)" if short else ""
    return Report(
        title=f"Time of digits tune mlp --workers {WORKERS} to the best of {plan.trials} random trials of full length, "
        f"{len(plan.train):,} {plan.dataset} images",
        headers=("seed", "best of the loop", "loop", "digits tune", "its trials", "its best", "share of the time"),
        rows=tuple(_row(loop, ours) for loop, ours in zip(loops, searches, strict=True)),
        findings=(
            Finding(
                f"digits tune takes {share:.2f} of the loop's time{missing}",
                f"at most {EXPECTED:.2f}",
                short == 0 and share.median <= EXPECTED,
            ),
        ),
        numbers={
            "loop": [asdict(curve) for curve in loops],
            "search": [asdict(curve) for curve in searches],
            "share": share.median,
        },
    )


def _row(loop: Curve, ours: Curve) -> tuple[str, ...]:
    return (
        str(loop.seed),
        f"{loop.best[-1]:.4f}",
        f"{loop.seconds[-1]:.0f} s",
        f"{ours.seconds[-1]:.0f} s",
        str(len(ours.seconds)),
        f"{ours.best[-1]:.4f}",
        f"{ours.seconds[-1] / loop.seconds[-1]:.2f}",
    )
