"""MLflow's own pages."""

import os
import sys
from typing import NoReturn

from experiments.errors import DigitsError
from experiments.tracking.store import Store


def serve_ui(store: Store, host: str, port: int) -> NoReturn:
    """Become the server of MLflow's pages on a store, so that whatever ends the one ends the other.

    Raises
    ------
    DigitsError
        When the store is a server, which has pages of its own.
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
