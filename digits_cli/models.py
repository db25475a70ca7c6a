"""`digits models`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from digits_cli.flags import Debug, Json
from experiments.models import MODELS

if TYPE_CHECKING:
    from experiments.tracking import RegisteredVersion


def models(as_json: Json = False, debug: Debug = False) -> None:  # noqa: ARG001 - main looks for debug
    """List the networks: parameters, source and the registered versions.

    Example: digits models
    """
    from digits_cli.console import Console
    from experiments.tracking import open_store, registered_versions

    with Console(as_json) as console:
        trained = registered_versions(open_store())
        by_name = {name: [v for v in trained if v.architecture == name] for name in MODELS}
        rows = [(name, f"{a.parameters:,}", a.source, _summary(by_name[name])) for name, a in MODELS.items()]
        console.table("Networks", ("name", "parameters", "source", "trained"), rows)
        console.json(
            [
                {"name": name, "parameters": a.parameters, "versions": [asdict(v) for v in by_name[name]]}
                for name, a in MODELS.items()
            ]
        )


def _summary(versions: list["RegisteredVersion"]) -> str:
    """List the versions of each registered model; a star marks the champion, a tuned one has its own parameters."""
    from experiments.results import tuned_label
    from experiments.tracking.registry import CHAMPION

    lines: dict[str, list[str]] = {}
    for version in versions:
        text = f"v{version.version}{'*' if CHAMPION in version.aliases else ''}"
        if version.tuned:
            text = tuned_label(text) + (f" {version.parameters:,}" if version.parameters else "")
        lines.setdefault(version.registered_model, []).append(text)
    return ", ".join(f"{name} {' '.join(numbers)}" for name, numbers in lines.items())
