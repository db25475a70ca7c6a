"""`digits ui`."""

import os
from typing import Annotated

import typer

from digits_cli.flags import Debug, Json


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Open MLflow's pages on the store that the other commands write to.

    The line that begins with "runs" has the address of the list of runs: MLflow's first page is about something else.

    With --json, their address and the store's are printed before they are served.

    Example: digits ui --port 5001
    """
    from digits_cli.console import Console
    from experiments.tracking import open_store
    from experiments.tracking.ui import serve_ui

    store, console, address = open_store(), Console(as_json), f"http://{host}:{port}"
    if not store.uri.startswith("http"):  # a server has pages of its own, and is refused
        console.log(f"runs: {address}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning")
        console.json({"url": address, "tracking_uri": store.uri})
    if as_json:
        os.dup2(2, 1)  # MLflow writes to both
    serve_ui(store, host, port)
