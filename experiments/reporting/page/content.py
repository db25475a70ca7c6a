"""What a report holds, as plain data: chapters of tables, pictures and texts, and the run that each comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["share", "count", "seconds", "milliseconds", "bytes", "number"]
Better = Literal["high", "low", ""]


@dataclass(frozen=True)
class Source:
    """A run that numbers and pictures come from: how to find it, and how to make it again.

    Attributes
    ----------
    kind, name
        As in MLflow.
    command, commit, machine, seed
        What made it, of which code, on what and from which seed; empty where that was not recorded.
    date
        When it began, ISO 8601 in UTC.
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
class Number:
    """A number as it stands in the tracking store: the last value of a metric of a run."""

    value: float
    run_id: str
    metric: str


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes
    ----------
    key
        Of the numbers in the rows; those at `key` with ``_low`` and ``_high``, where there are any, are its 95 %
        interval.
    title, hint
        Its head, and what that means in a sentence, which may be empty.
    unit
        Of the values; ``share`` in [0, 1] is shown in per cent, ``bytes`` in MB of a million.
    better
        Which end is the good one; empty where neither is.
    """

    key: str
    title: str
    unit: Unit
    better: Better = ""
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A network's numbers by the keys of the columns, of which some may be missing; `note` tells it from others."""

    name: str
    note: str
    numbers: Mapping[str, Number]


@dataclass(frozen=True)
class Table:
    """Networks and their numbers; `name` is for programs, `title` and `note` are for readers."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """An image file beside the page.

    Attributes
    ----------
    file
        Its path relative to the page.
    caption, alt
        What it shows, for those who see it and for those who do not.
    run_ids
        Of the runs whose numbers it shows.
    width, height
        In pixels.
    main
        Whether it is one of the few that stand for all.
    numbers
        Those that the caption names.
    """

    file: str
    caption: str
    alt: str
    run_ids: tuple[str, ...]
    width: int
    height: int
    main: bool = False
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class Passage:
    """Words from a run, in the Markdown that this project writes."""

    heading: str
    markdown: str
    run_id: str


@dataclass(frozen=True)
class Link:
    """Another page beside this one."""

    file: str
    text: str
    run_id: str


@dataclass(frozen=True)
class Block:
    """A part of a chapter, in the order in which it is shown; `folded` ones are opened by the reader."""

    heading: str = ""
    tables: tuple[Table, ...] = ()
    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    passages: tuple[Passage, ...] = ()
    folded: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.tables or self.links or self.pictures or self.passages)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the report; `command` makes what it lacks where there are no blocks."""

    name: str
    title: str
    lead: str
    command: str
    blocks: tuple[Block, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables, in order."""
        return tuple(table for block in self.blocks for table in block.tables)


@dataclass(frozen=True)
class Curve:
    """A metric of a network step by step, as it stands in the tracking store."""

    network: str
    run_id: str
    metric: str
    values: Mapping[int, float]


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes
    ----------
    title, lead
        What heads the page.
    written, commit
        When, ISO 8601 in UTC, and by which code.
    experiment
        Of MLflow.
    chapters, curves
        The content; the curves are what its figures are drawn from.
    sources
        By its id, each run that is named in the chapters, in the order in which it is.
    """

    title: str
    lead: str
    written: str
    commit: str
    experiment: str
    chapters: tuple[Chapter, ...]
    curves: tuple[Curve, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in order."""
        return tuple(table for chapter in self.chapters for table in chapter.tables)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in order."""
        return tuple(picture for chapter in self.chapters for block in chapter.blocks for picture in block.pictures)

    @property
    def machines(self) -> tuple[str, ...]:
        """What the runs ran on, as far as that was recorded."""
        return machines(self.sources.values())

    @property
    def seeds(self) -> tuple[str, ...]:
        """The seeds of the runs that have one."""
        return seeds(self.sources.values())


def machines(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return what runs ran on, as far as that was recorded."""
    return tuple(dict.fromkeys(source.machine for source in sources if source.machine))


def seeds(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the seeds of the runs that have one, in the order of the numbers."""
    return tuple(sorted({source.seed for source in sources if source.seed}, key=int))
