"""How fast networks are trained here: ``python benchmarks/training.py``."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import augmentation, memory, speed, time_to_accuracy, tracking
from benchmarks.command import Benchmark, at_least, load_backend
from benchmarks.machine import Machine
from benchmarks.plan import Plan, load_splits


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", default="mnist", help="a data set of digits")
    parser.add_argument("--limit", type=at_least(1), help="train on a sample of so many images")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="turns of each side, and seeds")
    parser.add_argument("--epochs", type=at_least(2), default=3, help="epochs in a turn; the first is not counted")
    parser.add_argument("--target", type=float, default=0.99, help="test accuracy to reach")


def _plan(options: argparse.Namespace, machine: Machine, say: Callable[[str], None], _: ExitStack) -> Plan:
    plan = Plan(
        options.dataset,
        *load_splits(options.dataset, options.limit),
        rounds=options.rounds,
        epochs=options.epochs,
        target=options.target,
        limit=options.limit,
        machine=machine,
        say=say,
    )
    load_backend()
    return plan


BENCHMARK = Benchmark(
    "training.py",
    "Measure how fast networks are trained here.",
    {
        "speed": speed.measure,
        "time-to-accuracy": time_to_accuracy.measure,
        "augmentation": augmentation.measure,
        "tracking": tracking.measure,
        "memory": memory.measure,
    },
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
