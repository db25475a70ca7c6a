"""`digits predict`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json, flag
from experiments.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.inference.batches import FileReading, Task

TOP = 3


def predict(
    picture: Annotated[
        list[str], typer.Argument(metavar="PICTURE...", help="Files, folders, patterns such as 'scans/*.png', or -.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="reader, which comes with digits; lenet, mnist-lenet, models:/NAME/3, models:/NAME@champion, "
            "runs:/ID, a .keras or .onnx file; several are an ensemble.",
            show_default="reader",
        ),
    ] = None,
    rows: Annotated[bool, flag("--rows", "Read rows of digits, not one digit.")] = False,
    length: Annotated[int | None, typer.Option(min=1, help="Number of digits in each row, with --rows.")] = None,
    reject_below: Annotated[
        float, typer.Option(min=0, max=1, metavar="P", help="Print ? for digits with a lower probability.")
    ] = 0.0,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a table: .csv or .parquet.")] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a picture of the steps for each picture.")
    ] = None,
    max_megapixels: Annotated[
        float | None, typer.Option(min=0, help="Refuse larger pictures.", show_default="100")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Read very many pictures into --csv FILE, so many processes side by side."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The same on a Ray cluster: auto, HOST:6379 or ray://HOST:10001."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Read digits, or rows of digits, in pictures.

    With --workers or --cluster only the table is written; re-run the command to continue an interrupted run.

    Example: digits predict photo.png

    Example: digits predict scans/ --rows --length 5 --csv codes.csv
    """
    from experiments.inference.batches import Task
    from experiments.pictures.files import check_sources
    from experiments.pictures.opening import MAX_MEGAPIXELS

    limit = MAX_MEGAPIXELS if max_megapixels is None else max_megapixels
    task = Task(rows, length, explain, reject_below, limit)
    check_sources(picture)
    if csv:
        from experiments.workflows.predict import check_output

        check_output(csv)
    elif workers or cluster:
        raise UsageError("--workers and --cluster fill a table: name it with --csv FILE")
    models = [_model_file(one) for one in model or ["reader"]]
    if csv and (workers or cluster):
        failed = _fill_table(picture, models, task, csv, (workers or 1, cluster), as_json)
    else:
        failed = _read(picture, models, task, csv, as_json)
    if failed:
        raise typer.Exit(1)


def _read(sources: list[str], models: list[Path], task: "Task", csv: Path | None, as_json: bool) -> bool:
    """Read pictures in this process and print them; return whether one could not be read."""
    from experiments.inference.batches import read_files
    from experiments.pictures.files import list_pictures

    read: list[FileReading] = []
    for one in read_files(models, list_pictures(sources), task):
        read.append(one)
        if one.error is not None:
            print(f"error: {one.error}", file=sys.stderr)
    if csv:
        from experiments.workflows.predict import write_table

        write_table(read, task, csv)
    _show([one for one in read if one.error is None], task, as_json)
    return any(one.error is not None for one in read)


def _fill_table(
    sources: list[str], models: list[Path], task: "Task", csv: Path, where: tuple[int, str | None], as_json: bool
) -> bool:
    """Read pictures in other processes into a table; return whether one could not be read."""
    from digits_cli.console import Console
    from experiments.execution.executors import ExecutorConfig
    from experiments.inference.reader import Reader
    from experiments.workflows.predict import PredictOptions, read_into_table

    Reader(models)  # a wrong one is refused before workers start
    options = PredictOptions(tuple(sources), tuple(one.read_bytes() for one in models), task)
    with Console(as_json) as console:
        result = read_into_table(options, csv, ExecutorConfig(*where, trains=False), console)
        console.result(
            f"{csv}: {result.pictures:,} pictures in {result.seconds:.0f} s, {result.failed:,} of them not readable"
        )
        console.json(result.to_json())
    return bool(result.failed)


def _model_file(reference: str) -> Path:
    """Return the ONNX file of a reference; MLflow is imported only for those that it has to resolve."""
    from experiments.inference.reader import READER, network_file

    if reference == READER or reference.endswith(".onnx"):
        return network_file(reference)
    from digits_cli.console import load_backend
    from experiments.tracking import open_store, resolve_reference
    from experiments.tracking.references import exported_file, onnx_file

    store = open_store()
    found = resolve_reference(store, reference)
    if found.note:
        print(found.note, file=sys.stderr)
    if not exported_file(store, found):
        load_backend()
    return onnx_file(store, found)


def _show(read: "Sequence[FileReading]", task: "Task", as_json: bool) -> None:
    """Print readings as a table or as JSON."""
    from digits_cli.tables import laid_out, rich_console
    from experiments.inference.records import to_json

    if as_json:
        print(json.dumps([to_json(one, task) for one in read]), flush=True)
    if not read:
        return
    headers, cells = _row_cells(read, task) if task.rows else _digit_cells(read, task)
    console = rich_console(stderr=as_json)
    console.print(laid_out("Rows" if task.rows else "Digits", headers, cells, console.width))


def _digit_cells(read: "Sequence[FileReading]", task: "Task") -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from experiments.inference.records import printable, shown_digit

    cells = []
    for one in read:
        reading = one.reading
        assert reading is not None  # noqa: S101 - pictures with an error are left out
        order = reading.probabilities.argsort()[::-1][:TOP]
        top = [f"{digit} {100 * reading.probabilities[digit]:.1f} %" for digit in order]
        remark = "no digit found" if reading.digit is None else "" if reading.is_digit else "hardly a digit"
        shown = [""] * TOP if reading.digit is None else top
        cells.append((printable(one.file), shown_digit(reading, task), *shown, remark))
    return ("picture", "digit", "first", "second", "third", "remark"), cells


def _row_cells(read: "Sequence[FileReading]", task: "Task") -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from experiments.inference.records import printable, shown_string

    cells = [
        (printable(one.file), str(i), shown_string(row, task), f"{100 * row.probability:.1f} %", "")
        for one in read
        for i, row in enumerate(one.rows or (), 1)
    ]
    blank = [(printable(one.file), "", "", "", "no digits found") for one in read if not one.rows]
    order = {printable(one.file): i for i, one in enumerate(read)}
    return ("picture", "row", "digits", "probability", "remark"), sorted(cells + blank, key=lambda row: order[row[0]])
