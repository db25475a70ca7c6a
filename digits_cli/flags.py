"""Options that need none of the registries: importing this takes no time."""

from typing import Annotated, Any

import typer


def flag(name: str, about: str, **more: Any) -> Any:
    """Build an option without a value; Typer's help would show one."""
    return typer.Option(name, help=about, metavar="", **more)


Json = Annotated[bool, flag("--json", "Print one JSON value to stdout, everything else to stderr.")]
Debug = Annotated[bool, flag("--debug", "Show the traceback of an error.")]
