"""What a measurement ran on."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiments.processes import usable_cores

INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
PACKAGES = ("tensorflow", "keras", "torch", "onnxruntime", "rapidocr", "numpy", "mlflow")


@dataclass(frozen=True)
class Machine:
    """Processor, software and how busy the machine was at the start.

    Attributes
    ----------
    processor, cores
        The processor's name, and the cores this process may use.
    instructions
        Those of `INSTRUCTIONS` that it has.
    python, packages
        Versions; packages that are not installed are left out.
    commit
        Of this project, ``-dirty`` where files have changed since.
    load
        Processes that wanted to run in the last minute, on average: well below 1 on a quiet machine.
    """

    processor: str
    cores: int
    instructions: tuple[str, ...]
    python: str
    packages: dict[str, str]
    commit: str
    load: float

    @property
    def has_amx(self) -> bool:
        """Whether the processor multiplies bfloat16 matrices in tiles."""
        return "amx_bf16" in self.instructions

    @property
    def is_busy(self) -> bool:
        """Whether others take more than a quarter of the cores."""
        return self.load > self.cores / 4

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.processor}, {self.cores} cores ({', '.join(self.instructions) or 'no AVX2'}), "
            f"load {self.load:.1f} at the start; Python {self.python}, {packages}; commit {self.commit}"
        )


def this_machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    """Describe the machine this runs on; `cpuinfo` is where Linux tells of the processor."""
    facts = _first_processor(cpuinfo)
    flags = facts.get("flags", "").split()
    return Machine(
        processor=facts.get("model name") or platform.processor() or platform.machine(),
        cores=usable_cores(),
        instructions=tuple(name for name in INSTRUCTIONS if name in flags),
        python=platform.python_version(),
        packages={name: number for name in PACKAGES if (number := _version(name))},
        commit=_commit(),
        load=os.getloadavg()[0],
    )


def _first_processor(cpuinfo: Path) -> dict[str, str]:
    try:
        block = cpuinfo.read_text().split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        shown = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return shown.stdout.strip()
