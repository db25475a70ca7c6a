"""The command line that all benchmarks share: options in, a table for each measurement out."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console

from benchmarks.machine import Machine, this_machine
from benchmarks.report import Report, print_report

WIDTH = 160  # of what is written to a file or a pipe
P = TypeVar("P")


@dataclass(frozen=True)
class Benchmark(Generic[P]):
    """What one script measures.

    Attributes
    ----------
    script
        Name of the file.
    description
        For its help.
    measurements
        Function by name, from a plan to a report.
    add_options
        Adds the options of its own.
    plan
        Makes the plan from options, machine and a function that tells of progress; what it enters on the stack lasts
        until all is measured.
    """

    script: str
    description: str
    measurements: Mapping[str, Callable[[P], Report]]
    add_options: Callable[[argparse.ArgumentParser], None]
    plan: Callable[[argparse.Namespace, Machine, Callable[[str], None], ExitStack], P]

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Measure, print each report as it comes, and keep the numbers if asked to."""
        options = self._parser().parse_args(arguments)
        out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
        progress = Console(stderr=True, highlight=False, soft_wrap=True)
        machine = this_machine()
        out.print(str(machine), markup=False)
        if machine.is_busy:
            progress.print("other processes keep the machine busy: these numbers are not worth quoting")
        chosen = {name: value for name, value in vars(options).items() if name != "json"}
        kept: dict[str, Any] = {"machine": asdict(machine), "options": chosen}
        with ExitStack() as stack:
            plan = self.plan(options, machine, progress.print, stack)
            for name in options.only:
                report = self.measurements[name](plan)
                print_report(report, out)
                kept[name] = report.as_json()
                if options.json:
                    options.json.write_text(json.dumps(kept, indent=2) + "\n")

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"benchmarks/{self.script}", description=self.description,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )  # fmt: skip
        every = tuple(self.measurements)
        parser.add_argument("--only", nargs="+", choices=every, default=every, help="what to measure")
        parser.add_argument("--json", type=Path, help="file to write all numbers to")
        self.add_options(parser)
        return parser


def at_least(least: int) -> Callable[[str], int]:
    """Return what turns an option's text to a number that is large enough."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, received {text}")
        return int(text)

    return number


def load_backend() -> None:
    """Import Keras and its backend without chatter."""
    from digits_cli.console import load_backend as load

    load()
