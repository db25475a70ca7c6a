"""The files next to the report's page: copies of what runs recorded, and figures drawn from their numbers."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from experiments.reporting.figure_parts.image_files import picture_size, reduce_colors, save_picture
from experiments.reporting.page.content import Link, Passage, Picture
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import artifact_names, artifact_text, fetch_artifact

PICTURES, PAGES = "figures", "explorers"


class ReportAssets:
    """Writes pictures and pages to a folder. Methods return an empty tuple for a file that the run did not record."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._listed: dict[tuple[str, str], frozenset[str]] = {}
        for name in (PICTURES, PAGES):
            (folder / name).mkdir()

    def has(self, run: PastRun, file: str) -> bool:
        """Return whether a run recorded a file, by its path there."""
        folder = str(PurePosixPath(file).parent)
        if (run.id, folder) not in self._listed:
            listed = artifact_names(self._store, run.id, None if folder == "." else folder)
            self._listed[run.id, folder] = listed
        return file in self._listed[run.id, folder]

    def copy_picture(self, run: PastRun, file: str, name: str, caption: str, main: bool = False) -> tuple[Picture, ...]:
        """Copy the picture ``figures/FILE.png`` of a run to `name`."""
        source = f"figures/{file}.png"
        if not self.has(run, source):
            return ()
        target = self._free_path(PICTURES, name, ".png")
        fetch_artifact(self._store, run.id, source, target)
        return (self._picture(target, caption, (run.id,), main),)

    def copy_pictures(
        self, run: PastRun, name: str, captions: Mapping[str, str], main: bool = False
    ) -> tuple[Picture, ...]:
        """Copy pictures of a run, given their captions by file name; `main` refers to the first."""
        first = next(iter(captions))
        return tuple(
            picture
            for file, caption in captions.items()
            for picture in self.copy_picture(run, file, f"{name}-{file}", caption, main=main and file == first)
        )

    def save_figure(
        self, figure: Any, name: str, caption: str, run_ids: tuple[str, ...], main: bool = False
    ) -> tuple[Picture, ...]:
        """Save a figure that was drawn from the numbers of runs."""
        target = self._free_path(PICTURES, name, ".png")
        save_picture(figure, target)
        return (self._picture(target, caption, run_ids, main),)

    def copy_page(self, run: PastRun, file: str, name: str, text: str) -> tuple[Link, ...]:
        """Copy a page of a run and return a link to it."""
        if not self.has(run, file):
            return ()
        target = self._free_path(PAGES, name, ".html")
        fetch_artifact(self._store, run.id, file, target)
        return (Link(target.relative_to(self._folder).as_posix(), text, run.id),)

    def discussion(self, run: PastRun, heading: str) -> tuple[Passage, ...]:
        """Return the discussion that a run recorded, without its tables: the report has its own."""
        if not self.has(run, "discussion.md"):
            return ()
        blocks = artifact_text(self._store, run.id, "discussion.md").split("\n\n")
        prose = "\n\n".join(block for block in blocks if not block.startswith("|"))
        return (Passage(heading, prose, run.id),)

    def _free_path(self, folder: str, name: str, ending: str) -> Path:
        """Return a path that does not exist, of characters that are safe in file names and URLs."""
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
        paths = (self._folder / folder / f"{stem}{mark}{ending}" for mark in ("", *(f"-{n}" for n in range(2, 1000))))
        return next(path for path in paths if not path.exists())

    def _picture(self, path: Path, caption: str, run_ids: tuple[str, ...], main: bool) -> Picture:
        if main:  # it may be published in a repository, where its size matters
            reduce_colors(path)
        width, height = picture_size(path)
        return Picture(path.relative_to(self._folder).as_posix(), caption, caption, run_ids, width, height, main)
