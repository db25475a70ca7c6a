"""`digits predict`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json, flag

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
    from experiments.inference.batches import Task, read_files
    from experiments.inference.reader import Reader
    from experiments.pictures.files import check_sources, list_pictures
    from experiments.pictures.reading import MAX_MEGAPIXELS

    task = Task(rows, length, explain)
    check_sources(picture)
    models = [_model_file(one) for one in model or ["reader"]]
    limit = MAX_MEGAPIXELS if max_megapixels is None else max_megapixels
    reader = Reader(models, max_megapixels=limit)
    read: list[FileReading] = []
    for one in read_files(reader, list_pictures(picture), task):
        read.append(one)
        if one.error is not None:
            print(f"error: {one.error}", file=sys.stderr)
    _show(read, task, reject_below, as_json)
    if any(one.error is not None for one in read):
        raise typer.Exit(1)


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


def _show(read: "Sequence[FileReading]", task: "Task", reject_below: float, as_json: bool) -> None:
    """Print the pictures that could be read, as a table or as JSON."""
    from digits_cli.tables import laid_out, rich_console
    from experiments.inference.records import to_json

    shown = [one for one in read if one.error is None]
    if as_json:
        print(json.dumps([to_json(one, reject_below) for one in shown]), flush=True)
    if not shown:
        return
    headers, cells = _row_cells(shown, reject_below) if task.rows else _digit_cells(shown, reject_below)
    console = rich_console(stderr=as_json)
    console.print(laid_out("Rows" if task.rows else "Digits", headers, cells, console.width))


def _digit_cells(read: "Sequence[FileReading]", reject_below: float) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from experiments.inference.records import printable, shown_digit

    cells = []
    for one in read:
        reading = one.reading
        assert reading is not None  # noqa: S101 - pictures with an error are left out
        order = reading.probabilities.argsort()[::-1][:TOP]
        top = [f"{digit} {100 * reading.probabilities[digit]:.1f} %" for digit in order]
        remark = "no digit found" if reading.digit is None else "" if reading.is_digit else "hardly a digit"
        shown = [""] * TOP if reading.digit is None else top
        cells.append((printable(one.file), shown_digit(reading, reject_below), *shown, remark))
    return ("picture", "digit", "first", "second", "third", "remark"), cells


def _row_cells(read: "Sequence[FileReading]", reject_below: float) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from experiments.inference.records import printable, shown_string

    cells = [
        (printable(one.file), str(i), shown_string(row, reject_below), f"{100 * row.probability:.1f} %", "")
        for one in read
        for i, row in enumerate(one.rows or (), 1)
    ]
    blank = [(printable(one.file), "", "", "", "no digits found") for one in read if not one.rows]
    order = {printable(one.file): i for i, one in enumerate(read)}
    return ("picture", "row", "digits", "probability", "remark"), sorted(cells + blank, key=lambda row: order[row[0]])
