"""Optuna's interactive figures of a hyperparameter search as one offline page."""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.models.space import Space
from experiments.reporting.figure_parts.hyperparameters import TOO_FEW, VALUE
from experiments.reporting.figures.search_contour import ONLY_ONE
from experiments.reporting.importance import quiet_optuna
from experiments.tuning import Trial
from experiments.tuning.optuna_engine import as_study

if TYPE_CHECKING:
    import optuna

EXPLAINED = {
    "history": "The value of each trial, and the best so far.",
    "importances": "The share of the spread of the values that each hyperparameter explains (PED-ANOVA).",
    "parallel_coordinates": "Each trial is a line through what it tried.",
    "slice": "The value against each hyperparameter.",
    "contour": "The value over the two most important hyperparameters.",
}
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
        drawn = _as_html(figure) if figure else f"<p>{TOO_FEW if len(space) > 1 else ONLY_ONE}</p>"
        sections.append(f"<section><h2>{name.replace('_', ' ').capitalize()}</h2><p>{explained}</p>{drawn}</section>")
    return PAGE.format(title=html.escape(title), script=get_plotlyjs(), sections="\n".join(sections))


def _plotly(study: "optuna.Study", name: str) -> Any:
    import optuna
    from optuna import visualization

    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if len(complete) < 2:
        return None
    with quiet_optuna():
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


def _as_html(figure: Any) -> str:
    """Make a figure as wide as its page and without a title, which the page has."""
    figure.update_layout(title=None, width=None, autosize=True, margin_t=40, template="plotly_white")
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config={"responsive": True}))
