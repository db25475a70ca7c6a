"""The files next to the report's page: pictures and explorers, drawn from the data that runs recorded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from experiments.errors import DigitsError
from experiments.evaluation.effects import from_json
from experiments.reporting.discussion.text import to_markdown
from experiments.reporting.drawing import Drawing
from experiments.reporting.explorer import ExplorerData, explorer_page
from experiments.reporting.page.content import Link, Passage, Picture, ReportSection
from experiments.reporting.picture_files import PictureJob, PictureQueue
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import artifact_json, artifact_names, fetch_artifact
from experiments.tracking.runs import FIGURE_DATA, FIGURES

PICTURES, PREVIEWS, PAGES = "figures", "previews", "explorers"
DATA = ".data"  # of runs, as long as the report is written
EXPLORER, DISCUSSION = "explorer", "discussion.json"


class ReportAssets:
    """Draws the pictures of a report from the data of runs, and writes them to a folder.

    Methods return an empty tuple for what a run did not record.

    Attributes
    ----------
    missing
        Runs, by id, some of whose figures or texts have no data: an older version recorded them, or files are gone or
        damaged.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.missing: dict[str, PastRun] = {}
        self._store, self._folder = store, folder
        self._listed: dict[tuple[str, str], frozenset[str]] = {}
        self._queue = PictureQueue()
        self._runs: dict[str, PastRun] = {}  # behind pictures of a single run, by file
        self._taken: set[Path] = set()
        for name in (PICTURES, PREVIEWS, PAGES, DATA):
            (folder / name).mkdir()

    def has(self, run: PastRun, figure: str) -> bool:
        """Return whether a run recorded a figure."""
        return self._data_file(run, figure).exists() or self._has_file(run, f"{FIGURES}/{figure}.png")

    def drawings(self, runs: Mapping[str, PastRun], figure: str) -> dict[str, Drawing]:
        """Read the same figure of several runs by key; runs that do not have it are left out."""
        found = {key: self._drawing(run, figure, required=False) for key, run in runs.items()}
        return {key: drawing for key, drawing in found.items() if drawing}

    def picture(
        self, run: PastRun, figure: str, name: str, caption: str, main: bool = False, required: bool = False
    ) -> tuple[Picture, ...]:
        """Draw a figure of a run as the file `name`; a `required` one is recorded by every run of its kind."""
        drawing = self._drawing(run, figure, required)
        if drawing is None:
            return ()
        (picture,) = self.draw(drawing, name, caption, (run.id,), main)
        self._runs[picture.file] = run
        return (picture,)

    def pictures(
        self, run: PastRun, name: str, captions: Mapping[str, str], main: bool = False, required: bool = False
    ) -> tuple[Picture, ...]:
        """Draw figures of a run, given their captions by name; `main` refers to the first."""
        first = next(iter(captions))
        return tuple(
            picture
            for figure, caption in captions.items()
            for picture in self.picture(run, figure, f"{name}-{figure}", caption, main and figure == first, required)
        )

    def draw(
        self, drawing: Drawing, name: str, caption: str, run_ids: Iterable[str], main: bool = False
    ) -> tuple[Picture, ...]:
        """Draw a figure as the file `name`."""
        file = self._free_path(PICTURES, name, ".png")
        preview = self._folder / PREVIEWS / f"{file.stem}.webp"
        picture, shown = (path.relative_to(self._folder).as_posix() for path in (file, preview))
        # In a repository the size of a main picture matters.
        self._queue.add(PictureJob(drawing, file, preview, few_colors=main))
        return (Picture(picture, shown, caption, drawing.description, tuple(dict.fromkeys(run_ids)), 0, 0, main),)

    def explorer(self, run: PastRun, name: str, text: str) -> tuple[Link, ...]:
        """Build the explorer of an analysis and return a link to it."""
        content = self._read(run, EXPLORER, preview=f"{EXPLORER}.html", required=True)
        try:
            page = "" if content is None else explorer_page(ExplorerData.from_npz(content))
        except DigitsError:
            self._note_missing(run)
            page = ""
        if not page:
            return ()
        target = self._free_path(PAGES, name, ".html")
        target.write_text(page, encoding="utf-8")
        return (Link(target.relative_to(self._folder).as_posix(), text, run.id),)

    def discussion(self, run: PastRun, heading: str) -> tuple[Passage, ...]:
        """Write the discussion of a run."""
        if not self._has_file(run, DISCUSSION):
            self._note_missing(run)
            return ()
        try:
            topics = from_json(artifact_json(self._store, run.id, DISCUSSION))
            return (Passage(heading, to_markdown(topics), run.id),)
        except (DigitsError, ValueError, KeyError, TypeError):
            self._note_missing(run)
            return ()

    def finish(self, sections: Sequence[ReportSection]) -> tuple[ReportSection, ...]:
        """Draw all pictures, and return the sections with their sizes and without those that cannot be drawn.

        Raises
        ------
        DigitsError
            If a figure of several runs cannot be drawn: its data are in their tables, and not damaged.
        """
        sizes = {path.relative_to(self._folder).as_posix(): size for path, size in self._queue.finish().items()}
        for file, size in sizes.items():
            if isinstance(size, DigitsError):
                if file not in self._runs:
                    raise size
                self._note_missing(self._runs[file])
        drawn = {file: size for file, size in sizes.items() if not isinstance(size, DigitsError)}
        return tuple(_with_sizes(section, drawn) for section in sections)

    def _drawing(self, run: PastRun, figure: str, required: bool) -> Drawing | None:
        content = self._read(run, figure, f"{FIGURES}/{figure}.png", required)
        try:
            return None if content is None else Drawing.from_npz(content)
        except DigitsError:
            self._note_missing(run)
            return None

    def _read(self, run: PastRun, name: str, preview: str, required: bool = False) -> bytes | None:
        """Read the data of a figure or an explorer; note the run if it has a preview without data, or should have."""
        file = self._data_file(run, name)
        if file.exists():
            return file.read_bytes()
        if required or self._has_file(run, preview):
            self._note_missing(run)
        return None

    def _data_file(self, run: PastRun, name: str) -> Path:
        """Return where the data of a figure are, if there are any; all data of a run are fetched at once."""
        place = self._folder / DATA / run.id
        if not place.exists():
            try:
                fetch_artifact(self._store, run.id, FIGURE_DATA, place)
            except DigitsError:  # the run has no data
                place.mkdir()
        return place / f"{name}.npz"

    def _note_missing(self, run: PastRun) -> None:
        self.missing[run.id] = run

    def _has_file(self, run: PastRun, file: str) -> bool:
        folder = str(PurePosixPath(file).parent)
        if (run.id, folder) not in self._listed:
            self._listed[run.id, folder] = artifact_names(self._store, run.id, None if folder == "." else folder)
        return file in self._listed[run.id, folder]

    def _free_path(self, folder: str, name: str, ending: str) -> Path:
        """Return a path that no other file has, of characters that are safe in file names and URLs."""
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
        paths = (self._folder / folder / f"{stem}{mark}{ending}" for mark in ("", *(f"-{n}" for n in range(2, 1000))))
        free = next(path for path in paths if path not in self._taken)
        self._taken.add(free)
        return free


def _with_sizes(section: ReportSection, sizes: Mapping[str, tuple[int, int]]) -> ReportSection:
    """Return a section with the sizes of its pictures; pictures without a size and empty blocks are left out."""

    def sized(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
        known = ((one, sizes[one.file]) for one in pictures if one.file in sizes)
        return tuple(replace(one, width=width, height=height) for one, (width, height) in known)

    blocks = [replace(block, pictures=sized(block.pictures)) for block in section.blocks]
    return replace(section, blocks=tuple(block for block in blocks if not block.empty))
