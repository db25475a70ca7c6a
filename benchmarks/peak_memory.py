"""Run a command and print its peak resident memory in bytes: ``python peak_memory.py COMMAND ...``."""

import resource
import subprocess
import sys

UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts in bytes there, in KiB elsewhere


def main(command: list[str]) -> None:
    """Run `command` silently; if it fails, show what it printed and end with its exit code."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.stderr.write(ran.stdout + ran.stderr)
        sys.exit(ran.returncode)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * UNIT)


if __name__ == "__main__":
    main(sys.argv[1:])
