"""How soon a search finds good hyperparameters, and what its trials cost: ``python benchmarks/tuning.py``."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import search_cost, search_time
from benchmarks.command import Benchmark, load_backend
from benchmarks.machine import Machine
from benchmarks.project import temporary_project
from benchmarks.search_plan import SearchPlan, load_images


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", default="mnist", help="a data set of digits")
    parser.add_argument("--limit", type=int, default=12_000, help="train on a sample of so many images")
    parser.add_argument("--epochs", type=int, help="epochs of a trial; the recipe's if not given")
    parser.add_argument("--trials", type=int, default=20, help="random trials of the plain loop")
    parser.add_argument("--repeats", type=int, default=3, help="seeds for which both sides search")
    parser.add_argument("--many", type=int, default=50, help="trials over which cost and memory are watched")


def _plan(options: argparse.Namespace, _: Machine, say: Callable[[str], None], stack: ExitStack) -> SearchPlan:
    stack.enter_context(temporary_project())
    load_backend()
    return SearchPlan(
        options.dataset,
        *load_images(options.dataset, options.limit),
        limit=options.limit,
        epochs=options.epochs,
        trials=options.trials,
        repeats=options.repeats,
        many=options.many,
        say=say,
    )


BENCHMARK = Benchmark(
    "tuning.py",
    "Measure how soon a search is good, and what its trials cost.",
    {"time": search_time.measure, "cost": search_cost.measure},
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
