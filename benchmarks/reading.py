"""Readers of digits in pictures, compared on the same pictures: ``python benchmarks/reading.py``."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import reading_accuracy, reading_cost
from benchmarks.command import Benchmark, at_least
from benchmarks.machine import Machine
from benchmarks.ocr_peers import DEFAULT_PEERS, PEERS, NotInstalledError
from benchmarks.picture_sets import SETS, PictureSet, folder_set, load_set
from benchmarks.readers import DigitReader, model_file, own_readers
from experiments.errors import DigitsError
from experiments.inference.reader import READER

COST = ("startup", "latency", "memory")


@dataclass(frozen=True)
class ReadingPlan:
    """The readers and the pictures.

    Attributes
    ----------
    readers
        Those of this project first.
    sets
        The pictures.
    network
        ONNX file of the first network; None for the package's.
    rounds
        How often whole processes are timed.
    say
        Receives progress.
    """

    readers: Sequence[DigitReader]
    sets: Sequence[PictureSet]
    network: str | None
    rounds: int
    say: Callable[[str], None]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cost", dest="only", action="store_const", const=COST, help=f"--only {' '.join(COST)}")
    parser.add_argument("--model", action="append", help="reader, an .onnx file or a trained network; may be repeated")
    parser.add_argument("--peers", nargs="*", choices=tuple(PEERS), default=DEFAULT_PEERS, help="left out if absent")
    parser.add_argument("--sets", nargs="*", choices=tuple(SETS), default=tuple(SETS), help="pictures to read")
    parser.add_argument("--folder", action="append", help="more pictures, in 0/ to 9/; may be repeated")
    parser.add_argument("--limit", type=at_least(0), default=100, help="pictures of each set; 0 for all")
    parser.add_argument("--rounds", type=at_least(1), default=5, help="turns of whole processes")


def _plan(options: argparse.Namespace, _: Machine, say: Callable[[str], None], stack: ExitStack) -> ReadingPlan:
    stack.enter_context(threadpool_limits(1))
    models, limit = options.model or [READER], options.limit or None
    try:
        readers = [*own_readers(models), *_installed(options.peers, say)]
        sets = [load_set(name, limit) for name in options.sets]
        sets += [folder_set(folder, limit, say) for folder in options.folder or ()]
        network = None if models[0] == READER else str(model_file(models[0]).resolve())
    except DigitsError as error:
        raise SystemExit(f"benchmarks/reading.py: {error}") from error
    return ReadingPlan(readers, sets, network, options.rounds, say)


def _installed(names: Iterable[str], say: Callable[[str], None]) -> Iterable[DigitReader]:
    for name in names:
        try:
            yield PEERS[name]()
        except NotInstalledError as error:
            say(f"{name} is left out: {error}")


BENCHMARK = Benchmark(
    "reading.py",
    "Compare readers of digits on the same pictures: accuracy, time and size.",
    {
        "accuracy": lambda plan: reading_accuracy.measure(plan.sets, plan.readers, plan.say),
        "startup": lambda plan: reading_cost.startup(plan.network, plan.rounds),
        "latency": lambda plan: reading_cost.latency(plan.readers),
        "memory": lambda plan: reading_cost.memory(plan.network),
    },
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
