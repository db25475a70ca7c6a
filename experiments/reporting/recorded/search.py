"""Figures of hyperparameter searches."""

from collections.abc import Sequence

from experiments.models.space import Floats, Range, Space
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.hyperparameters import Hyperparameter
from experiments.reporting.figures.search_contour import search_contour
from experiments.reporting.figures.search_history import search_history
from experiments.reporting.figures.search_importances import search_importances
from experiments.reporting.figures.search_parallel_coordinates import search_parallel_coordinates
from experiments.reporting.figures.search_slice import search_slice
from experiments.reporting.search.importance import importance
from experiments.tuning import Trial


def search_drawings(trials: Sequence[Trial], space: Space, title: str) -> dict[str, Drawing]:
    """Return the figures of a search by name.

    Parameters
    ----------
    trials
        Of any engine; those that are still running are left out.
    space
        What they varied.
    title
        Names the study in the titles.
    """
    complete = [(trial, trial.value) for trial in trials if trial.state == "complete" and trial.value is not None]
    pruned = [(trial.number, max(trial.curve)) for trial in trials if trial.state == "pruned" and trial.curve]
    numbers, values = [trial.number for trial, _ in complete], [value for _, value in complete]
    tried = [trial for trial, _ in complete]
    parameters = {name: _hyperparameter(name, values, tried) for name, values in space.items()}
    importances = importance(trials, space)
    important = {name: parameters[name] for name in list(importances)[:2]}
    return {
        "history": Drawing.of(search_history, list(zip(numbers, values, strict=True)), pruned, f"{title}: history"),
        "importances": Drawing.of(search_importances, importances, f"{title}: importances"),
        "parallel_coordinates": Drawing.of(
            search_parallel_coordinates, values, parameters, f"{title}: parallel coordinates"
        ),
        "slice": Drawing.of(search_slice, numbers, values, parameters, f"{title}: slice"),
        "contour": Drawing.of(search_contour, values, important, f"{title}: contour"),
    }


def _hyperparameter(name: str, values: Range, trials: Sequence[Trial]) -> Hyperparameter:
    return Hyperparameter(
        tried=[float(trial.params[name]) for trial in trials],
        low=float(min(values.grid())),
        high=float(max(values.grid())),
        log=isinstance(values, Floats) and values.log,
    )
