"""Cost of reading a picture: the whole process, the reading alone, and memory."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from PIL import Image

from benchmarks.measures import ratio, spread
from benchmarks.memory import peak_memory
from benchmarks.picture_sets import Example, PictureSet
from benchmarks.project import temporary_project
from benchmarks.readers import DigitReader, Picture
from benchmarks.reading_accuracy import read_in_turns
from benchmarks.report import Finding, Report
from experiments import datasets

ROOT = Path(__file__).parents[1]
SIDE = 280
SIZE_40_MEGAPIXELS = (7304, 5478)
RATIO = 1 / 4
MILLISECONDS = 2.5
MEMORY = 600e6
PEER = "rapidocr-digits"
LATENCY_PICTURES = 50


def startup(network: str | None, rounds: int) -> Report:
    """Time `digits predict photo.png` and the import of MLflow, whole processes in turns."""
    with _picture_files() as files:
        commands = {
            "digits predict photo.png": predict_command(files["photo.png"], network),
            'python -c "import mlflow"': [sys.executable, "-c", "import mlflow"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 1):  # the first round fills the file caches and does not count
            for name, command in commands.items():
                taken = _seconds(command)
                if number:
                    seconds[name].append(taken)
    ours, mlflow = seconds.values()
    found = ratio(ours, mlflow)
    return Report(
        title=f"Whole processes, {rounds} rounds in turns",
        headers=("command", "seconds"),
        rows=tuple((name, f"{spread(values):.2f}") for name, values in seconds.items()),
        findings=(
            Finding(f"digits predict takes {found:.3f} of the import of MLflow", "at most 1/4", found.median <= RATIO),
        ),
        numbers={"seconds": seconds},
    )


def latency(readers: Sequence[DigitReader], pictures: int = LATENCY_PICTURES) -> Report:
    """Time pictures of 280x280 on one thread, from the pixels to the digit."""
    examples = [Example(str(i), drawing(i), "", i) for i in range(pictures)]
    drawings = PictureSet("280x280", lambda: iter(examples))
    found = read_in_turns(drawings, [reader for reader in readers if drawings.suits(reader)])
    seconds = {name: one.seconds for name, one in found.items()}
    ours = readers[0].name
    milliseconds = 1000 * median(seconds[ours])
    findings = [
        Finding(f"{ours} takes {milliseconds:.2f} ms", f"at most {MILLISECONDS} ms", milliseconds <= MILLISECONDS)
    ]
    if PEER in seconds:
        faster = ratio(seconds[PEER], seconds[ours])
        findings.append(Finding(f"it is {faster:.1f}x faster than {PEER}", "faster", faster.median > 1))
    return Report(
        title=f"One picture of {SIDE}x{SIDE} on one thread, preparation and network, {pictures} pictures in turns",
        headers=("reader", "ms"),
        rows=tuple((name, f"{spread([1000 * one for one in values]):.2f}") for name, values in seconds.items()),
        findings=tuple(findings),
        numbers={"seconds": seconds},
    )


def memory(network: str | None) -> Report:
    """Measure the peak memory of `digits predict` on pictures of 40 megapixels."""
    with _picture_files(SIZE_40_MEGAPIXELS, ("photo.jpg", "photo.png")) as files:
        peaks = {name: peak_memory(predict_command(file, network)) for name, file in files.items()}
    return Report(
        title=f"Memory of digits predict on {' x '.join(map(str, SIZE_40_MEGAPIXELS))} pixels",
        headers=("picture", "peak resident memory"),
        rows=tuple((name, f"{peak / 1e6:.0f} MB") for name, peak in peaks.items()),
        findings=tuple(
            Finding(f"{name} needs {peak / 1e6:.0f} MB", f"less than {MEMORY / 1e6:.0f} MB", peak < MEMORY)
            for name, peak in peaks.items()
        ),
        numbers={"peak_bytes": peaks},
    )


def predict_command(picture: Path, network: str | None) -> list[str]:
    """Return the command that reads a picture, with another network than the package's if one is named."""
    options = [] if network is None else ["--model", network]
    return [sys.executable, "-m", "digits_cli", "predict", str(picture), *options]


def drawing(index: int, size: tuple[int, int] = (SIDE, SIDE)) -> Picture:
    """Return a test digit of MNIST in the middle of a picture of a width and height, dark on light paper."""
    image = datasets.load("mnist").test.images[index]
    side = min(size)
    ink = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    page = Image.new("L", size)
    page.paste(ink, ((size[0] - side) // 2, (size[1] - side) // 2))
    return np.repeat(235 - (np.asarray(page)[..., None] * 0.8).astype(np.uint8), 3, axis=2)


@contextmanager
def _picture_files(
    size: tuple[int, int] = (SIDE, SIDE), names: Sequence[str] = ("photo.png",)
) -> Iterator[dict[str, Path]]:
    """Write a picture to files of several formats, which are removed at the end."""
    with TemporaryDirectory() as folder:
        picture = Image.fromarray(drawing(0, size))
        for name in names:
            picture.save(Path(folder, name))
        yield {name: Path(folder, name) for name in names}


def _seconds(command: list[str]) -> float:
    """Run a command in an empty project and return the seconds of its process."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with temporary_project():
        environment = {**os.environ, "PYTHONPATH": paths}
        start = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        return perf_counter() - start
