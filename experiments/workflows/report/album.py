"""The files beside a report's page: what runs keep, copied, and what is drawn from their numbers."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from experiments import reporting
from experiments.reporting.report_content import Link, Passage, Picture
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import artifact_names, artifact_text, fetch_artifact

PICTURES, PAGES = "figures", "explorers"


class Album:
    """Fills a folder with pictures and pages. What a run does not keep is left out: its methods return nothing then."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._kept: dict[tuple[str, str], frozenset[str]] = {}
        for name in (PICTURES, PAGES):
            (folder / name).mkdir()

    def keeps(self, run: PastRun, file: str) -> bool:
        """Return whether a run keeps a file, by its path there."""
        folder = str(PurePosixPath(file).parent)
        if (run.id, folder) not in self._kept:
            listed = artifact_names(self._store, run.id, None if folder == "." else folder)
            self._kept[run.id, folder] = listed
        return file in self._kept[run.id, folder]

    def copied(self, run: PastRun, file: str, name: str, caption: str, main: bool = False) -> tuple[Picture, ...]:
        """Return a picture that a run keeps at ``figures/FILE.png``, copied here under `name`."""
        source = f"figures/{file}.png"
        if not self.keeps(run, source):
            return ()
        place = self._place(PICTURES, name, ".png")
        fetch_artifact(self._store, run.id, source, place)
        return (self._picture(place, caption, (run.id,), main),)

    def several(self, run: PastRun, name: str, captions: Mapping[str, str], main: bool = False) -> tuple[Picture, ...]:
        """Return pictures that a run keeps, by their names there; with `main` the first may stand for all."""
        first = next(iter(captions))
        return tuple(
            picture
            for file, caption in captions.items()
            for picture in self.copied(run, file, f"{name}-{file}", caption, main=main and file == first)
        )

    def drawn(
        self, figure: Any, name: str, caption: str, run_ids: tuple[str, ...], main: bool = False
    ) -> tuple[Picture, ...]:
        """Return a picture of a figure that was drawn from the numbers of runs."""
        place = self._place(PICTURES, name, ".png")
        reporting.save_picture(figure, place)
        return (self._picture(place, caption, run_ids, main),)

    def page(self, run: PastRun, file: str, name: str, text: str) -> tuple[Link, ...]:
        """Return a link to a page that a run keeps."""
        if not self.keeps(run, file):
            return ()
        place = self._place(PAGES, name, ".html")
        fetch_artifact(self._store, run.id, file, place)
        return (Link(place.relative_to(self._folder).as_posix(), text, run.id),)

    def words(self, run: PastRun, heading: str) -> tuple[Passage, ...]:
        """Return the discussion that a run keeps; tables in it are left to those of the report."""
        if not self.keeps(run, "discussion.md"):
            return ()
        blocks = artifact_text(self._store, run.id, "discussion.md").split("\n\n")
        prose = "\n\n".join(block for block in blocks if not block.startswith("|"))
        return (Passage(heading, prose, run.id),)

    def _place(self, folder: str, name: str, ending: str) -> Path:
        """Return a path that is not taken, of letters that every system and address takes."""
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
        places = (self._folder / folder / f"{stem}{mark}{ending}" for mark in ("", *(f"-{n}" for n in range(2, 1000))))
        return next(place for place in places if not place.exists())

    def _picture(self, place: Path, caption: str, run_ids: tuple[str, ...], main: bool) -> Picture:
        if main:  # it may be published, where all of them count
            reporting.reduce_colours(place)
        width, height = reporting.picture_size(place)
        return Picture(place.relative_to(self._folder).as_posix(), caption, caption, run_ids, width, height, main)
