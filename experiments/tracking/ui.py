"""MLflow's own pages."""

import subprocess
import sys

from experiments.errors import DigitsError
from experiments.tracking.store import Store


def serve_ui(store: Store, host: str, port: int) -> int:
    """Serve MLflow's pages on a store until interrupted with Ctrl-C; return the exit code.

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
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:  # the way to end it
        return 0
