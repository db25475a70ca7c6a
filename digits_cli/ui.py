"""`digits ui`."""

from typing import Annotated

import typer

from digits_cli.options import Debug


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Open MLflow's pages on the store that the other commands write to.

    Example: digits ui --port 5001
    """
    from experiments.tracking import open_store, serve_ui

    serve_ui(open_store(), host, port)
