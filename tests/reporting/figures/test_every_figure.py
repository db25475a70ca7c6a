"""What holds for every figure: it can be read, says its title, leaves no trace elsewhere, and can be drawn again."""

import io
import re
from collections.abc import Iterator

import matplotlib
import numpy as np
import pytest
from examples import ARGUMENTS, CASES, LONG, example
from figure_texts import TITLE, texts, unreadable
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures import FIGURES


def test_every_figure_has_example_data() -> None:
    assert list(ARGUMENTS) == list(FIGURES)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_the_function_of_its_module_and_described_in_one_sentence(figure: str) -> None:
    assert FIGURES[figure].__module__ == f"experiments.reporting.figures.{figure}"
    assert FIGURES[figure].__name__ == figure
    assert (FIGURES[figure].__doc__ or "").startswith("Draw ")
    description = Drawing(figure, {}).description
    assert re.fullmatch(r"(?!Draw )[A-Z][^.`\n]{30,}\.", description), description
    assert [word for word in description.split() if len(word) == 1 and word not in "Aa%"] == []  # parameters


def pixels(figure: Figure) -> NDArray[np.uint8]:
    content = io.BytesIO()
    figure.savefig(content, format="raw")
    return np.frombuffer(content.getvalue(), np.uint8)


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    figure, name = request.param
    return figure, name


@pytest.fixture(scope="module")
def drawn(case: tuple[str, str]) -> Figure:
    """Return a figure drawn from its record, with a title of several lines."""
    return Drawing.from_npz(example(*case, LONG).to_npz()).draw()


class TestRecordedFigure:
    def test_every_text_can_be_read(self, drawn: Figure) -> None:
        assert unreadable(drawn) == []
        assert min(float(text.get_fontsize()) for text in drawn.findobj(Text) if text.get_text()) >= 8

    def test_the_title_is_complete(self, drawn: Figure) -> None:
        written, given = (text.replace("\n", "").replace(" ", "") for text in (drawn.get_suptitle(), LONG))
        assert written.startswith(given)

    def test_without_data_it_says_so(self, case: tuple[str, str], drawn: Figure) -> None:
        if case[1] == "no":
            assert len(drawn.axes) == 1
            assert len(texts(drawn)) == 1 + len(drawn.get_suptitle().split("\n"))


@pytest.fixture
def default_settings() -> Iterator[None]:
    matplotlib.use("agg")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@pytest.mark.usefixtures("default_settings")
@pytest.mark.parametrize("figure", ARGUMENTS)
def test_drawing_changes_no_setting_and_the_record_draws_the_same_figure(figure: str) -> None:
    before, drawing = matplotlib.rcParams.copy(), example(figure, next(iter(ARGUMENTS[figure])), TITLE)
    drawn = drawing.draw()
    assert matplotlib.rcParams == before
    assert pyplot.get_fignums() == []
    assert drawn.get_suptitle().startswith(TITLE)
    assert unreadable(drawn) == []
    np.testing.assert_array_equal(pixels(Drawing.from_npz(drawing.to_npz()).draw()), pixels(drawn))
