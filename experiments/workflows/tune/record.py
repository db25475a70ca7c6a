"""What a search leaves in MLflow: its plan, its best trial while it runs, its table and figures at the end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from experiments import reporting
from experiments.errors import DigitsError
from experiments.execution.progress import Progress
from experiments.tracking import Run
from experiments.tuning import OBJECTIVE, Search, Trial, best_trial, counted

SHOWN = 5  # trials on the board


def search_tags(search: Search) -> dict[str, str]:
    """Return the tags that a search's run and those of its trials share."""
    return {
        "digits.model": search.model,
        "digits.dataset": search.dataset,
        "digits.data_digest": search.digest,
        "digits.study": search.name,
        "digits.engine": search.engine,
    }


def record_plan(run: Run, search: Search, dataset: str, settings: Mapping[str, Any], trials: int) -> None:
    """Write what is searched, and how, before it begins."""
    run.log_params({name.replace(" ", "_"): value for name, value in search.identity().items()})
    run.set_tags({"digits.settings": json.dumps(dict(settings)), "digits.trials": trials})
    run.describe(
        f"Search for the hyperparameters of **{search.model}** on **{search.dataset}** by {search.engine} "
        f"({search.sampler}, pruner {search.pruner}). Each trial is a child run, judged by the validation accuracy of "
        "its best epoch; stopped early it is KILLED. The best values are in the tags; `trials.csv` has all trials, "
        "`search.html` and `figures/` show them. "
        f"Train with them: `digits train {search.model} --dataset {dataset} --from-study {search.name}`."
    )


def record_end(run: Run, search: Search, trials: Sequence[Trial]) -> None:
    """Write what was found.

    Raises
    ------
    DigitsError
        When no trial was complete.
    """
    best = best_trial(trials)
    if best is None:
        raise DigitsError("no trial was complete: take more trials, or --pruner none")
    run.set_tags(_best_tags(best))
    run.log_metrics(
        {
            "best_value": best.value or 0.0,
            "trials": len(counted(trials)),
            "trials_pruned": sum(trial.state == "pruned" for trial in trials),
            "trials_failed": sum(trial.state == "failed" and not trial.again for trial in trials),
        },
        step=len(counted(trials)),
    )
    run.log_text(reporting.csv_text([trial.row() for trial in trials]), "trials.csv")
    title = f"{search.name}: {len(counted(trials))} trials"
    run.log_text(reporting.search_page(trials, search.space, title), "search.html")
    for name, figure in reporting.search_figures(trials, search.space, title).items():
        run.log_figure(figure, f"figures/{name}.png")


def _best_tags(best: Trial) -> dict[str, str]:
    return {
        "digits.best_params": json.dumps(dict(best.params)),
        "digits.best_trial": best.name,
        "digits.best_run_id": best.run_id or "",
    }


class Watch:
    """Tells of trials as they end, and keeps the best on the search's run."""

    def __init__(self, run: Run, search: Search, total: int, progress: Progress) -> None:
        self._run, self._search, self._total, self._listener = run, search, total, progress
        self._told: set[int] | None = None
        self._best: Trial | None = None
        self._waits = False

    def wait(self) -> None:
        """Say, once, that the trials left are done by others."""
        if not self._waits:
            self._listener.log("the trials that are left are being done elsewhere; waiting for them")
        self._waits = True

    def look(self, trials: Sequence[Trial]) -> None:
        """Compare with what was seen before."""
        best, done = best_trial(trials), len(counted(trials))
        ended = {trial.number for trial in trials if trial.state != "running"}
        if best and (self._best is None or best.number != self._best.number):
            self._best = best
            self._run.log_metrics({"best_value": best.value or 0.0}, step=done)
            self._run.set_tags(_best_tags(best))
        told = ended if self._told is None else self._told  # what earlier calls did is not news
        for trial in trials:
            if trial.number in ended - told:
                self._listener.log(_line(trial, best))
        self._told = ended
        self._listener.advance(done, self._total)
        self._listener.leaderboard(
            f"{self._search.name}: best of {done} of {self._total} trials",
            ("trial", OBJECTIVE, "epochs", "seconds", *self._search.space),
            [_row(trial, self._search) for trial in sorted(trials, key=_rank)[:SHOWN]],
        )


def _rank(trial: Trial) -> tuple[bool, float]:
    return trial.state != "complete", -(trial.value or max(trial.curve, default=0.0))


def _row(trial: Trial, search: Search) -> tuple[object, ...]:
    value = f"{trial.value:.4f}" if trial.value is not None else trial.state
    seconds = f"{trial.seconds:.1f}" if trial.seconds is not None else ""
    tried = (value_text(trial.params.get(name)) for name in search.space)
    return (trial.number, value, len(trial.curve), seconds, *tried)


def _line(trial: Trial, best: Trial | None) -> str:
    values = "  ".join(f"{name} {value_text(value)}" for name, value in trial.params.items())
    outcome = {"complete": f"{trial.value or 0:.4f}", "pruned": f"pruned after {len(trial.curve)}"}
    end = outcome.get(trial.state, f"failed: {trial.error}")
    known = f"  (best {best.value:.4f}, trial {best.number})" if best and best.value is not None else ""
    return f"trial {trial.number}: {end}  {values}{known}"


def value_text(value: object) -> str:
    """Return the value of a hyperparameter as it is read."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
