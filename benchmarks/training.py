"""How fast networks are trained here: ``python benchmarks/training.py``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import augmentation, memory, speed, time_to_accuracy, tracking
from benchmarks.machine import this_machine
from benchmarks.plan import Plan, load_splits
from benchmarks.report import Report, print_report

WIDTH = 160  # of what is written to a file or a pipe
MEASUREMENTS: dict[str, Callable[[Plan], Report]] = {
    "speed": speed.measure,
    "time-to-accuracy": time_to_accuracy.measure,
    "augmentation": augmentation.measure,
    "tracking": tracking.measure,
    "memory": memory.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print each report as it comes, and keep the numbers if asked to."""
    options = _parser().parse_args(arguments)
    out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    machine = this_machine()
    out.print(str(machine), markup=False)
    if machine.is_busy:
        progress.print("other processes keep the machine busy: these numbers are not worth quoting")
    plan = Plan(
        options.dataset,
        *load_splits(options.dataset, options.limit),
        rounds=options.rounds,
        epochs=options.epochs,
        target=options.target,
        limit=options.limit,
        machine=machine,
        say=progress.print,
    )
    _load_tensorflow()
    chosen = {name: value for name, value in vars(options).items() if name != "json"}
    kept: dict[str, Any] = {"machine": asdict(machine), "options": chosen}
    for name in options.only:
        report = MEASUREMENTS[name](plan)
        print_report(report, out)
        kept[name] = report.as_json()
        if options.json:
            options.json.write_text(json.dumps(kept, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/training.py", description="Measure how fast networks are trained here.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    every = tuple(MEASUREMENTS)
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="what to measure")
    parser.add_argument("--dataset", default="mnist", help="a data set of digits")
    parser.add_argument("--limit", type=_at_least(1), help="train on a sample of so many images")
    parser.add_argument("--rounds", type=_at_least(1), default=3, help="turns of each side, and seeds")
    parser.add_argument("--epochs", type=_at_least(2), default=3, help="epochs in a turn; the first is not counted")
    parser.add_argument("--target", type=float, default=0.99, help="test accuracy to reach")
    parser.add_argument("--json", type=Path, help="file to write all numbers to")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, received {text}")
        return int(text)

    return number


def _load_tensorflow() -> None:
    from digits_cli.console import load_tensorflow

    load_tensorflow()


if __name__ == "__main__":
    main()
