"""Tables and progress, on a terminal and in a pipe."""

import io
from collections.abc import Callable

import pytest
import rich.console
from rich.text import Text

from digits_cli.console import Console
from digits_cli.progress_tree import duration, progress_tree
from experiments.execution.progress import StepState

HEADERS = ("name", "run", "folder", "what happened")
WORDS = ("mlp_small", "0123456789abcdef0123456789abcdef", "/home/someone/.cache/digits/mnist")
TEXT = "it was trained for as long as it took, and then for a little longer to be on the safe side"

Table = Callable[[int | None], list[str]]


@pytest.fixture
def table(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Table:
    """Return a function that gives the lines of a table in a pipe, or on a terminal of some width."""

    def lines(width: int | None) -> list[str]:
        if width:
            be_a_terminal(monkeypatch, width)
        with Console(as_json=False) as console:
            console.table("What there is", HEADERS, [(*WORDS, TEXT), ("cnn", "", "", "")])
        return Text.from_ansi(capfd.readouterr().out).plain.splitlines()

    return lines


def be_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)


def test_in_a_pipe_a_row_is_one_line(table: Table) -> None:
    (row,) = [line for line in table(None) if "mlp_small" in line]
    for cell in (*WORDS, TEXT):
        assert cell in row


@pytest.mark.parametrize("width", [115, 140, 190])
def test_on_a_narrow_terminal_lines_are_broken_between_words(table: Table, width: int) -> None:
    lines = table(width)
    assert max(map(len, lines)) <= width
    cells = "\n".join(lines).split()
    assert set(WORDS) <= set(cells)
    assert set(TEXT.split()) <= set(cells)


def test_where_words_must_be_broken_the_short_ones_are_whole(table: Table) -> None:
    lines = table(70)
    assert max(map(len, lines)) <= 70
    assert {"mlp_small", "cnn"} <= set("\n".join(lines).split())


def test_a_terminal_too_narrow_for_any_table_is_survived(table: Table) -> None:
    assert table(5)


def test_numbers_stand_to_the_right(capfd: pytest.CaptureFixture[str]) -> None:
    with Console(as_json=False) as console:
        console.table("Numbers", ("p", "n"), [("1e-12", "1,000"), ("0.5", "20")])
    rows = [line for line in capfd.readouterr().out.splitlines() if line.startswith("│")]
    assert rows == ["│ 1e-12 │ 1,000 │", "│   0.5 │    20 │"]


def test_a_bar_shows_no_share_of_an_unknown_whole(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    be_a_terminal(monkeypatch, 100)
    with Console(as_json=False) as console:
        console.stage("train lenet")
        console.advance(5, 10)
        console.stage("evaluate lenet")
    _, _, evaluated = capfd.readouterr().err.partition("evaluate lenet")
    assert "━" in evaluated
    assert "%" not in evaluated


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (99.4, "99 s"),
        (100, "2 min"),
        (150, "3 min"),
        (5939, "99 min"),
        (6000, "1 h 40 min"),
        (9900, "2 h 45 min"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_tree_is_open_where_something_happens() -> None:
    states = [
        StepState("tune mlp", "done", 480.0),
        StepState("train mlp", "done", 50.0),
        StepState("train lenet", "running", 70.0),
        StepState("train cnn", "waiting", None),
        StepState("analyze lenet", "waiting", 180.0),
        StepState("analyze cnn", "waiting", 300.0),
        StepState("report", "waiting", 20.0),
    ]
    console = rich.console.Console(width=100, record=True, file=io.StringIO())
    console.print(progress_tree("suite test", states, lines=100))
    shown = [line.strip("│├└─ ").rstrip() for line in console.export_text().splitlines()]
    assert shown == [
        "suite test: 2 of 7 steps, about 10 min left",
        "✓ tune mlp  8 min",
        "✓ train mlp  50 s",
        "▶ train lenet  about 70 s",
        "· train cnn",
        "· analyze: 0 of 2  about 8 min",
        "· report  about 20 s",
    ]


def test_on_a_low_terminal_the_running_step_and_the_bar_are_in_view(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    be_a_terminal(monkeypatch, 100)
    monkeypatch.setenv("LINES", "8")
    states = [StepState(f"train {i}", "done" if i < 9 else "waiting", 60.0) for i in range(20)]
    states[9] = StepState("train lenet", "running", 60.0)
    with Console(as_json=True) as console:
        console.steps("suite test", states)
        console.stage("the bar")
        console.advance(1, 2)
    last = Text.from_ansi(capfd.readouterr().err).plain.split("suite test: 9 of 20 steps")[-1]
    assert "train: 9 of 20  about 10 min" in last
    assert "▶ train lenet" in last
    assert "the bar" in last
    assert "train 8" not in last
