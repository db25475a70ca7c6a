"""Show a dataset: sample images and class distribution, written to files and tracked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments import datasets, reporting, results, tracking
from experiments.datasets import CLASSES, Dataset
from experiments.execution.progress import Progress
from experiments.reporting.picture_files import render, save_picture
from experiments.results import Result
from experiments.tracking import Store
from experiments.tracking.tags import subject_tags

SAMPLES = 25


@dataclass(frozen=True)
class ShowResult:
    """The dataset, the number of images of each class by split, and the files written."""

    run_id: str
    dataset: str
    digest: str
    transform: str
    counts: Mapping[str, tuple[int, ...]]
    files: tuple[str, ...]


def show(
    store: Store, name: str, output: Path, data_dir: Path | None = None, progress: Progress | None = None
) -> ShowResult:
    """Draw a 5x5 grid of training images and the class distribution, write both to `output` and log them.

    Parameters
    ----------
    name, data_dir
        As for `experiments.datasets.load`.
    output
        Folder for the two PNG files; created if it does not exist.

    Raises
    ------
    DigitsError
        If the data is missing or malformed.
    """
    progress = progress or Progress()
    progress.stage(f"show {name}")
    data = datasets.load(name, data_dir, progress.download)
    counts = {
        split: np.bincount(digits.labels, minlength=CLASSES)
        for split, digits in (("train", data.train), ("test", data.test))
    }
    drawings = reporting.dataset_drawings(data.name, datasets.sample(data.train, SAMPLES), counts)
    output.mkdir(parents=True, exist_ok=True)
    tags = subject_tags(dataset=data.name, digest=data.digest)
    with tracking.open_run(store, "data", f"show {data.name}", tags=tags) as run:
        run.describe(_description(data))
        run.log_params({"dataset": data.name, "transform": data.transform})
        run.log_dataset(data.name, data.source, data.digest, "show", len(data.train) + len(data.test))
        run.log_results(
            results.to_table(
                Result("images", int(n), target=data.name, split=split, group=str(digit))
                for split, numbers in counts.items()
                for digit, n in enumerate(numbers)
            )
        )
        for figure, drawing in drawings.items():
            save_picture(render(drawing.draw()), output / f"{figure}.png")
            run.log_figure(drawing, figure)
    files = tuple(str(output / f"{name}.png") for name in drawings)
    split_counts = {split: tuple(numbers.tolist()) for split, numbers in counts.items()}
    return ShowResult(run.id, data.name, data.digest, data.transform, split_counts, files)


def _description(data: Dataset) -> str:
    return (
        f"**{data.name}**: {len(data.train):,} training and {len(data.test):,} test digits from `{data.source}`, "
        f"brought to 28x28 by: {data.transform}. Digest `{data.digest}`."
    )
