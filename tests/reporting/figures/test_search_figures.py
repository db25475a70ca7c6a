import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import optuna
import pytest
from figure_texts import texts, unreadable
from matplotlib.figure import Figure

from experiments.models.space import Choices, Floats, Integers, Range, Space, Value
from experiments.reporting.recorded.search import search_drawings
from experiments.reporting.search.importance import importance
from experiments.reporting.search.page import search_page
from experiments.tuning import Trial

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ["history", "importances", "parallel_coordinates", "slice", "contour"]
TITLE = "mnist-mlp: 30 trials"
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}


def drawn(values: Range, random: np.random.Generator) -> Value:
    if isinstance(values, Integers):
        return int(random.choice(np.arange(values.low, values.high + 1, values.step)))
    if isinstance(values, Floats) and values.step:
        return float(values.low + values.step * random.integers(round((values.high - values.low) / values.step) + 1))
    if isinstance(values, Floats):
        return float(values.low * (values.high / values.low) ** random.random())
    return values.values[random.integers(len(values.values))]


def place(value: Value, values: Range) -> float:
    """Return where in its range a value lies, from 0 to 1."""
    low, *_, high = (*values.grid(), max(values.grid()))
    return float((value - low) / ((high - low) or 1))


def many(count: int, space: Space = SPACE, seed: int = 0) -> list[Trial]:
    """Return complete trials of which all turned on the first setting and, less so, on the second."""
    random = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        params = {name: drawn(values, random) for name, values in space.items()}
        first, *others = (place(params[name], values) for name, values in space.items())
        value = 0.95 - (first - 0.5) ** 2 / 10 - sum(others[:1]) / 100
        curve = [value - 0.02, value - 0.01, value]
        trials.append(Trial(number, "complete", params, value=value, curve=curve, seconds=1.0))
    return trials


def mixed(count: int) -> list[Trial]:
    """Return trials of which some were pruned, failed, or are running."""
    trials = many(count)
    trials[1::5] = [replace(trial, state="pruned", value=None, curve=trial.curve[:1]) for trial in trials[1::5]]
    trials[2::5] = [replace(trial, state="failed", value=None, curve=[], error="no") for trial in trials[2::5]]
    trials[3::7] = [replace(trial, state="running", value=None) for trial in trials[3::7]]
    return trials


def pruned(count: int) -> list[Trial]:
    return [replace(trial, state="pruned", value=None, curve=trial.curve[:1]) for trial in many(count)]


def hopeless(count: int) -> list[Trial]:
    """Return trials of which one is far below the others."""
    first, *others = many(count)
    return [replace(first, value=0.1, curve=[0.1]), *others]


def search_figures(trials: list[Trial], space: Space, title: str) -> dict[str, Figure]:
    return {name: drawing.draw() for name, drawing in search_drawings(trials, space, title).items()}


ONE: Space = {"learning_rate": SPACE["learning_rate"]}
SEVEN: Space = {
    **SPACE,
    "units_2": SPACE["units_1"],
    "units_3": SPACE["units_1"],
    "weight_decay": Floats(1e-6, 1e-2, log=True),
}
SEARCHES: dict[str, tuple[list[Trial], Space]] = {
    "none": ([], SPACE),
    "one": (many(1), SPACE),
    "two": (many(2), SPACE),
    "thirty": (mixed(30), SPACE),
    "all pruned": (pruned(12), SPACE),
    "one range": (many(12, ONE), ONE),
    "seven ranges": (many(30, SEVEN), SEVEN),
    "equal but for one setting": (
        [replace(trial, params={**many(1)[0].params, "units_1": trial.params["units_1"]}) for trial in many(12)],
        SPACE,
    ),
}
EQUAL = {
    "equal values": [replace(trial, value=0.9, curve=[0.9]) for trial in many(12)],
    "equal trials": [replace(many(1)[0], number=number) for number in range(12)],
}


@pytest.fixture(autouse=True)
def warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module", params=SEARCHES)
def figures(request: pytest.FixtureRequest) -> dict[str, Figure]:
    trials, space = SEARCHES[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return search_figures(trials, space, TITLE)


def test_there_are_five_figures_of_any_search_with_titles(figures: dict[str, Figure]) -> None:
    assert list(figures) == NAMES
    for name, figure in figures.items():
        assert figure.get_suptitle() == f"{TITLE}: {name.replace('_', ' ')}"


def test_every_figure_can_be_read(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        assert unreadable(figure) == [], name


def test_the_history_has_a_point_for_each_trial_that_was_complete_or_pruned_and_the_best_so_far() -> None:
    trials = mixed(30)
    axes = search_figures(trials, SPACE, TITLE)["history"].axes[0]
    lines = {line.get_label(): np.asarray(line.get_xydata()) for line in axes.lines}
    complete = [(trial.number, trial.value) for trial in trials if trial.state == "complete"]
    np.testing.assert_array_equal(lines["complete"], complete)
    np.testing.assert_array_equal(
        lines["pruned, best epoch until then"],
        [(trial.number, max(trial.curve)) for trial in trials if trial.state == "pruned"],
    )
    best = [max(value or 0.0 for _, value in complete[: i + 1]) for i in range(len(complete))]
    np.testing.assert_array_equal(lines["best so far"][:, 1], best)


def test_a_hopeless_trial_is_told_of_though_it_lies_below_what_is_shown() -> None:
    figure = search_figures(hopeless(30), SPACE, TITLE)["history"]
    assert figure.axes[0].get_ylim()[0] > 0.5
    assert any("below" in text for text in texts(figure))


def test_the_slice_has_one_panel_a_setting_and_all_complete_trials_in_each() -> None:
    panels = search_figures(many(30), SPACE, TITLE)["slice"].axes[: len(SPACE)]
    assert [panel.get_xlabel() for panel in panels] == list(SPACE)
    assert [panel.get_xscale() for panel in panels] == ["linear", "linear", "log", "linear"]
    for name, panel in zip(SPACE, panels, strict=True):
        (points,) = panel.collections
        expected = [(trial.params[name], trial.value or 0.0) for trial in many(30)]
        np.testing.assert_allclose(np.asarray(points.get_offsets()), expected)
        low, high = panel.get_xlim()
        assert all(low < trial.params[name] < high for trial in many(30))


def test_the_contour_is_over_the_two_most_important_settings() -> None:
    axes = search_figures(many(30), SPACE, TITLE)["contour"].axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel()] == list(importance(many(30), SPACE))[:2]


@pytest.mark.parametrize("count", [0, 1])
def test_of_too_few_trials_it_is_said_that_they_are_too_few(count: int) -> None:
    figures = search_figures(many(count), SPACE, TITLE)
    for name in ("importances", "contour"):
        assert "fewer than two trials were complete" in " ".join(texts(figures[name]))


def test_of_a_search_over_one_setting_it_is_not_said_that_trials_are_missing() -> None:
    figures, page = search_figures(many(12, ONE), ONE, TITLE), search_page(many(12, ONE), ONE, TITLE)
    assert "fewer than two trials were complete" not in " ".join(texts(figures["contour"]))
    assert "fewer than two trials were complete" not in page


@pytest.mark.parametrize("name", EQUAL)
def test_trials_of_equal_value_can_be_drawn(name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Target and region quantiles select the same set of trials")
        figures = search_figures(EQUAL[name], SPACE, TITLE)
        page = search_page(EQUAL[name], SPACE, TITLE)
    assert list(figures) == NAMES
    assert page.count("Plotly.newPlot(") == 5
    assert [text for figure in figures.values() for text in texts(figure) if "nan" in text] == []


@pytest.mark.parametrize("draw", [search_figures, search_page])
@pytest.mark.parametrize("name", EQUAL)
def test_trials_of_equal_value_warn_of_nothing(name: str, draw: Callable[..., object]) -> None:
    draw(EQUAL[name], SPACE, TITLE)


@pytest.mark.parametrize("space", [{**SPACE, "units_1": Integers(32, 32)}, {**SPACE, "batch_size": Choices((64,))}])
def test_a_range_of_one_value_can_be_drawn(space: Space) -> None:
    assert list(search_figures(many(12, space), space, TITLE)) == NAMES


@pytest.mark.parametrize("name", [name for name in SEARCHES if name not in ("none", "one", "all pruned")])
def test_importances_are_those_that_optuna_computes_of_a_study_of_its_own(name: str) -> None:
    trials, space = SEARCHES[name]
    study = optuna.create_study(direction="maximize")
    complete = iter([trial for trial in trials if trial.state == "complete"])

    def objective(asked: optuna.Trial) -> float:
        trial = next(complete)
        for setting, values in space.items():
            if isinstance(values, Integers):
                asked.suggest_int(setting, values.low, values.high, step=values.step)
            elif isinstance(values, Floats):
                asked.suggest_float(setting, values.low, values.high, step=values.step, log=values.log)
            else:
                asked.suggest_categorical(setting, values.values)
        assert asked.params == pytest.approx(trial.params)
        assert trial.value is not None
        return trial.value

    for trial in trials:
        if trial.state == "complete":
            study.enqueue_trial(dict(trial.params))
    study.optimize(objective, n_trials=len(study.trials))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        expected = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    found = importance(trials, space)
    assert found == pytest.approx(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(found) == set(space)
    assert all(0 <= share <= 1 for share in found.values())


def test_what_a_search_turns_on_is_what_is_important() -> None:
    assert next(iter(importance(many(200), SPACE))) == "units_1"


@pytest.mark.parametrize("trials", [[], many(1), pruned(5)], ids=["none", "one", "pruned"])
def test_of_fewer_than_two_complete_trials_nothing_is_important(trials: list[Trial]) -> None:
    assert importance(trials, SPACE) == {}


class _Page(HTMLParser):
    """Collects headings, and what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: dict[str, list[str]] = {}
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self._heading = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._heading = tag if tag in ("title", "h1", "h2") else ""
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the signature is HTMLParser's
        self._heading = ""

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.headings.setdefault(self._heading, []).append(data)


def parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    return parser


@pytest.mark.parametrize("name", SEARCHES)
def test_the_page_of_any_search_has_five_sections_and_loads_nothing(name: str) -> None:
    trials, space = SEARCHES[name]
    page = parsed(search_page(trials, space, TITLE))
    assert page.headings["h2"] == ["History", "Importances", "Parallel coordinates", "Slice", "Contour"]
    assert page.headings["h1"] == page.headings["title"] == [TITLE]
    assert page.loaded == ["data:,"]  # the icon, so that no browser asks for one
    assert not {"iframe", "img", "base", "object", "embed"} & set(page.tags)
    assert [page.tags.count(tag) for tag in ("html", "h1", "section")] == [1, 1, 5]


def test_the_page_of_a_search_draws_five_figures_and_that_of_none_draws_none() -> None:
    assert search_page(many(30), SPACE, TITLE).count("Plotly.newPlot(") == 5
    none = search_page([], SPACE, TITLE)
    assert none.count("fewer than two trials were complete") == 5


def test_a_title_is_text_and_not_html() -> None:
    page = search_page([], SPACE, "a <b>&</b> {c}")
    assert parsed(page).headings["h1"] == ["a <b>&</b> {c}"]


@pytest.mark.browser
def test_the_policy_of_the_page_lets_every_figure_be_drawn(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "search.html"
    file.write_text(search_page(many(30), SPACE, TITLE), encoding="utf-8")
    faults: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())
    assert page.locator(".plotly-graph-div:has(.main-svg)").count() == len(NAMES)
    assert faults == []
    page.close()
