"""The content of a report as plain data: sections of tables, pictures and texts, with the run behind each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["share", "count", "seconds", "milliseconds", "bytes", "number"]
Better = Literal["high", "low", ""]

CELL_COLUMNS = ("network", "detail", "column")
"""Where a number is shown: the name of its row, what distinguishes rows of one name, and the key of its column."""


@dataclass(frozen=True)
class RunSource:
    """A run behind numbers and pictures: where to find it, and how to repeat it.

    Attributes
    ----------
    kind, name
        Kind and name of the run in MLflow.
    command, commit, machine, seed
        Command line, commit of the code, machine and seed; empty if they were not recorded.
    date
        Start time, ISO 8601 in UTC.
    """

    run_id: str
    kind: str
    name: str
    command: str
    commit: str
    date: str
    machine: str
    seed: str


@dataclass(frozen=True)
class Column:
    """A column of a table: a query on the results of runs.

    Attributes
    ----------
    key
        Name of the column for programs.
    title, hint
        Heading, and an explanation in one sentence, which may be empty.
    unit
        Unit of the values. ``share`` in [0, 1] is shown in percent, ``bytes`` in MB (10**6 bytes).
    better
        Whether high or low values are better; empty if neither.
    where
        Values that columns of `experiments.results` have in its rows; a sequence stands for any of its members, the
        first one found in its order.
    """

    key: str
    title: str
    unit: Unit
    better: Better = ""
    hint: str = ""
    where: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A number of a table with the bounds of its 95 % interval (NaN if there is none), and its run."""

    value: float
    low: float
    high: float
    run_id: str


@dataclass(frozen=True)
class Row:
    """A row of a table: a network, ensemble or search, and its numbers by the key of the column.

    `detail` distinguishes rows of one name; it may be empty. Some numbers may be missing.
    """

    name: str
    detail: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, eq=False)
class Table:
    """Results of runs, arranged for the reader.

    Attributes
    ----------
    name
        Name of the table for programs.
    title, note
        For readers; the note may be empty.
    columns
        Its columns, in order.
    cells
        One row per number, in the order of the rows: `CELL_COLUMNS`, which say where it is shown, and the columns of
        `experiments.results`, and ``run_id``.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    cells: "pd.DataFrame"
    note: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, in order."""
        found: dict[tuple[str, str], dict[str, Cell]] = {}
        shown = self.cells[[*CELL_COLUMNS, "value", "low", "high", "run_id"]]
        for name, detail, column, *numbers in shown.itertuples(index=False):
            found.setdefault((name, detail), {})[column] = Cell(*numbers)
        return tuple(Row(name, detail, cells) for (name, detail), cells in found.items())


@dataclass(frozen=True)
class Picture:
    """An image file of the report.

    Attributes
    ----------
    file, preview
        Paths relative to the page: a PNG file, and a smaller WebP file of the same picture.
    caption, alt
        Caption and alternative text.
    run_ids
        Runs whose data it shows.
    width, height
        Size of the PNG file in pixels.
    main
        Whether it is one of the few pictures of the Markdown summary.
    """

    file: str
    preview: str
    caption: str
    alt: str
    run_ids: tuple[str, ...]
    width: int
    height: int
    main: bool = False


@dataclass(frozen=True)
class Passage:
    """Text of a run in Markdown."""

    heading: str
    markdown: str
    run_id: str


@dataclass(frozen=True)
class Link:
    """A link to another page of the report."""

    file: str
    text: str
    run_id: str


@dataclass(frozen=True)
class Block:
    """A part of a section. A `folded` block is closed until the reader opens it."""

    heading: str = ""
    tables: tuple[Table, ...] = ()
    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    passages: tuple[Passage, ...] = ()
    folded: bool = False

    @property
    def empty(self) -> bool:
        """Whether the block has no content."""
        return not (self.tables or self.links or self.pictures or self.passages)


@dataclass(frozen=True)
class ReportSection:
    """A section of the report. If it has no blocks, `command` makes the missing runs."""

    name: str
    title: str
    lead: str
    command: str
    blocks: tuple[Block, ...] = ()

    @classmethod
    def of(cls, name: str, title: str, lead: str, command: str, blocks: Iterable[Block]) -> "ReportSection":
        """Build a section without empty blocks."""
        return cls(name, title, lead, command, tuple(block for block in blocks if not block.empty))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables, in order."""
        return tuple(table for block in self.blocks for table in block.tables)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that its content comes from, in order."""
        found: list[str] = []
        for block in self.blocks:
            found += [run_id for table in block.tables for run_id in table.cells["run_id"]]
            found += [run_id for picture in block.pictures for run_id in picture.run_ids]
            found += [link.run_id for link in block.links] + [passage.run_id for passage in block.passages]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class LearningCurve:
    """A metric of a network by epoch."""

    network: str
    run_id: str
    metric: str
    values: Mapping[int, float]


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes
    ----------
    title, lead
        Heading of the page, and its first sentences.
    written, commit
        Time of writing, ISO 8601 in UTC, and commit of the code that wrote it.
    experiment
        Name of the MLflow experiment.
    sections, curves
        The content, and the learning curves behind its figures.
    sources
        The runs of the sections by id, in order.
    left_out
        What was left out and the commands that make it again: runs of older versions, and figures without data; may be
        empty.
    """

    title: str
    lead: str
    written: str
    commit: str
    experiment: str
    sections: tuple[ReportSection, ...]
    curves: tuple[LearningCurve, ...] = ()
    sources: Mapping[str, RunSource] = field(default_factory=dict)
    left_out: str = ""

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in order."""
        return tuple(table for section in self.sections for table in section.tables)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in order."""
        return tuple(picture for section in self.sections for block in section.blocks for picture in block.pictures)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines of the runs, as far as recorded."""
        return machines(self.sources.values())

    @property
    def seeds(self) -> tuple[str, ...]:
        """The seeds of the runs, as far as recorded."""
        return seeds(self.sources.values())


def machines(sources: Iterable[RunSource]) -> tuple[str, ...]:
    """Return the distinct machines of runs, as far as recorded."""
    return tuple(dict.fromkeys(source.machine for source in sources if source.machine))


def seeds(sources: Iterable[RunSource]) -> tuple[str, ...]:
    """Return the distinct seeds of runs in ascending order, as far as recorded."""
    return tuple(sorted({source.seed for source in sources if source.seed}, key=int))
