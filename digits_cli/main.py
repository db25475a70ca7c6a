"""The entry point: which commands there are, and what an error looks like."""

import atexit
import gc
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from digits_cli.flags import flag
from experiments.errors import DigitsError, UsageError, first_line
from experiments.processes import heeding_signals

FAILURE, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
OBJECTS = 100_000  # new ones until garbage is searched for: importing makes many and no garbage

COMMANDS = ("data", "models", "tune", "train", "evaluate", "analyze", "transfer", "predict", "report", "run", "ui")
"""Modules with a function of the same name, or an `app` with subcommands, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 when it did what was asked, 2 for wrong usage, 1 for any other failure.

    Parameters
    ----------
    arguments
        Words of the command line, those of the process if None.
    """
    words = complete(sys.argv[1:] if arguments is None else arguments)
    # Searching for garbage among what imports have made, at every 700 new objects and at the end, took a fifth of the
    # time of `digits predict`.
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)
    # Keras's own file of settings has no say: what decides over results is seen in the command.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with heeding_signals():
            code = build_app(words)(words, prog_name="digits", standalone_mode=False)
    except Exception as error:  # the last resort: a line in place of a traceback
        code = _report(error, debug="--debug" in words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code
    if code in (INTERRUPTED, TERMINATED):
        print("interrupted; give the same command again to go on", file=sys.stderr)
    sys.exit(code or 0)


def build_app(words: Sequence[str] = ()) -> typer.Typer:
    """Build the command line: of the commands only the one that the words begin with, if there is such a one.

    Importing the options of all commands takes a tenth of the time in which `digits predict` reads a picture.
    """
    app = typer.Typer(
        name="digits",
        help="Train, evaluate and compare handwritten-digit classifiers, every run tracked in MLflow.",
        epilog="Start with: digits run --profile quick",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module = import_module(f"digits_cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"digits {version('digits')}")
        raise typer.Exit


def _options(
    version: Annotated[bool, flag("--version", "Print the version.", callback=_print_version, is_eager=True)] = False,
) -> None:
    pass


def complete(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with an empty value where `--from-study` has none, which Typer cannot do."""
    return [
        f"{word}=" if word == "--from-study" and follower.startswith("-") else word
        for word, follower in itertools.pairwise([*words, "-"])
    ]


def _terminate(*_: Any) -> NoReturn:
    raise SystemExit(TERMINATED)


def _report(error: Exception, debug: bool) -> int:
    """Print one line that says what is wrong, and return the exit code."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, TyperException):
        return _report_usage(error)
    if isinstance(error, DigitsError):
        print(f"error: {error}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILURE
    print(f"error: {type(error).__name__}: {first_line(error)} (--debug shows where)", file=sys.stderr)
    return FAILURE


def _report_usage(error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "digits"
    print(f"error: {error.format_message().rstrip('.')} (see {command} --help)", file=sys.stderr)
    return error.exit_code
