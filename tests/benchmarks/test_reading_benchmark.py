"""The benchmark of reading: its arithmetic, its adapters to made-up peers, and a small run of it."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from known_networks import halves, put_network
from picture_writer import put, stroke

from benchmarks import ocr_peers, picture_sets, reading, reading_cost
from benchmarks.ocr_peers import DigitsOnlyRapidOcr, NotInstalledError, RapidOcr, Tesseract, decode_greedily
from benchmarks.picture_sets import Example, PictureSet, folder_set, load_set
from benchmarks.readers import BareNetwork, Picture, own_readers
from benchmarks.reading_accuracy import interval, read_in_turns, report
from experiments import datasets
from experiments.errors import UsageError
from experiments.evaluation.intervals import wilson_interval
from experiments.inference import Reader

ROW = np.full((8, 8, 3), 255, np.uint8)


class FakePeer:
    """Reads the same text in every picture, and notes when."""

    needs_28x28 = False
    version = "1"
    size = 2_000_000

    def __init__(self, name: str, text: str, uses_length: bool = False) -> None:
        self.name, self.text, self.uses_length = name, text, uses_length
        self.order: list[str] = []

    def read_digit(self, picture: Picture) -> str:  # noqa: ARG002
        self.order.append(self.name)
        return self.text

    def read_rows(self, picture: Picture, length: int | None) -> str:
        return self.read_digit(picture) * (length or 1)


def examples(*truths: str) -> Any:
    return lambda: (Example(str(i), ROW, truth, i) for i, truth in enumerate(truths))


@pytest.fixture
def _small_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the 8x8 digits of scikit-learn stand for all datasets."""
    load = datasets.load
    monkeypatch.setattr(datasets, "load", lambda _: load("uci"))


def test_probabilities_of_ctc_are_decoded_greedily() -> None:
    def decode(*classes: int) -> str:
        return decode_greedily(np.eye(11)[list(classes)])

    assert decode(0, 0) == ""
    assert decode(8, 8, 8) == "7"
    assert decode(0, 2, 2, 0, 2, 3, 0) == "112"


def test_pictures_of_the_same_origin_count_for_less() -> None:
    right = [True, True, True, False] * 10
    assert interval(right, range(40)) == wilson_interval(30, 40)
    pairs = [one for one in right for _ in range(2)]
    low, high = interval(pairs, [i // 2 for i in range(80)])
    alone = wilson_interval(30, 40)
    assert (low, high) == pytest.approx(alone, abs=0.01)
    assert interval([True] * 6, [0, 0, 0, 1, 1, 1]) == wilson_interval(2, 2)
    assert interval([True, False], [0, 0]) == wilson_interval(0.5, 1)


def test_readers_take_turns_and_the_first_picture_is_read_once_more() -> None:
    first, second = FakePeer("a", "7"), FakePeer("b", "1")
    second.order = first.order
    found = read_in_turns(PictureSet("few", examples("7", "1", "7")), [first, second])
    assert first.order == ["a", "b"] * 4
    assert found["a"].accuracy == pytest.approx(2 / 3)
    assert (found["a"].mistakes, len(found["b"].seconds)) == ([("1", "1", "7")], 3)


def test_the_length_of_rows_is_for_readers_that_use_it() -> None:
    rows = PictureSet("rows-5", examples("77777"), rows=True, length=5)
    peer, ours = FakePeer("peer", "7"), FakePeer("ours", "7", uses_length=True)
    assert [rows.suits(one) for one in (peer, ours)] == [False, True]
    assert read_in_turns(rows, [ours])["ours"].right == [True]


def test_the_report_holds_the_first_network_against_what_is_expected() -> None:
    readers = [FakePeer("ours", "7"), FakePeer("ours, no preparation", "7"), FakePeer("peer", "1")]
    found = {
        "mnist": read_in_turns(PictureSet("mnist", examples("7", "7")), readers),
        "rows": read_in_turns(PictureSet("rows", examples("7", "1"), rows=True), readers[::2]),
    }
    made = report(found, readers)
    assert [(one.text, one.met) for one in made.findings] == [
        ("ours, no preparation on mnist: 100.00%", True),
        ("ours on rows: 50.00%", False),
    ]
    assert [row[:3] for row in made.rows] == [
        ("mnist, n = 2", "ours", "100.00%"),
        ("", "ours, no preparation", "100.00%"),
        ("", "peer", "0.00%"),
        ("rows, n = 2", "ours", "50.00%"),
        ("", "peer", "50.00%"),
    ]
    assert made.rows[0][-1] == "2.00"


@pytest.mark.usefixtures("_small_data")
def test_sets_are_samples_whose_truth_is_known(tmp_path: Path) -> None:
    sizes = {"mnist": 15, "usps": 15, "mnist-c": 15, "rows": 4, "rows-5": 4}
    sets = {name: load_set(name, sizes[name]) for name in picture_sets.SETS}
    made = {name: list(one.examples()) for name, one in sets.items()}
    assert {name: len(some) for name, some in made.items()} == sizes
    assert all(len(one.truth) == (5 if sets[name].rows else 1) for name, some in made.items() for one in some)
    assert len({one.origin for one in made["mnist-c"]}) == 15  # different digits for each corruption
    again = list(sets["rows"].examples())
    assert [one.truth for one in made["rows-5"]] == [one.truth for one in again]
    np.testing.assert_array_equal(again[3].picture, made["rows"][3].picture)
    test = datasets.load("uci").test
    everything = list(load_set("usps", None).examples())
    assert [one.truth for one in everything] == [str(label) for label in test.labels]
    bare = BareNetwork("small", put_network(tmp_path))
    logits = test.as_float().reshape(len(test), -1)
    upper, lower = logits[:, :392].sum(axis=1), logits[:, 392:].sum(axis=1)
    assert [bare.read_digit(one.picture) for one in everything[:50]] == [
        "1" if one else "0" for one in (upper > lower)[:50]
    ]


def test_a_folder_is_a_set_without_the_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    for digit in (3, 7):
        put(tmp_path / str(digit) / "one.png", stroke())
    (tmp_path / "3" / "no.png").write_text("nothing")
    said: list[str] = []
    found = list(folder_set(str(tmp_path), None, said.append).examples())
    assert [(one.truth, one.picture.shape) for one in found] == [("3", (80, 60, 3)), ("7", (80, 60, 3))]
    assert len(said) == 1
    assert "no.png" in said[0]
    assert len(list(folder_set(str(tmp_path), 1, said.append).examples())) <= 1
    with pytest.raises(UsageError, match="0/ to 9/"):
        folder_set(str(tmp_path / "3"), None, said.append)


class FakeRapidOcr:
    """Detects nothing, and recognizes what its recognizer's probabilities say."""

    steps = np.zeros((1, 3, 13), np.float32)

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.pictures: list[Picture] = []
        characters = ["blank", *"0123456789", "O", "."]

        def decode(predictions: Any) -> Any:
            return "".join(characters[one] for one in predictions[0].argmax(axis=1) if one)

        decode.character = characters  # type: ignore[attr-defined]
        weights = SimpleNamespace(_model_path=__file__)
        session = SimpleNamespace(session=weights)
        self.text_det = self.text_cls = None
        self.text_rec = SimpleNamespace(session=session, postprocess_op=decode)

    def __call__(self, picture: Picture) -> Any:
        self.pictures.append(picture)
        return SimpleNamespace(txts=(self.text_rec.postprocess_op(self.steps),))


@pytest.fixture
def _fake_rapidocr(monkeypatch: pytest.MonkeyPatch) -> None:
    package, cv2 = ModuleType("rapidocr"), ModuleType("cv2")
    package.RapidOCR = FakeRapidOcr  # type: ignore[attr-defined]
    cv2.setNumThreads = lambda _: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rapidocr", package)
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    monkeypatch.setattr(ocr_peers, "version", lambda _: "3")


@pytest.mark.usefixtures("_fake_rapidocr")
def test_rapidocr_is_asked_as_it_is_and_for_digits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = np.zeros((1, 3, 13), np.float32)
    steps[0, 0, [11, 1]] = 0.6, 0.3  # an O, or a zero
    steps[0, 1, [12, 0]] = 0.6, 0.4  # a point
    steps[0, 2, [8, 0]] = 0.7, 0.2  # a seven
    monkeypatch.setattr(FakeRapidOcr, "steps", steps)
    shipped, restricted = RapidOcr("shipped", {}), DigitsOnlyRapidOcr("restricted")
    assert (shipped.read_digit(ROW), shipped.read_rows(ROW, None)) == ("7", "7")
    assert restricted.read_rows(ROW, None) == "07"
    assert restricted.read_digit(ROW) == "7"  # the likelier of the two
    assert shipped.size == Path(__file__).stat().st_size
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    shipped.read_digit(red)
    assert shipped._engine.pictures[-1][0, 0].tolist() == [0, 0, 255]


def test_peers_that_are_not_installed_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(NotInstalledError, match="pip install 'rapidocr"):
        RapidOcr("rapidocr", {})
    with pytest.raises(NotInstalledError, match="apt-get install"):
        Tesseract()


def test_networks_have_short_names_unless_they_are_the_same(tmp_path: Path) -> None:
    one, other = (put_network(tmp_path, name=name) for name in ("one.onnx", "other.onnx"))
    assert [reader.name for reader in own_readers([str(one), str(other)])][::2] == ["one", "other"]
    (tmp_path / "more").mkdir()
    twin = put_network(tmp_path / "more", name="one.onnx")
    assert [reader.name for reader in own_readers([str(one), str(twin)])][::2] == [str(one), str(twin)]


@pytest.mark.usefixtures("_small_data")
def test_a_small_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def absent() -> Any:
        raise NotInstalledError("install it")

    monkeypatch.setattr(reading, "PEERS", {"tesseract": lambda: FakePeer("tesseract", "7"), "rapidocr": absent})
    put(tmp_path / "own" / "7" / "one.png", stroke())
    file = put_network(tmp_path, halves())
    words = f"--model {file} --peers tesseract rapidocr --sets mnist rows-5 --limit 3 --only accuracy".split()
    reading.main([*words, "--folder", str(tmp_path / "own"), "--json", str(tmp_path / "kept.json")])
    printed = capsys.readouterr()
    assert "rapidocr is left out: install it" in printed.err
    assert "small, no preparation" in printed.out
    kept = json.loads((tmp_path / "kept.json").read_text())["accuracy"]
    assert kept["readers"]["small"]["bytes"] == file.stat().st_size
    own = kept["sets"][str(tmp_path / "own")]
    assert own.keys() == {"small", "tesseract"}
    assert own["tesseract"]["accuracy"] == 1.0
    assert own["small"]["mistakes"][0][2] == str(Reader(file).read(tmp_path / "own" / "7" / "one.png").digit)
    assert {name: one["n"] for name, one in kept["sets"]["mnist"].items()} == {
        "small": 3, "small, no preparation": 3, "tesseract": 3
    }  # fmt: skip
    assert kept["sets"]["rows-5"].keys() == {"small"}


@pytest.mark.usefixtures("_small_data")
def test_costs_are_measured_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def seconds(command: list[str]) -> float:
        ran.append(command)
        return 0.5 if "predict" in command else 4.0

    monkeypatch.setattr(reading_cost, "_seconds", seconds)
    made = reading_cost.startup("mine.onnx", rounds=2)
    assert ["predict" in command for command in ran] == [True, False] * 3
    assert ran[0][-2:] == ["--model", "mine.onnx"]
    assert (made.findings[0].met, "0.125" in made.findings[0].text) == (True, True)
    readers = own_readers([str(put_network(tmp_path))])
    made = reading_cost.latency([*readers, FakePeer("rapidocr-digits", "7")], pictures=2)
    assert [row[0] for row in made.rows] == ["small", "rapidocr-digits"]
    assert len(made.numbers["seconds"]["small"]) == 2
    assert reading_cost.drawing(0, (40, 20)).shape == (20, 40, 3)


def test_a_network_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"benchmarks/reading.py: .*none\.onnx"):
        reading.main(["--model", str(tmp_path / "none.onnx"), "--peers", "--sets"])
