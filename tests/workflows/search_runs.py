"""Settings of a search that takes seconds, and what a search has left in MLflow."""

from typing import Any

from mlflow.artifacts import load_text

from experiments.tracking import Store

SETTINGS = {"epochs": 4, "batch_size": 32, "precision": "float32"}


def trial_runs(store: Store, parent: str) -> list[Any]:
    """Return the runs of the trials, in the order of the trials."""
    found = store.client.search_runs([store.experiment_id], f"tags.mlflow.parentRunId = '{parent}'")
    return sorted(found, key=lambda run: (int(run.data.tags["digits.trial"]), run.info.start_time))


def statuses(store: Store, parent: str) -> list[str]:
    return [run.info.status for run in trial_runs(store, parent)]


def status(store: Store, run_id: str) -> Any:
    return store.client.get_run(run_id).info.status


def all_runs(store: Store) -> dict[str, str]:
    return {run.info.run_id: run.info.status for run in store.client.search_runs([store.experiment_id])}


def text(store: Store, run_id: str, file: str) -> str:
    return str(load_text(f"{store.client.get_run(run_id).info.artifact_uri}/{file}"))
