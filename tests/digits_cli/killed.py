"""Run a command that sends its own process a signal: ``python killed.py SIGNAL TEXT WORD...``.

The signal is sent when the command reports a line that starts with the text, so that a test stops a command at the same
moment each time, however busy the machine is.
"""

import signal
import sys
from typing import Any

from digits_cli.console import Console
from experiments.workflows.suite.profiles import PROFILES, PlannedTraining, PlannedTransfer, Profile

# A suite with all kinds of steps that takes seconds.
QUICK = Profile(
    "quick",
    "tunes mlp_small, trains it and lenet",
    (PlannedTraining("mlp_small", "uci", tuned=True), PlannedTraining("lenet", "uci")),
    {"batch_size": 32, "epochs": 3, "precision": "float32"},
    trials=2,
    transfers=(PlannedTransfer("transfer", "uci", ("mlp_small",), ("uci-c",)),),
)


def log_until(text: str, sent: signal.Signals) -> Any:
    """Return a `Console.log` that sends a signal once a line starts with the text."""
    log = Console.log

    def log_or_stop(console: Console, line: str) -> None:
        log(console, line)
        if line.startswith(text):
            signal.raise_signal(sent)

    return log_or_stop


if __name__ == "__main__":
    from digits_cli.main import main

    PROFILES["quick"] = QUICK
    Console.log = log_until(sys.argv[2], signal.Signals[sys.argv[1]])  # type: ignore[method-assign]
    main(sys.argv[3:])
