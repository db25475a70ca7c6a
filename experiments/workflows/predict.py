"""Read very many pictures into a table, in several processes or on a Ray cluster; interrupted runs continue.

Memory does not grow with the number of pictures: they are listed, read and written chunk by chunk, in order.
"""

import csv
import hashlib
import io
import itertools
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments.errors import DigitsError, UsageError
from experiments.execution.executors import Executor, ExecutorConfig, Finished
from experiments.execution.progress import Progress
from experiments.inference.batches import FileReading, Task, read_files
from experiments.inference.records import UNCERTAIN, columns, to_rows
from experiments.pictures.files import STANDARD_INPUT, count_pictures, list_pictures
from experiments.processes import heed_signals

CHUNK = 4000  # pictures for one task: the start of its process takes as long as reading a hundred
SUFFIXES = (".csv", ".parquet")
INTEGERS = ("digit", "row", "x", "y", "width", "height")
TEXTS = ("file", "string", "digit_probabilities", "error")
ROW_GROUP = 1 << 22  # bytes of CSV
WAIT_SECONDS = 1.0  # between looks at signals


@dataclass(frozen=True)
class PredictOptions:
    """What is read, and how.

    Attributes
    ----------
    sources
        Files, folders and patterns, as for `experiments.pictures.files.list_pictures`.
    models
        Contents of the ONNX files.
    task
        Rejected digits are ``?`` in CSV and null in Parquet.
    """

    sources: tuple[str, ...]
    models: tuple[bytes, ...]
    task: Task

    def fingerprint(self) -> str:
        """Return a hash of everything that the table depends on but the pictures themselves."""
        models = [hashlib.sha256(model).hexdigest() for model in self.models]
        return hashlib.sha256(repr((self.sources, models, self.task)).encode()).hexdigest()


@dataclass(frozen=True)
class PredictResult:
    """The table, the pictures read in it, how many of them could not be read, and the seconds of this run."""

    file: str
    pictures: int
    failed: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the values of the JSON object."""
        return asdict(self)


def read_into_table(
    options: PredictOptions, output: Path, executor: ExecutorConfig, progress: Progress, chunk: int = CHUNK
) -> PredictResult:
    """Read pictures into a table in the order of their listing.

    Until the table is complete it is ``OUTPUT.part``, with the state beside it in ``OUTPUT.part.json``. A run that was
    interrupted continues there when it is started again with the same options, and ends with the same table.

    Parameters
    ----------
    output
        ``.csv`` or ``.parquet``; replaced if it exists.
    chunk
        Pictures for one task.

    Raises
    ------
    UsageError
        For another suffix, the standard input or pictures of steps.
    DigitsError
        If the table cannot be written, a worker ends unexpectedly, or the pictures have changed since the run that is
        to be continued.
    """
    check_output(output)
    if STANDARD_INPUT in options.sources or options.task.explain:
        raise UsageError("--workers and --cluster read files only, without --explain")
    started = time.monotonic()
    part = _Part(output, columns(options.task), options.fingerprint())
    files = _after(part, list_pictures(options.sources))
    progress.stage("count pictures")
    total = count_pictures(options.sources)
    progress.stage(f"read {total:,} pictures" + (f", {part.state.pictures:,} of them done" * bool(part.state.pictures)))
    with executor.open() as workers:
        for names, result in _in_order(workers, files, options, chunk):
            for error in result.errors:
                progress.log(f"error: {error}")
            part.append(result, names)
            progress.advance(part.state.pictures, max(total, part.state.pictures))
    part.finish()
    return PredictResult(str(output), part.state.pictures, part.state.failed, time.monotonic() - started)


def write_table(read: Sequence[FileReading], task: Task, output: Path) -> None:
    """Write readings as the table that `read_into_table` would make of them; raises as that."""
    check_output(output)
    part = _Part(output, columns(task), "")
    part.restart()
    part.append(_table(read, task), [one.file for one in read])
    part.finish()


def check_output(output: Path) -> None:
    """Raise UsageError if a table cannot have this suffix."""
    if output.suffix not in SUFFIXES:
        raise UsageError(f"--csv needs a file {' or '.join(SUFFIXES)}, received {output}")


@dataclass(frozen=True)
class _Table:
    """Lines of CSV for some pictures, and why others could not be read."""

    text: str
    errors: tuple[str, ...]


@dataclass(frozen=True)
class _State:
    """How far a table has come: pictures and failed pictures, the last picture, bytes."""

    fingerprint: str
    pictures: int = 0
    failed: int = 0
    last: str = ""
    size: int = 0


class _Part:
    """A table that is being written, which is complete up to its `state` whenever the process ends."""

    def __init__(self, output: Path, header: tuple[str, ...], fingerprint: str) -> None:
        self._output = output
        self._header = _lines([header])
        self.path = output.with_name(f"{output.name}.part")
        self._json = output.with_name(f"{output.name}.part.json")
        self.state = self._load(fingerprint)
        if not self.state.size:
            self.restart()

    def _load(self, fingerprint: str) -> _State:
        try:
            state = _State(**json.loads(self._json.read_text()))
            if state.fingerprint == fingerprint and self.path.stat().st_size >= state.size:
                return state
        except (OSError, ValueError, TypeError):  # there is none, or not the whole of one
            pass
        return _State(fingerprint)

    def restart(self) -> None:
        """Begin with the header."""
        with _writing(self._output):
            self.path.write_bytes(b"")
        self.state = _State(self.state.fingerprint)
        self._append(self._header.encode(), self.state)

    def append(self, table: _Table, files: list[str]) -> None:
        """Add the lines of pictures."""
        counts = (self.state.pictures + len(files), self.state.failed + len(table.errors))
        last = files[-1] if files else self.state.last
        self._append(table.text.encode(), _State(self.state.fingerprint, *counts, last, self.state.size))

    def _append(self, content: bytes, state: _State) -> None:
        with _writing(self._output):
            with self.path.open("r+b") as file:
                file.seek(state.size)
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            self.state = replace(state, size=state.size + len(content))
            fresh = self._json.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(self.state)))
            fresh.replace(self._json)

    def finish(self) -> None:
        """Put the complete table into its place."""
        with _writing(self._output):
            with self.path.open("r+b") as file:
                file.truncate(self.state.size)
            if self._output.suffix == ".parquet":
                fresh = self._output.with_name(f"{self._output.name}.new")
                _to_parquet(self.path, fresh)
                fresh.replace(self._output)
                self.path.unlink()
            else:
                self.path.replace(self._output)
            self._json.unlink()


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Turn errors of writing a table into one that names it."""
    try:
        yield
    except OSError as error:
        raise DigitsError(f"{output} cannot be written: {error.strerror or error}") from error


def _after(part: _Part, files: Iterator[str]) -> Iterator[str]:
    """Return the pictures that are not yet in the table.

    Raises
    ------
    DigitsError
        If those before are others than those in it.
    """
    done = part.state.pictures
    if done and next(itertools.islice(files, done - 1, None), None) != part.state.last:
        raise DigitsError(
            f"the pictures have changed since {part.state.last} was read; remove {part.path} to start again"
        )
    return files


def _in_order(
    workers: Executor, files: Iterator[str], options: PredictOptions, chunk: int
) -> Iterator[tuple[list[str], _Table]]:
    """Read chunks of pictures side by side; yield their names and lines in order.

    At most twice as many chunks as there are workers are in memory.

    Raises
    ------
    DigitsError
        If a worker ends unexpectedly.
    """
    names: dict[int, list[str]] = {}
    tables: dict[int, _Table] = {}
    chunks = enumerate(iter(lambda: [*itertools.islice(files, chunk)], []))
    number = 0
    while True:
        while (
            workers.running() < workers.capacity and len(names) < 2 * workers.capacity and (new := next(chunks, None))
        ):
            names[new[0]] = new[1]
            workers.submit(str(new[0]), read_chunk, options, new[1])
        if not names:
            return
        for ended in workers.wait(WAIT_SECONDS):
            tables[int(ended.name)] = _result(ended)
        while number in tables:
            yield names.pop(number), tables.pop(number)
            number += 1
        heed_signals()


def read_chunk(options: PredictOptions, files: list[str]) -> _Table:
    """Read pictures in a worker."""
    return _table([*read_files(options.models, files, options.task)], options.task)


def _result(ended: Finished) -> _Table:
    if ended.error:
        raise ended.error
    if ended.crash:
        raise DigitsError(f"a worker {ended.crash}; the same command continues")
    table: _Table = ended.result
    return table


def _table(read: Sequence[FileReading], task: Task) -> _Table:
    rows = itertools.chain.from_iterable(to_rows(one, task) for one in read)
    return _Table(_lines(rows), tuple(one.error for one in read if one.error is not None))


def _lines(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _to_parquet(table: Path, output: Path) -> None:
    """Convert CSV to Parquet, one group of rows in memory at a time."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    with table.open(newline="") as file:
        header = next(csv.reader(file))
    types = dict.fromkeys(header, pa.float64())
    types |= dict.fromkeys(INTEGERS, pa.int32()) | dict.fromkeys(TEXTS, pa.string()) | {"is_digit": pa.bool_()}
    with (
        arrow_csv.open_csv(
            table,
            arrow_csv.ReadOptions(block_size=ROW_GROUP, use_threads=False),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types={name: types[name] for name in header},
                null_values=["", UNCERTAIN],
                strings_can_be_null=False,
            ),
        ) as batches,
        parquet.ParquetWriter(output, batches.schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
