"""A report with all that a page can hold, for its tests; every text from a run tries to be markup."""

from pathlib import Path

import numpy as np
from PIL import Image

from experiments.reporting.page.content import (
    Block,
    Column,
    LearningCurve,
    Link,
    Number,
    Passage,
    Picture,
    Report,
    ReportSection,
    Row,
    RunSource,
    Table,
)

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' {{title}} | **b**"
ACCURACY, SECONDS = (
    Column("accuracy", "Test accuracy", "share", "high", HOSTILE),
    Column("seconds", "Time", "seconds", "low"),
)


def row(name: str, seconds: float, accuracy: float | None = None) -> Row:
    numbers = {"seconds": Number(seconds, "one", "train_seconds")}
    if accuracy is not None:
        numbers["accuracy"] = Number(accuracy, "two", "accuracy")
        numbers["accuracy_low"] = Number(accuracy - 0.01, "two", "accuracy_low")
        numbers["accuracy_high"] = Number(accuracy + 0.01, "two", "accuracy_high")
    return Row(name, f"v1 {HOSTILE}", numbers)


def table(columns: int = 2) -> Table:
    """Return a table of three networks, of which one was not measured."""
    others = tuple(Column(f"more{i}", f"Another number {i}", "count") for i in range(columns - 2))
    rows = (row("cnn", 100, 0.98), row("lenet", 9.5, 0.95), row(HOSTILE, 7200))
    return Table("networks", HOSTILE, (ACCURACY, SECONDS, *others), rows, HOSTILE)


def source(run_id: str) -> RunSource:
    return RunSource(
        run_id, "train", HOSTILE, f"digits train {HOSTILE}", "c" * 40, "2026-01-02T03:04:05+00:00", HOSTILE, "0"
    )


def small_report(columns: int = 2) -> Report:
    """Return a report of three sections, the last without any runs."""
    pictures = tuple(
        Picture(f"figures/{name}.png", HOSTILE, HOSTILE, ("one", "two"), width, 300, main=True)
        for name, width in (("narrow", 400), ("wide", 900))
    )
    words = Passage(HOSTILE, f"## {HOSTILE}\n\n{HOSTILE}\n\n| a | b |\n| :- | -: |\n| `{HOSTILE}` | 1 |", "two")
    blocks = (
        Block(HOSTILE, links=(Link("explorers/one.html", HOSTILE, "one"),), pictures=pictures, passages=(words,)),
        Block("more", pictures=pictures[:1], folded=True),
    )
    return Report(
        title=HOSTILE,
        lead=HOSTILE,
        written="2026-01-02T03:04:05+00:00",
        commit="d" * 40 + "-dirty",
        experiment=HOSTILE,
        sections=(
            ReportSection("networks", "Networks", HOSTILE, "digits train all", (Block(tables=(table(columns),)),)),
            ReportSection("pictures", "Pictures", HOSTILE, "digits evaluate", blocks),
            ReportSection("searches", "Searches", HOSTILE, f"digits tune {HOSTILE}"),
        ),
        curves=(LearningCurve("uci-cnn", "one", "val_accuracy", {1: 0.5, 2: 0.75}),),
        sources={run_id: source(run_id) for run_id in ("one", "two")},
    )


def write_pictures(report: Report, folder: Path) -> None:
    """Write files where the report's page looks for them."""
    (folder / "figures").mkdir()
    for picture in report.pictures:
        Image.fromarray(np.full((picture.height, picture.width), 128, np.uint8)).save(folder / picture.file)
