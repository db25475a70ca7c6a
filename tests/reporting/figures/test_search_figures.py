"""Figures of a hyperparameter search, drawn with matplotlib and as a page of Optuna's interactive ones."""

import re
from dataclasses import replace

import numpy as np
import optuna
import pytest
from figure_texts import texts
from matplotlib.figure import Figure

from experiments.models.space import Choices, Floats, Integers, Space
from experiments.reporting.figure_parts.hyperparameters import TOO_FEW
from experiments.reporting.figures.search_contour import ONLY_ONE
from experiments.reporting.recorded.search import search_drawings
from experiments.reporting.search.importance import importance
from experiments.reporting.search.page import search_page
from experiments.tuning import Trial
from experiments.tuning.optuna_engine import distribution

NAMES = ["history", "importances", "parallel_coordinates", "slice", "contour"]
TITLE = "mnist-mlp: a <b>&</b> {c}"
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}
ONE: Space = {"learning_rate": SPACE["learning_rate"]}
SEVEN: Space = {**SPACE, "units_2": Integers(32, 512), "units_3": Integers(1, 2), "decay": Floats(1e-6, 1e-2, log=True)}


def many(count: int, space: Space = SPACE) -> list[Trial]:
    """Return complete trials whose values follow from the first hyperparameter and, less so, from the second."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = []
    for number in range(count):
        params = study.ask({name: distribution(values) for name, values in space.items()}).params
        ends = {name: (min(values.grid()), max(values.grid())) for name, values in space.items()}
        first, *others = ((params[name] - low) / ((high - low) or 1) for name, (low, high) in ends.items())
        value = 0.95 - (first - 0.5) ** 2 / 10 - sum(others[:1]) / 100
        curve = [value - 0.02, value - 0.01, value]
        trials.append(Trial(number, "complete", params, value=value, curve=curve, seconds=1.0))
    return trials


def mixed(count: int) -> list[Trial]:
    """Return trials of which some were pruned, failed, or are running."""
    trials = many(count)
    trials[1::5] = pruned(trials[1::5])
    trials[2::5] = [replace(trial, state="failed", value=None, curve=[], error="no") for trial in trials[2::5]]
    trials[3::7] = [replace(trial, state="running", value=None) for trial in trials[3::7]]
    return trials


def pruned(trials: list[Trial]) -> list[Trial]:
    return [replace(trial, state="pruned", value=None, curve=trial.curve[:1]) for trial in trials]


def draw(trials: list[Trial], name: str, space: Space = SPACE) -> Figure:
    return search_drawings(trials, space, TITLE)[name].draw()


SEARCHES: dict[str, tuple[list[Trial], Space]] = {
    "none": ([], SPACE),
    "one": (many(1), SPACE),
    "all pruned": (pruned(many(12)), SPACE),
    "two": (many(2), SPACE),
    "thirty": (mixed(30), SPACE),
    "one range": (many(12, ONE), ONE),
    "seven ranges": (many(30, SEVEN), SEVEN),
    "a range of one value": (many(12, {**SPACE, "units_1": Integers(32, 32)}), {**SPACE, "units_1": Integers(32, 32)}),
    "equal but for one setting": (
        [replace(trial, params={**many(1)[0].params, "units_1": trial.params["units_1"]}) for trial in many(12)],
        SPACE,
    ),
    "equal values": ([replace(trial, value=0.9, curve=[0.9]) for trial in many(12)], SPACE),
    "equal trials": ([replace(many(1)[0], number=number) for number in range(12)], SPACE),
}
FEW = ("none", "one", "all pruned")


@pytest.mark.parametrize("name", SEARCHES)
def test_there_are_five_figures_of_any_search(name: str) -> None:
    drawings = search_drawings(*SEARCHES[name], TITLE)
    assert list(drawings) == NAMES
    for kind, drawing in drawings.items():
        figure = drawing.draw()
        assert figure.get_suptitle() == f"{TITLE}: {kind.replace('_', ' ')}"
        said = texts(figure)
        assert not [text for text in said if "nan" in text]
        if kind in {"importances", "contour"}:
            assert (TOO_FEW in said) == (name in FEW)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_page_of_any_search_has_five_sections_and_loads_nothing(name: str) -> None:
    page = search_page(*SEARCHES[name], TITLE)
    own = re.sub(r"(?s)<script.*?</script>", "", page)
    escaped = TITLE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert re.findall(r"<(?:title|h1)>(.*)</", own) == [escaped] * 2
    assert re.findall(r"<h2>(.*)</h2>", own) == [name.replace("_", " ").capitalize() for name in NAMES]
    assert re.findall(r'\s(?:src|href|srcset|data|action)="(.*?)"', own) == ["data:,"]  # the icon
    assert not re.search(r"<(iframe|img|base|object|embed)\b", own)
    drawn = 0 if name in FEW else 4 if name == "one range" else 5
    assert page.count("Plotly.newPlot(") == drawn
    assert own.count(ONLY_ONE if name == "one range" else TOO_FEW) == 5 - drawn


def test_the_history_has_each_trial_that_was_complete_or_pruned_and_the_best_so_far() -> None:
    trials = mixed(30)
    lines = {line.get_label(): np.asarray(line.get_xydata()) for line in draw(trials, "history").axes[0].lines}
    complete = [(trial.number, trial.value or 0.0) for trial in trials if trial.state == "complete"]
    stopped = [(trial.number, max(trial.curve)) for trial in trials if trial.state == "pruned"]
    best = [(number, max(value for _, value in complete[: i + 1])) for i, (number, _) in enumerate(complete)]
    assert list(lines) == ["pruned, best epoch until then", "complete", "best so far"]
    for line, expected in zip(lines.values(), (stopped, complete, best), strict=True):
        np.testing.assert_array_equal(line, expected)


def test_a_trial_far_below_the_others_is_counted_below_the_axis() -> None:
    first, *others = many(30)
    figure = draw([replace(first, value=0.1, curve=[0.1]), *others], "history")
    lowest = figure.axes[0].get_ylim()[0]
    assert lowest > 0.5
    hidden = 1 + sum((trial.value or 0) < lowest for trial in others)
    assert any(text.endswith(f"below: {hidden}") for text in texts(figure))


def test_the_slice_has_one_panel_for_each_setting_with_all_complete_trials() -> None:
    panels = draw(many(30), "slice").axes[: len(SPACE)]
    assert [panel.get_xlabel() for panel in panels] == list(SPACE)
    assert [panel.get_xscale() for panel in panels] == ["linear", "linear", "log", "linear"]
    for name, panel in zip(SPACE, panels, strict=True):
        (points,) = panel.collections
        expected = [(trial.params[name], trial.value or 0.0) for trial in many(30)]
        np.testing.assert_allclose(np.asarray(points.get_offsets()), expected)
        low, high = panel.get_xlim()
        assert all(low < trial.params[name] < high for trial in many(30))


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("name", ["two", "thirty", "one range", "seven ranges", "equal but for one setting"])
def test_importances_are_those_that_optuna_computes_of_a_study_of_its_own(name: str) -> None:
    trials, space = SEARCHES[name]
    trials = [trial for trial in trials if trial.state == "complete"]
    study = optuna.create_study(direction="maximize")

    def objective(asked: optuna.Trial) -> float:
        for setting, values in space.items():
            if isinstance(values, Integers):
                asked.suggest_int(setting, values.low, values.high, step=values.step)
            elif isinstance(values, Floats):
                asked.suggest_float(setting, values.low, values.high, step=values.step, log=values.log)
            else:
                asked.suggest_categorical(setting, values.values)
        return trials[asked.number].value or 0.0

    for trial in trials:
        study.enqueue_trial(dict(trial.params))
    study.optimize(objective, n_trials=len(trials))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    expected = optuna.importance.get_param_importances(study, evaluator=evaluator)
    found = importance(SEARCHES[name][0], space)
    assert found == pytest.approx(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(found) == set(space)


def test_the_settings_that_decide_are_the_most_important_and_of_few_trials_none_is() -> None:
    assert next(iter(importance(many(200), SPACE))) == "units_1"
    axes = draw(many(30), "contour").axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel()] == list(importance(many(30), SPACE))[:2]
    assert [importance(*SEARCHES[name]) for name in FEW] == [{}, {}, {}]
