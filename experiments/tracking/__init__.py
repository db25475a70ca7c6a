"""The only place that talks to MLflow: stores, runs, the model registry, model references."""

from experiments.tracking.references import Reference, load_reference, resolve_reference
from experiments.tracking.registry import RegisteredVersion, log_model, register, registered_versions
from experiments.tracking.runs import Run, open_run
from experiments.tracking.store import Store, open_store, project_root, tracking_uri
from experiments.tracking.ui import serve_ui

__all__ = [
    "Reference",
    "RegisteredVersion",
    "Run",
    "Store",
    "load_reference",
    "log_model",
    "open_run",
    "open_store",
    "project_root",
    "register",
    "registered_versions",
    "resolve_reference",
    "serve_ui",
    "tracking_uri",
]
