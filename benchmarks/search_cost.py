"""What a trial costs beside its training, and whether memory grows with the trials."""

import itertools

import numpy as np

from benchmarks.measures import spread
from benchmarks.report import Finding, Report
from benchmarks.search_plan import SearchPlan, new_task
from experiments.workflows.tune.trials import run_trials

MOST_SECONDS = 0.5
MOST_GROWTH = 1.0  # MB a trial
WARM_TRIALS = 10  # in which libraries are loaded and caches are filled
SETTINGS = {"epochs": 1, "precision": "float32"}


def measure(plan: SearchPlan) -> Report:
    """Do many short trials as a worker does; take cost and memory from what it records in MLflow."""
    task = new_task(plan, "many", plan.settings(0, **SETTINGS), plan.many, "tpe", "none")
    run_trials(task)
    runs = [task.store.client.get_run(str(trial.run_id)).data.metrics for trial in task.engine.trials()]
    beside = [run["trial_seconds"] - run["train_seconds"] for run in runs]
    memory = [run["rss_mb"] for run in runs]
    warm = min(WARM_TRIALS, len(runs) - 2)
    cost = spread(beside[warm:])
    growth = float(np.polyfit(np.arange(len(memory) - warm), memory[warm:], 1)[0])
    return Report(
        title=f"{len(runs)} trials of digits tune mlp, one epoch of {len(plan.train):,} {plan.dataset} images each",
        headers=("trials", "beside training, s", "resident memory, MB"),
        rows=tuple(
            (f"{first} to {last - 1}", f"{spread(beside[first:last]):.2f}", f"{spread(memory[first:last]):.0f}")
            for first, last in _tenths(len(runs))
        ),
        findings=(
            Finding(
                f"a trial takes {cost:.2f} s beside its training, once warm",
                f"less than {MOST_SECONDS} s",
                cost.median < MOST_SECONDS,
            ),
            Finding(
                f"memory grows by {growth:.2f} MB a trial, once warm",
                f"less than {MOST_GROWTH:.0f} MB",
                growth < MOST_GROWTH,
            ),
        ),
        numbers={"beside_training": beside, "rss_mb": memory, "growth_mb": growth},
    )


def _tenths(count: int) -> list[tuple[int, int]]:
    edges = sorted({round(count * i / 5) for i in range(6)})
    return list(itertools.pairwise(edges))
