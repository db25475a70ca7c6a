"""What holds for every figure: it can be read, says its title, leaves no trace elsewhere, and can be drawn again."""

import io
import re
from collections.abc import Iterator

import matplotlib
import numpy as np
import pytest
from examples import ARGUMENTS, LONG, example
from figure_texts import TITLE, texts, unreadable
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures import FIGURES


def pixels(figure: Figure) -> NDArray[np.uint8]:
    content = io.BytesIO()
    figure.savefig(content, format="raw")
    return np.frombuffer(content.getvalue(), np.uint8)


@pytest.fixture
def default_settings() -> Iterator[None]:
    matplotlib.use("agg")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@pytest.mark.parametrize("figure", FIGURES)
class TestEveryFigure:
    def test_is_the_function_of_its_module_and_is_described_in_one_sentence(self, figure: str) -> None:
        function = FIGURES[figure]
        assert (function.__module__, function.__name__) == (f"experiments.reporting.figures.{figure}", figure)
        assert (function.__doc__ or "").startswith("Draw ")
        description = Drawing(figure, {}).description
        assert re.fullmatch(r"(?!Draw )[A-Z][^.`\n]{30,}\.", description), description
        assert [word for word in description.split() if len(word) == 1 and word not in "Aa%"] == []  # parameters

    @pytest.mark.usefixtures("default_settings")
    def test_changes_no_setting_and_is_drawn_again_from_its_record(self, figure: str) -> None:
        before, drawing = matplotlib.rcParams.copy(), example(figure, next(iter(ARGUMENTS[figure])), TITLE)
        drawn = drawing.draw()
        assert matplotlib.rcParams == before
        assert pyplot.get_fignums() == []
        assert drawn.get_suptitle().startswith(TITLE)
        assert unreadable(drawn) == []
        np.testing.assert_array_equal(pixels(Drawing.from_npz(drawing.to_npz()).draw()), pixels(drawn))

    def test_can_be_read_whatever_its_data_under_a_title_of_several_lines(self, figure: str) -> None:
        for case in ARGUMENTS[figure]:
            drawn = Drawing.from_npz(example(figure, case, LONG).to_npz()).draw()
            assert unreadable(drawn) == [], case
            assert min(float(text.get_fontsize()) for text in drawn.findobj(Text) if text.get_text()) >= 8, case
            written, given = (text.replace("\n", "").replace(" ", "") for text in (drawn.get_suptitle(), LONG))
            assert written.startswith(given), case
            if case == "no":  # without data it says so
                assert len(drawn.axes) == 1
                assert len(texts(drawn)) == 1 + len(drawn.get_suptitle().split("\n"))
