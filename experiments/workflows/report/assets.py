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
from experiments.reporting.pictures import PictureJob, draw_pictures
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import artifact_json, artifact_names, read_artifact
from experiments.tracking.runs import FIGURE_DATA, FIGURES

PICTURES, PREVIEWS, PAGES = "figures", "previews", "explorers"
EXPLORER, DISCUSSION = "explorer", "discussion.json"


class ReportAssets:
    """Collects the pictures of a report, draws them together, and writes them to a folder.

    Methods return an empty tuple for what a run did not record.

    Attributes
    ----------
    missing
        By name of a run, the command that makes it again: its figures have no data, because an older version recorded
        them or because files are gone.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.missing: dict[str, str] = {}
        self._store, self._folder = store, folder
        self._listed: dict[tuple[str, str], frozenset[str]] = {}
        self._jobs: dict[str, PictureJob] = {}
        self._runs: dict[str, PastRun] = {}  # behind pictures of a single run, by file
        for name in (PICTURES, PREVIEWS, PAGES):
            (folder / name).mkdir()

    def has(self, run: PastRun, figure: str) -> bool:
        """Return whether a run recorded a figure."""
        return self._has_file(run, f"{FIGURES}/{figure}.png") or self._has_file(run, f"{FIGURE_DATA}/{figure}.npz")

    def drawing(self, run: PastRun, figure: str) -> Drawing | None:
        """Read the data of a figure; None if there are none."""
        content = self._read(run, figure, preview=f"{FIGURES}/{figure}.png")
        try:
            return Drawing.from_npz(content) if content else None
        except DigitsError:
            self._note_missing(run)
            return None

    def picture(self, run: PastRun, figure: str, name: str, caption: str, main: bool = False) -> tuple[Picture, ...]:
        """Draw a figure of a run as the file `name`."""
        content = self._read(run, figure, preview=f"{FIGURES}/{figure}.png")
        if content is None:
            return ()
        (picture,) = self._add(content, name, caption, (run.id,), main)
        self._runs[picture.file] = run
        return (picture,)

    def pictures(self, run: PastRun, name: str, captions: Mapping[str, str], main: bool = False) -> tuple[Picture, ...]:
        """Draw figures of a run, given their captions by name; `main` refers to the first."""
        first = next(iter(captions))
        return tuple(
            picture
            for figure, caption in captions.items()
            for picture in self.picture(run, figure, f"{name}-{figure}", caption, main=main and figure == first)
        )

    def draw(
        self, drawing: Drawing, name: str, caption: str, run_ids: Iterable[str], main: bool = False
    ) -> tuple[Picture, ...]:
        """Draw a figure of the numbers of several runs."""
        return self._add(drawing.to_npz(), name, caption, run_ids, main)

    def explorer(self, run: PastRun, name: str, text: str) -> tuple[Link, ...]:
        """Build the explorer of an analysis and return a link to it."""
        content = self._read(run, EXPLORER, preview=f"{EXPLORER}.html")
        try:
            page = explorer_page(ExplorerData.from_npz(content)) if content else ""
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
            return ()
        topics = from_json(artifact_json(self._store, run.id, DISCUSSION))
        return (Passage(heading, to_markdown(topics), run.id),)

    def finish(self, sections: Sequence[ReportSection]) -> tuple[ReportSection, ...]:
        """Draw all pictures, and return the sections with their sizes and without those that cannot be drawn."""
        found = draw_pictures([*self._jobs.values()])
        sizes = dict(zip(self._jobs, found, strict=True))

        def drawn(picture: Picture) -> tuple[Picture, ...]:
            size = sizes[picture.file]
            if isinstance(size, DigitsError):
                self._note_missing(self._runs[picture.file])
                return ()
            return (replace(picture, width=size[0], height=size[1]),)

        return tuple(
            replace(
                section,
                blocks=tuple(
                    replace(block, pictures=tuple(one for picture in block.pictures for one in drawn(picture)))
                    for block in section.blocks
                ),
            )
            for section in sections
        )

    def _read(self, run: PastRun, name: str, preview: str) -> bytes | None:
        """Read the data of a figure or an explorer; note the run if it has a preview without data."""
        file = f"{FIGURE_DATA}/{name}.npz"
        if self._has_file(run, file):
            try:
                return read_artifact(self._store, run.id, file)
            except DigitsError:
                self._note_missing(run)
        elif self._has_file(run, preview):
            self._note_missing(run)
        return None

    def _note_missing(self, run: PastRun) -> None:
        self.missing[run.name] = run.command or f"digits {run.kind}"

    def _has_file(self, run: PastRun, file: str) -> bool:
        folder = str(PurePosixPath(file).parent)
        if (run.id, folder) not in self._listed:
            self._listed[run.id, folder] = artifact_names(self._store, run.id, None if folder == "." else folder)
        return file in self._listed[run.id, folder]

    def _add(self, content: bytes, name: str, caption: str, run_ids: Iterable[str], main: bool) -> tuple[Picture, ...]:
        file = self._free_path(PICTURES, name, ".png")
        preview = self._folder / PREVIEWS / f"{file.stem}.webp"
        file.touch()  # the next picture of this name has another
        picture, shown = (path.relative_to(self._folder).as_posix() for path in (file, preview))
        # In a repository the size of a main picture matters.
        self._jobs[picture] = PictureJob(content, file, preview, few_colors=main)
        return (Picture(picture, shown, caption, caption, tuple(dict.fromkeys(run_ids)), 0, 0, main),)

    def _free_path(self, folder: str, name: str, ending: str) -> Path:
        """Return a path that does not exist, of characters that are safe in file names and URLs."""
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
        paths = (self._folder / folder / f"{stem}{mark}{ending}" for mark in ("", *(f"-{n}" for n in range(2, 1000))))
        return next(path for path in paths if not path.exists())
