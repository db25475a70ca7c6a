"""The only place that talks to MLflow: stores, runs, the model registry, model references."""

from experiments.tracking.references import (
    DEFAULT_DATASET,
    Reference,
    common_dataset,
    find_version,
    load_reference,
    model_file,
    model_params,
    resolve_reference,
    resolve_references,
)
from experiments.tracking.registry import (
    RegisteredVersion,
    log_model,
    register,
    registered_name,
    registered_names,
    registered_versions,
    trained_names,
)
from experiments.tracking.runs import (
    FoundRun,
    Run,
    begin_run,
    end_children,
    end_run,
    find_runs,
    has_finished,
    let_go,
    open_run,
    run_exists,
)
from experiments.tracking.store import Store, open_store
from experiments.tracking.ui import serve_ui

__all__ = [
    "DEFAULT_DATASET",
    "FoundRun",
    "Reference",
    "RegisteredVersion",
    "Run",
    "Store",
    "begin_run",
    "common_dataset",
    "end_children",
    "end_run",
    "find_runs",
    "find_version",
    "has_finished",
    "let_go",
    "load_reference",
    "log_model",
    "model_file",
    "model_params",
    "open_run",
    "open_store",
    "register",
    "registered_name",
    "registered_names",
    "registered_versions",
    "resolve_reference",
    "resolve_references",
    "run_exists",
    "serve_ui",
    "trained_names",
]
