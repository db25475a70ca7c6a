"""Fixtures that every part of the tests shares."""

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from browser_pages import Reader
    from playwright.sync_api import Browser

    from experiments.reporting.picture_files import PictureJob
    from experiments.tracking import Store
    from experiments.workflows.train.run import TrainResult

# A busy machine makes single examples slow; pytest-timeout ends what hangs.
hypothesis.settings.register_profile("digits", deadline=None)
hypothesis.settings.load_profile("digits")


@pytest.fixture(scope="module", autouse=True)
def _memory() -> Iterator[None]:
    """Let go of the networks of a module, and spare what stays from being searched for garbage: it gets ever more."""
    yield
    if "keras" in sys.modules:
        from experiments.training import release_memory

        release_memory()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real data; tests that need it skip where it is absent."""
    configured = os.environ.get("DIGITS_DATA_DIR")
    if not configured:
        pytest.skip("the real MNIST and USPS are needed: set DIGITS_DATA_DIR to a folder with mnist/ and usps/")
    folder = Path(configured).resolve()
    if not (folder / "mnist").is_dir() or not (folder / "usps").is_dir():
        pytest.skip(f"no mnist/ and usps/ in DIGITS_DATA_DIR={configured}")
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tracking database with MLflow's tables and nothing else, to copy: making one takes seconds."""
    from mlflow import MlflowClient

    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture
def store_folder(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an empty tracking store, which this process and those it starts use."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    point_to(folder, monkeypatch)
    return folder


@pytest.fixture
def store(store_folder: Path) -> "Store":  # noqa: ARG001 - it sets the environment
    """Return an empty tracking store in a folder of its own."""
    from experiments.tracking import open_store

    return open_store()


@dataclass(frozen=True)
class Trained:
    """A store with networks trained on ``uci``."""

    store: "Store"
    results: "dict[str, TrainResult]"


@pytest.fixture(scope="session")
def _trained(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("trained")
        shutil.copy(empty_database, folder / "mlflow.db")
        point_to(folder, patch)
        from experiments.tracking import open_store
        from experiments.workflows.train.run import TrainOptions, train

        store = open_store()
        settings = {"epochs": 3, "batch_size": 32, "precision": "float32"}
        results = {name: train(store, TrainOptions(name, "uci", settings=settings)) for name in ("mlp_small", "lenet")}
    return Trained(store, results)


@pytest.fixture
def trained(_trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Return a store with `mlp_small` and `lenet`; tests may add runs to it and no models."""
    point_to(_trained.store.root, monkeypatch)
    return _trained


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures out: drawing them takes longer than what is tested."""
    monkeypatch.setattr("experiments.tracking.Run.log_figure", lambda *_: None)


@pytest.fixture
def no_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare no features of two domains: a map of them takes longer than what is tested."""
    from experiments.errors import UsageError

    def skip(_: object) -> None:
        raise UsageError("this test compares no features")

    monkeypatch.setattr("experiments.workflows.transfer.pipeline.compare_domains", skip)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Yield Chromium with WebGL in software."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no chromium on the path")
    software = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=software)
        yield opened
        opened.close()


@pytest.fixture
def reader(browser: "Browser") -> "Iterator[Reader]":
    """Yield what opens pages, and fail in the end if any of them found fault with anything."""
    from browser_pages import reading

    with reading(browser) as found:
        yield found


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, and what it printed on stdout and stderr."""

    code: int
    out: str
    err: str

    def value(self) -> Any:
        """Return the value that it printed, on one line, as JSON."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    def error(self, code: int = 2) -> str:
        """Return the one line that says why it failed."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert (self.code, self.out) == (code, ""), self.err
        assert len(errors) == 1, self.err
        assert self.err.endswith(f"{errors[0]}\n")
        assert "Traceback" not in self.err
        return errors[0]


Digits = Callable[..., Ended]


@pytest.fixture
def digits(capfd: pytest.CaptureFixture[str]) -> Digits:
    """Return a function that runs a command in this process."""

    def run(*words: str) -> Ended:
        from digits_cli.main import main

        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([word for text in words for word in text.split()])
        return Ended(int(end.value.code or 0), *capfd.readouterr())

    return run


def point_to(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make this process, and those it starts, keep their runs in `folder`."""
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        patch.delenv(name, raising=False)
    patch.setenv("DIGITS_HOME", str(folder))


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write blank pictures into reports instead of drawing them."""
    from PIL import Image

    def draw(job: "PictureJob") -> tuple[int, int]:
        for file in (job.picture, job.preview):
            Image.new("L", (40, 30)).save(file)
        return 40, 30

    monkeypatch.setattr("experiments.reporting.picture_files._draw", draw)
    monkeypatch.setattr("experiments.reporting.picture_files.FEW", 1000)
