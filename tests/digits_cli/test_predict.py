"""`digits predict`: what is printed and written, in which order, and what is refused."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Trained
from known_networks import halves, other_network, put_network
from picture_writer import put, stroke
from PIL import Image, ImageDraw

from digits_cli.main import main
from experiments.inference import Settings
from experiments.inference import reader as reader_module

KEYS = {"file", "digit", "probability", "probabilities", "is_digit", "score"}
Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay sevens, which the network of the package reads as 1, other pictures and no pictures into the folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reader_module, "BUNDLED", put_network(tmp_path, halves(0.3), "reader.onnx"))
    for name in ("seven.png", "scans/10.png", "scans/9.png", "scans/more/9.png"):
        put(tmp_path / name, stroke(thickness=10))
    draw_zeros(tmp_path / "two.png")
    put(tmp_path / "upside-down.png", 255 - stroke(thickness=12)[::-1])
    put(tmp_path / "blank.png", np.full((40, 40), 255, np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()


@pytest.fixture
def ran(capfd: pytest.CaptureFixture[str]) -> Ran:
    """Return a function that runs `digits predict` and returns its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["predict", *words])
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return int(end.value.code or 0), said.out, said.err

    return run


def draw_zeros(file: Path) -> None:
    """Draw two zeros, one a little higher than the other."""
    page = Image.new("L", (220, 130), 250)
    for box in ((30, 25, 80, 95), (130, 30, 180, 100)):
        ImageDraw.Draw(page).ellipse(box, outline=30, width=8)
    page.save(file)


def read(ran: Ran, *words: str) -> list[dict[str, Any]]:
    code, out, err = ran(*words, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    read: list[dict[str, Any]] = json.loads(out)
    return read


def table(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="") as opened:
        return [*csv.DictReader(opened)]


def test_json_has_the_fixed_keys_in_the_order_of_the_input(ran: Ran) -> None:
    found = read(ran, "upside-down.png", "blank.png", "scans", "*e[vn]*.png")
    assert [(one["file"], one["digit"]) for one in found] == [
        ("upside-down.png", 0),
        ("blank.png", None),
        ("scans/10.png", 1),
        ("scans/9.png", 1),
        ("scans/more/9.png", 1),
        ("seven.png", 1),
    ]
    for one in found:
        assert one.keys() == KEYS
        assert sum(one["probabilities"]) == pytest.approx(1)
        assert one["is_digit"] == (one["digit"] is not None)
    assert found[1]["score"] < min(found[0]["score"], found[2]["score"])


def test_the_table_has_the_three_likeliest_digits(ran: Ran) -> None:
    put_network(Path(), halves(settings=Settings(min_score=1e6)), "strict.onnx")
    code, out, _ = ran("seven.png", "blank.png", "--model", "strict.onnx")
    line, blank = (line for line in out.splitlines() if ".png" in line)
    assert code == 0
    assert [word for word in line.split() if word != "│"][:3] == ["seven.png", "1", "1"]
    assert line.count("%") == 3
    assert "hardly a digit" in line
    assert "no digit found" in blank


def test_rows(ran: Ran) -> None:
    (found,) = read(ran, "two.png", "--rows", "--length", "2")
    (row,) = found["rows"]
    assert found.keys() == {"file", "rows"}
    assert row.keys() == {"string", "probability", "digits"}
    assert row["string"] == "".join(str(one["digit"]) for one in row["digits"])
    assert [one.keys() for one in row["digits"]] == [{"digit", "probability", "box"}] * 2
    assert [len(one["box"]) for one in row["digits"]] == [4, 4]
    assert read(ran, "blank.png", "--rows") == [{"file": "blank.png", "rows": []}]


def test_uncertain_digits_become_question_marks(ran: Ran) -> None:
    (found,) = read(ran, "seven.png", "--reject-below", "1", "--csv", "out.csv")
    assert (found["digit"], found["rejected"]) == (1, True)
    assert [row["digit"] for row in table("out.csv")] == ["?"]
    (rows,) = read(ran, "two.png", "--rows", "--length", "2", "--reject-below", "1")
    assert rows["rows"][0]["string"] == "??"


def test_the_standard_input(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(Path("seven.png").read_bytes())))
    assert [(one["file"], one["digit"]) for one in read(ran, "blank.png", "-")] == [("blank.png", None), ("-", 1)]


def test_a_file_that_cannot_be_read_is_one_line_and_the_others_go_on(ran: Ran) -> None:
    code, out, err = ran("text.png", "seven.png", "nowhere.png", "--json", "--csv", "out.csv")
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 1
    assert [("text.png" in line, "nowhere.png" in line) for line in errors] == [(True, False), (False, True)]
    assert [one["file"] for one in json.loads(out)] == ["seven.png"]
    assert [(row["file"], row["digit"], bool(row["error"])) for row in table("out.csv")] == [
        ("text.png", "", True),
        ("seven.png", "1", False),
        ("nowhere.png", "", True),
    ]


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        ("", 2, "PICTURE"),
        ("empty", 2, "empty holds no pictures"),
        ("*.gif", 2, "match *.gif"),
        ("http://example.org/7.png", 2, "download it first"),
        ("seven.png --length 0", 2, "--length"),
        ("seven.png --length 5", 2, "--length needs --rows"),
        ("seven.png --reject-below 2", 2, "--reject-below"),
        ("seven.png --csv out.xls", 2, ".csv or .parquet"),
        ("seven.png --csv nowhere/out.csv", 1, "nowhere/out.csv cannot be written"),
        ("seven.png --explain text.png", 1, "text.png cannot be written"),
        ("seven.png --max-megapixels 0.001", 1, "megapixels"),
        ("seven.png --workers 2", 2, "--csv FILE"),
        ("seven.png --workers 0 --csv out.csv", 2, "--workers"),
        ("- --workers 1 --csv out.csv", 2, "files only"),
        ("seven.png --model nowhere.onnx", 1, "nowhere.onnx cannot be read"),
        ("seven.png --model text.onnx", 1, "text.onnx is no readable ONNX model"),
        ("seven.png --model other.onnx", 2, "other.onnx is no digit classifier"),
        ("seven.png --model text.png", 2, "there is no model 'text.png'"),
    ],
)
@pytest.mark.usefixtures("store_folder")
def test_what_cannot_be_done_is_one_line(ran: Ran, words: str, code: int, named: str, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    Path("text.onnx").write_text("no network")
    put_network(Path(), other_network((32, 32, 3)), "other.onnx")
    found, out, err = ran(*words.split())
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (found, len(errors), out) == (code, 1, ""), err
    assert named in errors[0]


def test_explanations_of_pictures_with_the_same_name_are_kept_apart(ran: Ran) -> None:
    read(ran, "scans/9.png", "scans/more/9.png", "blank.png", "--explain", "how")
    assert sorted(path.name for path in Path("how").iterdir()) == ["9-2.png", "9.png", "blank.png"]
    read(ran, "two.png", "blank.png", "--rows", "--explain", "rows")
    for path in (*Path("how").iterdir(), *Path("rows").iterdir()):
        with Image.open(path) as picture:
            assert min(picture.size) > 30


def test_a_trained_model_and_an_ensemble(ran: Ran, trained: Trained) -> None:
    found = [read(ran, "seven.png", *words.split()) for words in ("-m lenet", "-m reader", "-m lenet -m reader")]
    lenet, reader, both = (np.array(one[0]["probabilities"]) for one in found)
    np.testing.assert_allclose(both, (lenet + reader) / 2, atol=1e-6)
    assert trained.store.root != Path.cwd()


def test_an_onnx_file_is_for_predict_only(trained: Trained) -> None:  # noqa: ARG001 - it sets the environment
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "--model", "reader.onnx"])
    assert end.value.code == 2


def test_nothing_heavy_is_imported() -> None:
    code = """
import sys
from digits_cli.main import main
from experiments.inference import reader
from pathlib import Path
reader.BUNDLED = Path("reader.onnx")
try:
    main(["predict", "seven.png"])
except SystemExit as end:
    assert not end.code
print(*{name.partition(".")[0] for name in sys.modules}, "scipy.ndimage" in sys.modules, file=sys.stderr)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"tensorflow", "keras", "mlflow", "sklearn", "skimage", "pandas", "matplotlib", "optuna", "onnx", "pyarrow"}
    assert heavy & {*shown.stderr.split()} == set()
    assert shown.stderr.split()[-1] == "False"
    assert "seven.png" in shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_workers_fill_the_same_table(ran: Ran, suffix: str) -> None:
    words = ["scans", "text.png", "blank.png", "two.png"]
    assert ran(*words, "--csv", f"here.{suffix}")[0] == 1
    code, out, err = ran(*words, "--csv", f"there.{suffix}", "--workers", "2", "--json")
    assert (code, err.count("error: ")) == (1, 1)
    assert json.loads(out).items() >= {"file": f"there.{suffix}", "pictures": 6, "failed": 1}.items()
    assert Path(f"here.{suffix}").read_bytes() == Path(f"there.{suffix}").read_bytes()
    assert not [*Path().glob("*.part*")]
