"""The MLflow UI."""

import os
import sys
from typing import NoReturn

from experiments.errors import DigitsError
from experiments.tracking.store import Store


def serve_ui(store: Store, host: str, port: int) -> NoReturn:
    """Replace this process with MLflow's server for a store.

    Raises
    ------
    DigitsError
        If the store is itself a server, which has its own UI.
    """
    if store.uri.startswith("http"):
        raise DigitsError(f"the tracking store is a server already: open {store.uri}")
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        store.uri,
        "--host",
        host,
        "--port",
        str(port),
    ]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
