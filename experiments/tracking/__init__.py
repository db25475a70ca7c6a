"""The only package that talks to MLflow: stores, runs, registered models, model references, tables of results."""

from experiments.tracking.past_runs import PastRun, past_run, past_runs, results_table
from experiments.tracking.references import (
    Reference,
    common_dataset,
    load_network,
    model_file,
    names_in_table,
    resolve_reference,
    resolve_references,
    with_distinct_models,
)
from experiments.tracking.registry import RegisteredVersion, log_model, register, registered_versions
from experiments.tracking.runs import Run, open_run
from experiments.tracking.store import Store, open_store

__all__ = [
    "PastRun",
    "Reference",
    "RegisteredVersion",
    "Run",
    "Store",
    "common_dataset",
    "load_network",
    "log_model",
    "model_file",
    "names_in_table",
    "open_run",
    "open_store",
    "past_run",
    "past_runs",
    "register",
    "registered_versions",
    "resolve_reference",
    "resolve_references",
    "results_table",
    "with_distinct_models",
]
