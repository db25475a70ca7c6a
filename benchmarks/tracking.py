"""The share of a training epoch of `cnn` that recording it in MLflow takes."""

from collections.abc import Sequence
from time import perf_counter

from benchmarks.measures import spread
from benchmarks.plan import Plan
from benchmarks.project import temporary_project
from benchmarks.report import Finding, Report
from experiments.models import MODELS
from experiments.tracking import Run, open_run, open_store
from experiments.training import Epoch

CNN = MODELS["cnn"]
LIMIT = 0.02


def measure(plan: Plan) -> Report:
    """Train `cnn` once, recording every epoch in a new SQLite database as `digits train` does."""
    with temporary_project(), open_run(open_store(), "train", "cnn") as run:
        recording, epochs = _train(plan, run)
    return report(plan, recording, epochs)


def report(plan: Plan, recording: Sequence[float], epochs: Sequence[float]) -> Report:
    """Relate the seconds of recording to the seconds of the epochs, the first of which is not counted."""
    shares = spread([part / whole for part, whole in zip(recording[1:], epochs[1:], strict=True)])
    return Report(
        title=f"Recording in MLflow (SQLite) on {plan.images}, {len(epochs)} epochs, the first not counted",
        headers=("per epoch", "seconds"),
        rows=(
            ("cnn, one epoch with validation", f"{spread(epochs[1:]):.2f}"),
            ("recording it", f"{spread(recording[1:]):.4f}"),
        ),
        findings=(
            Finding(f"recording takes {shares:.2%} of an epoch", f"less than {LIMIT:.0%}", shares.median < LIMIT),
        ),
        numbers={"epoch_seconds": epochs, "recording_seconds": recording, "share": shares.median},
    )


def _train(plan: Plan, run: Run) -> tuple[list[float], list[float]]:
    from experiments.training import fit

    recording: list[float] = []

    def record(epoch: Epoch) -> None:
        start = perf_counter()
        run.log_metrics(epoch.metrics(), step=epoch.number)
        recording.append(perf_counter() - start)

    counted = plan.rounds * (plan.epochs - 1)
    recipe = CNN.recipe.override({"epochs": 1 + counted, "patience": 0})
    fitted = fit(CNN, recipe, plan.train, plan.validation, on_epoch=record)
    return recording, [epoch.seconds for epoch in fitted.epochs]
