"""What holds for every figure: it can be read, says its title, leaves no trace elsewhere, and can be drawn again."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib
import numpy as np
import pytest
from examples import ARGUMENTS, CASES, LONG, SHORT, example
from figure_texts import texts, unreadable
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures import FIGURES


def test_every_figure_has_example_data() -> None:
    assert list(ARGUMENTS) == list(FIGURES)


def test_a_figure_is_the_function_of_its_name_in_a_module_of_its_name() -> None:
    for name, figure in FIGURES.items():
        assert (figure.__module__, figure.__name__) == (f"experiments.reporting.figures.{name}", name)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_described_in_one_sentence_without_its_parameters(figure: str) -> None:
    description = Drawing(figure, {}).description
    assert (FIGURES[figure].__doc__ or "").startswith("Draw ")
    assert re.fullmatch(r"[A-Z][^.`]{30,}\.", description), description
    assert [word for word in description.split() if len(word) == 1 and word not in "Aa%"] == []


def test_the_description_is_what_is_drawn() -> None:
    description = "The accuracy with each alignment as a line per network, labeled at its end."
    assert Drawing("alignment_ablation", {}).description == description


@dataclass(frozen=True)
class Drawn:
    """A figure, and the title it was given."""

    figure: Figure
    title: str


def pixels(figure: Figure) -> NDArray[np.uint8]:
    content = io.BytesIO()
    figure.savefig(content, format="raw")
    return np.frombuffer(content.getvalue(), np.uint8)


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    figure, name = request.param
    return figure, name


@pytest.fixture(scope="module", params=[SHORT, LONG], ids=["short title", "long title"])
def drawn(request: pytest.FixtureRequest, case: tuple[str, str]) -> Drawn:
    return Drawn(example(*case, request.param).draw(), request.param)


class TestFigure:
    def test_every_text_can_be_read(self, drawn: Drawn) -> None:
        assert unreadable(drawn.figure) == []

    def test_the_title_is_set_in_full_however_long(self, drawn: Drawn) -> None:
        written, given = (
            text.replace("\n", "").replace(" ", "") for text in (drawn.figure.get_suptitle(), drawn.title)
        )
        assert written.startswith(given)

    def test_no_text_is_smaller_than_eight_points(self, drawn: Drawn) -> None:
        assert min(float(text.get_fontsize()) for text in drawn.figure.findobj(Text) if text.get_text()) >= 8

    def test_without_data_it_says_so(self, case: tuple[str, str], drawn: Drawn) -> None:
        if case[1] == "no":
            assert len(drawn.figure.axes) == 1
            assert len(texts(drawn.figure)) == 1 + len(drawn.figure.get_suptitle().split("\n"))


def test_recorded_data_draw_the_same_figure(case: tuple[str, str]) -> None:
    drawing = example(*case, SHORT)
    again = Drawing.from_npz(drawing.to_npz())
    np.testing.assert_array_equal(pixels(again.draw()), pixels(drawing.draw()))


@pytest.fixture
def default_settings() -> Iterator[None]:
    matplotlib.use("agg")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@pytest.mark.usefixtures("default_settings")
@pytest.mark.parametrize("figure", ARGUMENTS)
def test_drawing_changes_no_setting_and_keeps_no_figure(figure: str) -> None:
    before = matplotlib.rcParams.copy()
    example(figure, next(iter(ARGUMENTS[figure])), SHORT).draw()
    assert matplotlib.rcParams == before
    assert pyplot.get_fignums() == []
