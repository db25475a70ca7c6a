"""A report with all that a page can hold, for its tests; every text from a run tries to be markup."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from experiments.reporting.page.content import (
    CELL_COLUMNS,
    Block,
    Column,
    LearningCurve,
    Link,
    Passage,
    Picture,
    Report,
    ReportSection,
    RunSource,
    Table,
)
from experiments.reporting.picture_files import save_preview
from experiments.results import Result, to_table

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' {{ title }} {% raw %} | **b**"
ACCURACY = Column("accuracy", "Test accuracy", "share", "high", HOSTILE, {"metric": "accuracy"})
SECONDS = Column("seconds", "Time", "seconds", "low", where={"metric": "train_seconds"})
MEASURED = {"cnn": (100, 0.98), "lenet": (9.5, 0.95), HOSTILE: (7200, None)}  # seconds and accuracy


def table(columns: int = 2, name: str = "networks", title: str = HOSTILE) -> Table:
    """Return a table of three networks, of which one has no accuracy; columns beyond the second are of counts."""
    others = tuple(Column(f"more{i}", f"Another number {i}", "count") for i in range(columns - 2))
    cells: list[tuple[str, str, str, Result]] = []
    for network, (seconds, accuracy) in MEASURED.items():
        cells.append((network, "seconds", "one", Result("train_seconds", seconds, model=network)))
        if accuracy is not None:
            cells.append((network, "accuracy", "two", measured(accuracy, network)))
        cells += [(network, other.key, "one", Result("more", 123_456, model=network)) for other in others]
    return table_of(name, title, (ACCURACY, SECONDS, *others), cells, detail=f"v1 {HOSTILE}", note=HOSTILE)


def measured(accuracy: float, network: str = "") -> Result:
    """Return an accuracy with its interval."""
    return Result("accuracy", accuracy, model=network, low=accuracy - 0.01, high=accuracy + 0.01)


def table_of(
    name: str,
    title: str,
    columns: tuple[Column, ...],
    cells: Sequence[tuple[str, str, str, Result]],
    detail: str = "",
    note: str = "",
) -> Table:
    """Return a table of cells, each given as network, column, run and result."""
    frame = to_table(result for *_, result in cells).assign(run_id=[run_id for _, _, run_id, _ in cells])
    places = ([network for network, *_ in cells], detail, [column for _, column, *_ in cells])
    return Table(name, title, columns, frame.assign(**dict(zip(CELL_COLUMNS, places, strict=True))), note)


def source(run_id: str) -> RunSource:
    return RunSource(
        run_id, "train", HOSTILE, f"digits train {HOSTILE}", "c" * 40, "2026-01-02T03:04:05+00:00", HOSTILE, "0"
    )


def small_report(columns: int = 2) -> Report:
    """Return a report of three sections, the last without any runs."""
    narrow, wide, folded = (
        Picture(f"figures/{name}.png", f"figures/{name}.webp", HOSTILE, HOSTILE, run_ids, width, 300, main=True)
        for name, width, run_ids in (
            ("narrow", 400, ("one",)),
            ("wide", 1200, ("one", "two")),
            ("folded", 500, ("two",)),
        )
    )
    words = Passage(HOSTILE, f"## {HOSTILE}\n\n{HOSTILE}\n\n| a | b |\n| :- | -: |\n| `{HOSTILE}` | 1 |", "two")
    blocks = (
        Block(HOSTILE, links=(Link("explorers/one.html", HOSTILE, "one"),), pictures=(narrow, wide), passages=(words,)),
        Block("More", pictures=(folded,), folded=True),
        Block(passages=(words,)),
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
        image = Image.new("RGB", (picture.width, picture.height), "gray")
        image.save(folder / picture.file)
        save_preview(image, folder / picture.preview)
