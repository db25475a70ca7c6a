"""What holds for every figure: it can be read, says its title, and leaves no trace elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
import numpy as np
import pytest
from figure_texts import unreadable
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text
from random_predictions import history, random_predictions

from experiments.evaluation import calibration, compare, measure, misclassified
from experiments.models import MODELS
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.learning_curves import learning_curves
from experiments.reporting.figures.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.figures.reliability_diagram import reliability_diagram
from experiments.reporting.figures.samples import class_distribution, sample_grid
from experiments.reporting.figures.trade_off import NetworkCost, trade_off
from experiments.reporting.figures.training_curves import training_curves

SHORT = "mnist-lenet v3 on mnist test"
LONG = " on ".join(["models:/a-folder-of-my-own-digits-with-a-very-long-name-alexnet227@champion"] * 2)

GOOD, BAD = random_predictions(400, mistakes=3), random_predictions(400, mistakes=350)
CONFUSIONS = {one: measure(one.labels, one.probabilities).confusion for one in (GOOD, BAD)}
COMPARISON = compare(GOOD.labels, {name: one.probabilities for name, one in (("cnn", GOOD), (LONG, BAD))})
COSTS = {
    name: NetworkCost(10.0 ** (4 + i % 4) * (1 + i / 9), 0.98 + 0.0015 * i, 0.977 + 0.0015 * i, 0.983 + 0.0015 * i)
    for i, name in enumerate(MODELS)
}
CURVES = {name: {epoch: 0.99 - 0.1 / epoch + 0.0002 * i for epoch in range(1, 6)} for i, name in enumerate(COSTS)}
COUNTS = {name: np.full(10, 10**power) for power, name in enumerate(("train", "validation", "test"), start=3)}


def gallery(title: str, mistakes: int) -> Figure:
    order = misclassified(BAD.labels, BAD.probabilities)[:mistakes]
    return misclassified_gallery(BAD.images, BAD.labels, BAD.probabilities, order, title)


FIGURES: dict[str, Callable[[str], Figure]] = {
    "one epoch": lambda title: training_curves(history(1), title),
    "forty epochs": lambda title: training_curves(history(40), title),
    "few mistakes": lambda title: confusion_heatmap(CONFUSIONS[GOOD], False, title),
    "many mistakes": lambda title: confusion_heatmap(CONFUSIONS[BAD], False, title),
    "many mistakes in percent": lambda title: confusion_heatmap(CONFUSIONS[BAD], True, title),
    "large counts": lambda title: confusion_heatmap(np.full((10, 10), 99_999), False, title),
    "predictions": lambda title: prediction_grid(BAD.images, BAD.labels, BAD.probabilities, title),
    "gallery": lambda title: gallery(title, mistakes=10),
    "gallery of one": lambda title: gallery(title, mistakes=1),
    "empty gallery": lambda title: gallery(title, mistakes=0),
    "reliability": lambda title: reliability_diagram(calibration(BAD.labels, BAD.probabilities), title),
    "comparison": lambda title: model_comparison(COMPARISON, title),
    "trade-off": lambda title: trade_off(COSTS, "parameters", title),
    "trade-off of one": lambda title: trade_off({"cnn": COSTS["cnn"]}, "training time in seconds", title),
    "learning": lambda title: learning_curves(CURVES, title),
    "learning of one epoch": lambda title: learning_curves({"cnn": {1: 0.9}, LONG[:30]: {1: 1.0}}, title),
    "samples": lambda title: sample_grid(BAD.images, BAD.labels, title),
    "no samples": lambda title: sample_grid(BAD.images[:0], BAD.labels[:0], title),
    "classes": lambda title: class_distribution(COUNTS, title),
}


@dataclass(frozen=True)
class Drawn:
    """A figure, and the title it was given."""

    figure: Figure
    title: str


@pytest.fixture(scope="module", params=[SHORT, LONG], ids=["short title", "long title"])
def title(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=FIGURES)
def drawn(request: pytest.FixtureRequest, title: str) -> Drawn:
    return Drawn(FIGURES[request.param](title), title)


def test_every_text_can_be_read(drawn: Drawn) -> None:
    assert unreadable(drawn.figure) == []


def test_the_title_is_set_in_full_however_long(drawn: Drawn) -> None:
    said, given = (text.replace("\n", "").replace(" ", "") for text in (drawn.figure.get_suptitle(), drawn.title))
    assert said.startswith(given)


def test_no_text_is_smaller_than_eight_points(drawn: Drawn) -> None:
    assert min(float(text.get_fontsize()) for text in drawn.figure.findobj(Text) if text.get_text()) >= 8


@pytest.mark.parametrize("name", ["classes", "empty gallery"])
def test_drawing_changes_no_setting_and_keeps_no_figure(name: str) -> None:
    matplotlib.use("agg")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        before = matplotlib.rcParams.copy()
        FIGURES[name](SHORT)
        assert matplotlib.rcParams == before
    assert pyplot.get_fignums() == []
