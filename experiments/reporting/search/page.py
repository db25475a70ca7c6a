"""Optuna's interactive figures of a hyperparameter search as one offline page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.models.space import Space
from experiments.offline_page import page_templates, read_assets
from experiments.reporting.figure_parts.hyperparameters import TOO_FEW, VALUE
from experiments.reporting.figures.search_contour import ONLY_ONE
from experiments.reporting.search.importance import quiet_optuna
from experiments.tuning import Trial
from experiments.tuning.optuna_engine import as_study

if TYPE_CHECKING:
    import optuna

PACKAGE = "experiments.reporting.search"
EXPLANATIONS = {
    "history": "The value of each trial, and the best so far.",
    "importances": "The proportion of the variance that each hyperparameter explains (PED-ANOVA).",
    "parallel_coordinates": "Each trial as a line through its hyperparameters and its value.",
    "slice": "The value against each hyperparameter.",
    "contour": "The value over the two most important hyperparameters.",
}


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

    return (
        page_templates(PACKAGE)
        .get_template("page.html")
        .render(
            title=title,
            explanations=EXPLANATIONS,
            figures=_figures(as_study(trials, space)),
            reason=TOO_FEW if len(space) > 1 else ONLY_ONE,
            plotly=get_plotlyjs(),
            style=read_assets(PACKAGE, "page.css"),
            script="",
        )
    )


def _figures(study: "optuna.Study") -> dict[str, str]:
    """Return the HTML of the figures that can be drawn, by name."""
    import optuna
    from optuna import visualization

    if sum(trial.state.name == "COMPLETE" for trial in study.trials) < 2:
        return {}
    with quiet_optuna():
        figures = {
            "history": visualization.plot_optimization_history(study, target_name=VALUE),
            "importances": visualization.plot_param_importances(study),
            "parallel_coordinates": visualization.plot_parallel_coordinate(study, target_name=VALUE),
            "slice": visualization.plot_slice(study, target_name=VALUE),
        }
        important = list(optuna.importance.get_param_importances(study))[:2]
        if len(important) == 2:
            figures["contour"] = visualization.plot_contour(study, important, target_name=VALUE)
    return {name: _html(figure) for name, figure in figures.items()}


def _html(figure: Any) -> str:
    """Make a figure as wide as its page and without a title, which the page has."""
    figure.update_layout(title=None, width=None, autosize=True, margin_t=40, template="plotly_white")
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config={"responsive": True}))
