"""Provenance of a run as tags: user, machine, process, command line and commit."""

import getpass
import os
import shlex
import subprocess
import sys
from pathlib import Path

from experiments.processes import this_machine, this_process
from experiments.tracking.tags import MACHINE, PROCESS
from experiments.training.backends import DEFAULT, VARIABLE, backend

CHECKOUT = Path(__file__).resolve().parents[2]


def provenance() -> dict[str, str]:
    """Return the tags of a run that this process starts, under MLflow's names where it has one."""
    from mlflow.utils import mlflow_tags

    tags = {
        PROCESS: this_process(),
        MACHINE: this_machine(),
        mlflow_tags.MLFLOW_USER: _user(),
        mlflow_tags.MLFLOW_SOURCE_NAME: _command(),
        mlflow_tags.MLFLOW_SOURCE_TYPE: "LOCAL",
    }
    if commit := code_commit():
        tags[mlflow_tags.MLFLOW_GIT_COMMIT] = commit
    return tags


def code_commit(checkout: Path = CHECKOUT) -> str | None:
    """Return the commit of the running code, with ``-dirty`` if tracked files were changed since; None if unknown.

    Reports do not count as code: those of a checkout may be rewritten at any time.
    """
    if not (checkout / ".git").exists():
        return None
    try:
        commit = _git(checkout, "rev-parse", "HEAD")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!reports")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("-dirty" if changed else "")


def _git(checkout: Path, *words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _command() -> str:
    """Return the command line, with the variable that selects Keras's backend, because the numbers depend on it."""
    words = shlex.join(["digits", *sys.argv[1:]])
    return words if backend() == DEFAULT else f"{VARIABLE}={backend()} {words}"


def _user() -> str:
    """Return the user's name, or the number if the system knows no name (a container's arbitrary user)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
