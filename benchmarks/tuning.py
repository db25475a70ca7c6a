"""How soon a search finds good hyperparameters, and what its trials cost: ``python benchmarks/tuning.py``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import search_cost, search_time
from benchmarks.machine import this_machine
from benchmarks.project import temporary_project
from benchmarks.report import Report, print_report
from benchmarks.search_plan import SearchPlan, load_images

WIDTH = 160  # of what is written to a file or a pipe
MEASUREMENTS: dict[str, Callable[[SearchPlan], Report]] = {
    "time": search_time.measure,
    "cost": search_cost.measure,
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
    chosen = {name: value for name, value in vars(options).items() if name != "json"}
    kept: dict[str, Any] = {"machine": asdict(machine), "options": chosen}
    with temporary_project():
        from digits_cli.console import load_tensorflow

        load_tensorflow()
        plan = SearchPlan(
            options.dataset,
            *load_images(options.dataset, options.limit),
            limit=options.limit,
            epochs=options.epochs,
            trials=options.trials,
            repeats=options.repeats,
            many=options.many,
            say=progress.print,
        )
        for name in options.only:
            report = MEASUREMENTS[name](plan)
            print_report(report, out)
            kept[name] = report.as_json()
            if options.json:
                options.json.write_text(json.dumps(kept, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/tuning.py", description="Measure how soon a search is good, and what its trials cost.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    every = tuple(MEASUREMENTS)
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="what to measure")
    parser.add_argument("--dataset", default="mnist", help="a data set of digits")
    parser.add_argument("--limit", type=int, default=12_000, help="train on a sample of so many images")
    parser.add_argument("--epochs", type=int, help="epochs of a trial; the recipe's if not given")
    parser.add_argument("--trials", type=int, default=20, help="random trials of the plain loop")
    parser.add_argument("--repeats", type=int, default=3, help="seeds for which both sides search")
    parser.add_argument("--many", type=int, default=50, help="trials over which cost and memory are watched")
    parser.add_argument("--json", type=Path, help="file to write all numbers to")
    return parser


if __name__ == "__main__":
    main()
