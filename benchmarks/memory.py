"""Peak resident memory of `digits train cnn`."""

import subprocess
import sys
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.project import temporary_project
from benchmarks.report import Finding, Report

LIMIT = 2.5e9
EPOCHS = 2
PEAK_MEMORY = Path(__file__).parent / "peak_memory.py"


def measure(plan: Plan) -> Report:
    """Run the command as a user does, in a project of its own."""
    command = [sys.executable, "-m", "digits_cli", "train", "cnn", "--dataset", plan.dataset, "--epochs", str(EPOCHS)]
    if plan.limit:
        command += ["--limit", str(plan.limit)]
    return report(plan, peak_memory(command))


def peak_memory(command: list[str]) -> int:
    """Return the peak resident memory of a command in bytes, of its largest process if it starts others.

    Raises
    ------
    subprocess.CalledProcessError
        When the command fails; what it printed is shown.
    """
    # A process in between: Linux counts the memory of the one that starts another towards the other's peak.
    with temporary_project():
        ran = subprocess.run(
            [sys.executable, str(PEAK_MEMORY), *command], check=True, stdout=subprocess.PIPE, text=True
        )
    return int(ran.stdout)


def report(plan: Plan, peak: int) -> Report:
    """Hold the peak against its limit."""
    size = f"{peak / 1e9:.2f} GB"
    return Report(
        title=f"Memory of digits train cnn --epochs {EPOCHS} on {plan.images}",
        headers=("command", "peak resident memory"),
        rows=(("digits train cnn", size),),
        findings=(Finding(f"the command needs {size} at most", f"less than {LIMIT / 1e9} GB", peak < LIMIT),),
        numbers={"peak_bytes": peak},
    )
