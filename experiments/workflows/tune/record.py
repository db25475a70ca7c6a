"""MLflow records of a search: its plan, progress and result, and how the result is read back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments import reporting, tracking
from experiments.errors import DigitsError
from experiments.execution.progress import Progress
from experiments.results import (
    BEST_VALUE,
    TRIALS,
    TRIALS_FAILED,
    TRIALS_PRUNED,
    VAL_ACCURACY,
    Result,
    csv_text,
    select,
    to_table,
)
from experiments.tracking import Run, Store
from experiments.tracking.tags import (
    BEST_PARAMS,
    BEST_RUN_ID,
    BEST_TRIAL,
    ENGINE,
    MODEL,
    PLANNED_TRIALS,
    SETTINGS,
    STUDY,
    subject_tags,
)
from experiments.tuning import Search, Trial, best_trial, finished_trials

LEADERBOARD_TRIALS = 5


@dataclass(frozen=True)
class Study:
    """The result of a search.

    Attributes
    ----------
    name
        Name of the study.
    run_id
        MLflow run of the search.
    best_params
        Hyperparameters of the best trial.
    settings
        Changes of the recipe that all trials share.
    """

    name: str
    run_id: str
    best_params: Mapping[str, Any]
    settings: Mapping[str, Any]


def search_tags(search: Search) -> dict[str, str]:
    """Return the tags of the run of a search and of the runs of its trials."""
    return {
        **subject_tags(search.model, search.dataset, search.digest),
        STUDY: search.name,
        ENGINE: search.engine,
    }


def record_plan(run: Run, search: Search, dataset: str, settings: Mapping[str, Any], trials: int) -> None:
    """Record what is searched and how, before the first trial."""
    run.log_params({name.replace(" ", "_"): value for name, value in search.identity().items()})
    run.set_tags({SETTINGS: json.dumps(dict(settings)), PLANNED_TRIALS: trials})
    run.describe(
        f"Search for the hyperparameters of **{search.model}** on **{search.dataset}** with {search.engine} "
        f"({search.algorithm.label}; pruner {search.pruner}). Each trial is a child run, judged by the validation "
        "accuracy of its best epoch; a pruned one is KILLED. The best values are in the tags; `results.csv` and "
        "`trials.csv` list the trials, `search.html` and `figures/` show them. "
        f"Train with them: `digits train {search.model} --dataset {dataset} --from-study {search.name}`."
    )


def record_result(run: Run, search: Search, trials: Sequence[Trial]) -> None:
    """Record the result of a search.

    Raises
    ------
    DigitsError
        If no trial is complete.
    """
    best, finished = require_best(trials), len(finished_trials(trials))
    run.set_tags(_best_tags(best))
    table = to_table([*_summary(search, trials), *_trial_results(search, trials)])
    run.log_results(table, metrics=select(table, method=""))  # hundreds of trials would clutter the metrics
    run.log_text(csv_text([trial.row() for trial in trials]), "trials.csv")
    title = f"{search.name}: {finished} trials"
    run.log_text(reporting.search_page(trials, search.space, title), "search.html")
    for name, drawing in reporting.search_drawings(trials, search.space, title).items():
        run.log_figure(drawing, name)


def require_best(trials: Sequence[Trial]) -> Trial:
    """Return the best trial.

    Raises
    ------
    DigitsError
        If no trial is complete.
    """
    best = best_trial(trials)
    if best is None:
        raise DigitsError("no trial was complete; run more trials, or use --pruner none")
    return best


def counts(trials: Sequence[Trial]) -> dict[str, int]:
    """Return the numbers of finished, pruned, failed, and interrupted and repeated trials."""
    return {
        "trials": len(finished_trials(trials)),
        "pruned": sum(trial.state == "pruned" for trial in trials),
        "failed": sum(trial.state == "failed" and not trial.again for trial in trials),
        "repeated": sum(trial.again for trial in trials),
    }


def find_study(store: Store, model: str, dataset: str, study: str | None = None) -> Study:
    """Return the result of a study of `model`, by default the latest one on `dataset`.

    Raises
    ------
    DigitsError
        If there is no such study, or it has no complete trial yet.
    """
    tags = {MODEL: model, STUDY: study} if study else subject_tags(model, dataset)
    runs = tracking.past_runs(store, "tune", tags, finished=False)
    wanted = f"study {study!r}" if study else "study"
    if not runs:
        raise DigitsError(f"there is no {wanted} of {model} on {dataset}; run: digits tune {model} --dataset {dataset}")
    done = [run for run in runs if run.tags.get(BEST_PARAMS)]
    if not done:
        raise DigitsError(f"the {wanted} of {model} has no complete trial yet; continue it: digits tune {model}")
    latest = done[0]
    return Study(
        name=latest.tags[STUDY],
        run_id=latest.id,
        best_params=json.loads(latest.tags[BEST_PARAMS]),
        settings=json.loads(latest.tags.get(SETTINGS, "{}")),
    )


class SearchProgress:
    """Reports trials as they end, and keeps the best one so far on the run of the search."""

    def __init__(self, run: Run, search: Search, total: int, progress: Progress) -> None:
        self._run, self._search, self._total, self._progress = run, search, total, progress
        self._reported: set[int] | None = None
        self._best: Trial | None = None
        self._waiting = False

    def wait_for_others(self) -> None:
        """Report, once, that other machines run the remaining trials."""
        if not self._waiting:
            self._progress.log("other processes are running the remaining trials; waiting for them")
        self._waiting = True

    def update(self, trials: Sequence[Trial]) -> None:
        """Report the trials that have ended since the last call."""
        best, finished = best_trial(trials), len(finished_trials(trials))
        ended = {trial.number for trial in trials if trial.state != "running"}
        if best and (self._best is None or best.number != self._best.number):
            self._best = best
            self._run.log_metrics({BEST_VALUE: best.value or 0.0}, step=finished)
            self._run.set_tags(_best_tags(best))
        new = ended - (ended if self._reported is None else self._reported)  # not those of earlier commands
        for trial in trials:
            if trial.number in new:
                self._progress.log(_line(trial, best))
        self._reported = ended
        self._progress.advance(finished, self._total)
        self._progress.leaderboard(
            f"{self._search.name}: best of {finished} of {self._total} trials",
            ("trial", VAL_ACCURACY, "epochs", "seconds", *self._search.space),
            [_row(trial, self._search) for trial in sorted(trials, key=_rank)[:LEADERBOARD_TRIALS]],
        )


def value_text(value: object) -> str:
    """Format the value of a hyperparameter."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _summary(search: Search, trials: Sequence[Trial]) -> Iterator[Result]:
    """Yield the numbers that MLflow shows as metrics."""
    number = counts(trials)
    metrics = {
        BEST_VALUE: require_best(trials).value or 0.0,
        TRIALS: number["trials"],
        TRIALS_PRUNED: number["pruned"],
        TRIALS_FAILED: number["failed"],
    }
    for metric, value in metrics.items():
        yield Result(metric, value, search.model, source=search.dataset, target=search.dataset, split="validation")


def _trial_results(search: Search, trials: Sequence[Trial]) -> Iterator[Result]:
    """Yield the objective of each finished trial; of a pruned one, its best epoch."""
    for trial in finished_trials(trials):
        value = trial.value if trial.value is not None else max(trial.curve, default=None)
        if value is not None:
            yield Result(
                VAL_ACCURACY,
                value,
                model=search.model,
                source=search.dataset,
                target=search.dataset,
                split="validation",
                method=f"{search.engine}/{search.sampler}",
                group=str(trial.number),
                seed=search.seed,
            )


def _best_tags(best: Trial) -> dict[str, str]:
    return {
        BEST_PARAMS: json.dumps(dict(best.params)),
        BEST_TRIAL: best.name,
        BEST_RUN_ID: best.run_id or "",
    }


def _rank(trial: Trial) -> tuple[bool, float]:
    return trial.state != "complete", -(trial.value or max(trial.curve, default=0.0))


def _row(trial: Trial, search: Search) -> tuple[object, ...]:
    value = f"{trial.value:.4f}" if trial.value is not None else trial.state
    seconds = f"{trial.seconds:.1f}" if trial.seconds is not None else ""
    params = (value_text(trial.params.get(name)) for name in search.space)
    return (trial.number, value, len(trial.curve), seconds, *params)


def _line(trial: Trial, best: Trial | None) -> str:
    values = "  ".join(f"{name} {value_text(value)}" for name, value in trial.params.items())
    outcomes = {"complete": f"{trial.value or 0:.4f}", "pruned": f"pruned after {len(trial.curve)}"}
    outcome = outcomes.get(trial.state, f"failed: {trial.error}")
    known = f"  (best {best.value:.4f}, trial {best.number})" if best and best.value is not None else ""
    return f"trial {trial.number}: {outcome}  {values}{known}"
