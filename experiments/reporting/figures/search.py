"""Optuna's figures of a hyperparameter search, as one offline page and as pictures."""

import html
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments.models.space import Floats, Range, Space
from experiments.reporting.figures.style import BLUE, GREY, ORANGE, PALE_BLUE, drawing, footnote, notice
from experiments.tuning import Trial, best_trial
from experiments.tuning.optuna_engine import as_study

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXPLAINED = {
    "history": "The value of each trial, and the best so far.",
    "importances": "The share of the spread of the values that each hyperparameter explains (PED-ANOVA).",
    "parallel_coordinates": "Each trial is a line through what it tried.",
    "slice": "The value against each hyperparameter.",
    "contour": "The value over the two most important hyperparameters.",
}
VALUE = "validation accuracy"
MANY = 10  # trials, from which the worst are no longer worth their room
TOO_FEW = "fewer than two trials were complete"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #262626; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }}
section {{ margin: 2rem 0 }}
h2 {{ margin-bottom: 0 }}
</style>
<script>{script}</script>
<h1>{title}</h1>
{sections}
</html>
"""


def search_page(trials: Sequence[Trial], space: Space, title: str) -> str:
    """Build one offline HTML page with Optuna's interactive figures of a search.

    Parameters
    ----------
    trials
        Of any engine; those that are still running are left out.
    space
        What they varied.
    title
        Heads the page.
    """
    from plotly.offline import get_plotlyjs

    study = as_study(trials, space)
    sections = []
    for name, explained in EXPLAINED.items():
        figure = _plotly(study, name)
        drawn = _as_html(figure) if figure else f"<p>{_why_empty(space)}</p>"
        sections.append(f"<section><h2>{name.replace('_', ' ').capitalize()}</h2><p>{explained}</p>{drawn}</section>")
    return PAGE.format(title=html.escape(title), script=get_plotlyjs(), sections="\n".join(sections))


def search_figures(trials: Sequence[Trial], space: Space, title: str) -> "dict[str, Figure]":
    """Draw the same figures as pictures, by name.

    Parameters
    ----------
    trials, space, title
        As for `search_page`.
    """
    importances = importance(trials, space)
    return {
        "history": _history(trials, f"{title}: history"),
        "importances": _importances(importances, f"{title}: importances"),
        "parallel_coordinates": _parallel(trials, space, f"{title}: parallel coordinates"),
        "slice": _slice(trials, space, f"{title}: slice"),
        "contour": _contour(trials, space, list(importances)[:2], f"{title}: contour"),
    }


def importance(trials: Sequence[Trial], space: Space) -> dict[str, float]:
    """Compute the proportion of the variance that each hyperparameter explains, in [0, 1], in descending order.

    By PED-ANOVA (Watanabe, Bansal & Hutter 2023) over the complete trials; empty where fewer than two were.
    """
    import optuna

    if len(_complete(trials)) < 2:
        return {}
    with _quiet_optuna():
        return dict(optuna.importance.get_param_importances(as_study(trials, space)))


def _plotly(study: "optuna.Study", name: str) -> Any:
    import optuna
    from optuna import visualization

    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if len(complete) < 2:
        return None
    with _quiet_optuna():
        if name == "contour":
            important = list(optuna.importance.get_param_importances(study))[:2]
            return visualization.plot_contour(study, important, target_name=VALUE) if len(important) == 2 else None
        plots: Mapping[str, Any] = {
            "history": lambda: visualization.plot_optimization_history(study, target_name=VALUE),
            "importances": lambda: visualization.plot_param_importances(study),
            "parallel_coordinates": lambda: visualization.plot_parallel_coordinate(study, target_name=VALUE),
            "slice": lambda: visualization.plot_slice(study, target_name=VALUE),
        }
        return plots[name]()


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Silence the warnings about experimental methods, and about importances of equal values."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Target and region quantiles", UserWarning)
        yield


def _as_html(figure: Any) -> str:
    """Make a figure as wide as its page and without a title, which the page has."""
    figure.update_layout(title=None, width=None, autosize=True, margin_t=40, template="plotly_white")
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config={"responsive": True}))


def _complete(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state == "complete" and trial.value is not None]


def _values(trials: Sequence[Trial]) -> Any:
    return np.array([trial.value for trial in trials], float)


def _history(trials: Sequence[Trial], title: str) -> "Figure":
    from matplotlib.ticker import MaxNLocator

    complete = _complete(trials)
    with drawing(title, 8, 4) as figure:
        axes = figure.subplots()
        pruned = [trial for trial in trials if trial.state == "pruned" and trial.curve]
        if pruned:
            axes.plot(
                [trial.number for trial in pruned], [max(trial.curve) for trial in pruned],
                "x", color=GREY, label="pruned, best epoch until then",
            )  # fmt: skip
        numbers, values = [trial.number for trial in complete], _values(complete)
        axes.plot(numbers, values, "o", color=BLUE, label="complete")
        if complete:
            axes.step(numbers, np.maximum.accumulate(values), color=ORANGE, where="post", label="best so far", zorder=1)
            _focus(axes, values)
            hidden = sum(max(trial.curve) < axes.get_ylim()[0] for trial in pruned) + sum(values < axes.get_ylim()[0])
            if hidden:
                axes.text(0.99, 0.02, f"trials below: {hidden}", transform=axes.transAxes, ha="right", color=GREY)
        axes.set(xlabel="trial", ylabel=VALUE)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower left", ncols=3)
    return figure


def _focus(axes: "Axes", values: Any) -> None:
    """Limit the axis to the good trials: a very bad one may lie below it, so that the others can be distinguished."""
    top, low = values.max(), _floor(values)
    room = max(top - low, 1e-3) * 0.15
    axes.set_ylim(low - room, top + room)


def _floor(values: Any) -> float:
    """Return the lower limit of the axis: of many trials the lowest tenth may lie below."""
    return float(np.quantile(values, 0.1) if len(values) >= MANY else values.min())


def _importances(importances: Mapping[str, float], title: str) -> "Figure":
    with drawing(title, 8, 1.6 + 0.4 * len(importances)) as figure:
        if not importances:
            notice(figure, TOO_FEW)
            return figure
        axes = figure.subplots()
        names = list(importances)[::-1]
        bars = axes.barh(names, [importances[name] for name in names], color=BLUE)
        axes.bar_label(bars, fmt="{:.2f}", padding=4)
        axes.set(xlabel="share of the spread of the values that it explains", xlim=(0, 1))
        axes.grid(visible=False, axis="y")
    return figure


def _slice(trials: Sequence[Trial], space: Space, title: str) -> "Figure":
    from matplotlib.ticker import MaxNLocator

    complete = _complete(trials)
    with drawing(title, max(8.0, 2.4 * len(space)), 3.6) as figure:
        if not complete:
            notice(figure, TOO_FEW)
            return figure
        panels = figure.subplots(1, len(space), sharey=True, squeeze=False)[0]
        for axes, (name, values) in zip(panels, space.items(), strict=True):
            points = axes.scatter(
                [trial.params[name] for trial in complete], _values(complete),
                c=[trial.number for trial in complete], cmap="Blues", edgecolor=GREY, linewidth=0.5,
            )  # fmt: skip
            axes.set_xlabel(name)
            _scale(axes, "x", values)
        panels[0].set_ylabel(VALUE)
        _focus(panels[0], _values(complete))
        figure.colorbar(points, ax=panels, label="trial", ticks=MaxNLocator(integer=True))
    return figure


def _why_empty(space: Space) -> str:
    return TOO_FEW if len(space) > 1 else "only one hyperparameter was searched"


def _scale(axes: "Axes", axis: Literal["x", "y"], values: Range) -> None:
    """Set an axis to a range with a margin at both ends."""
    from matplotlib.ticker import NullFormatter

    low, high = _ends(values)
    set_scale, set_limits = (axes.set_xscale, axes.set_xlim) if axis == "x" else (axes.set_yscale, axes.set_ylim)
    if isinstance(values, Floats) and values.log:
        set_scale("log")
        (axes.xaxis if axis == "x" else axes.yaxis).set_minor_formatter(NullFormatter())
        room = (high / low) ** 0.04
        set_limits(low / room, high * room)
    else:
        room = (high - low) * 0.04 or 0.5
        set_limits(low - room, high + room)


def _ends(values: Range) -> tuple[float, float]:
    return min(values.grid()), max(values.grid())


def _parallel(trials: Sequence[Trial], space: Space, title: str) -> "Figure":
    complete = sorted(_complete(trials), key=lambda trial: trial.value or 0.0)
    with drawing(title, max(8.0, 1.6 * (len(space) + 1)), 4) as figure:
        if not complete:
            notice(figure, TOO_FEW)
            return figure
        axes = figure.subplots()
        values, best = _values(complete), best_trial(complete)
        columns = [VALUE, *space]
        low = _floor(values)
        for trial, value in zip(complete, values, strict=True):
            line = [_share(max(value, low), low, values.max()), *(_place(trial.params[n], space[n]) for n in space)]
            is_best = trial is best
            axes.plot(
                line, color=ORANGE if is_best else PALE_BLUE, linewidth=2.5 if is_best else 1,
                zorder=3 if is_best else 2, label="best trial" if is_best else None,
            )  # fmt: skip
        at_most = "\N{LESS-THAN OR EQUAL TO} " if values.min() < low else ""
        axes.set_xticks(range(len(columns)), [f"{values.max():.4f}", *(f"{_ends(space[n])[1]:g}" for n in space)])
        axes.xaxis.tick_top()
        for x, name in enumerate(columns):
            bottom = f"{at_most}{low:.4f}" if x == 0 else f"{_ends(space[name])[0]:g}"
            axes.text(x, -0.04, f"{bottom}\n{name}", ha="center", va="top", fontsize=9)
            axes.axvline(x, color=GREY, linewidth=0.8, zorder=1)
        axes.set(ylim=(0, 1), yticks=[])
        axes.grid(visible=False)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.08))
    return figure


def _place(value: float, values: Range) -> float:
    """Return the position of a value in its range, in [0, 1] on the range's scale."""
    low, high = _ends(values)
    if isinstance(values, Floats) and values.log:
        return _share(np.log(value), np.log(low), np.log(high))
    return _share(value, low, high)


def _share(value: float, low: float, high: float) -> float:
    return float((value - low) / (high - low)) if high > low else 0.5


def _contour(trials: Sequence[Trial], space: Space, names: Sequence[str], title: str) -> "Figure":
    """Draw the complete trials, with interpolated contours if they span an area."""
    from matplotlib.tri import Triangulation

    complete = _complete(trials)
    with drawing(title, 7, 5) as figure:
        if len(names) < 2 or len(complete) < 2:
            notice(figure, _why_empty(space))
            return figure
        axes = figure.subplots()
        (x, y), values = ([[trial.params[name] for trial in complete] for name in names]), _values(complete)
        low = _floor(values)
        shown = np.clip(values, low, None)
        log = [isinstance(space[name], Floats) and getattr(space[name], "log", False) for name in names]
        if surface := _triangles(*(np.log(v) if on_log else v for v, on_log in zip((x, y), log, strict=True))):
            filled = axes.tricontourf(Triangulation(x, y, surface), shown, levels=12, cmap="Blues")
            figure.colorbar(filled, label=VALUE)
        axes.scatter(x, y, c=shown, cmap="Blues", edgecolor=GREY, s=36)
        best = int(values.argmax())
        axes.plot(x[best], y[best], "*", color=ORANGE, markersize=16, label="best trial")
        axes.set(xlabel=names[0], ylabel=names[1])
        _scale(axes, "x", space[names[0]])
        _scale(axes, "y", space[names[1]])
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1))
        clipped = "; the lowest tenth has one color" if values.min() < low else ""
        footnote(figure, f"Between the trials the value is interpolated{clipped}.")
    return figure


def _triangles(x: Any, y: Any) -> Any:
    """Triangulate the points; None if they lie on a line."""
    from scipy.spatial import Delaunay, QhullError

    points = np.column_stack([x, y]).astype(float)
    spread = np.ptp(points, axis=0)
    try:
        return Delaunay(points / np.where(spread > 0, spread, 1)).simplices.tolist()
    except QhullError:
        return None
