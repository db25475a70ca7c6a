"""Processes by name, signals that get lost, and the machine."""

import os
import platform
import re
import signal as signals
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from experiments import processes
from experiments.processes import heed_signals, heeding_signals, is_dead, is_here, this_process

ROOT = Path(__file__).parents[1]
WAITS = "import sys; print('ready', flush=True); sys.stdin.readline()"
NO_PROCESS = 2**22 + 1  # Linux counts to 2**22


@contextmanager
def another() -> "Iterator[subprocess.Popen[bytes]]":
    """Start a process that waits, and end it in the end."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def name(pid: int) -> str:
    """Return what a process calls itself."""
    return f"{platform.node()}:{pid}:{psutil.Process(pid).create_time():.0f}"


def ended(program: str) -> tuple[int, str]:
    """Run a program that may be interrupted, and return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=300,
        preexec_fn=partial(signals.signal, signals.SIGINT, signals.SIG_DFL),
    )  # fmt: skip
    return done.returncode, done.stdout


def test_a_process_is_named_from_within_as_from_without() -> None:
    assert this_process() == this_process() == name(os.getpid())
    assert is_here(this_process())
    assert not is_dead(this_process())
    code, named = ended("from experiments.processes import this_process; print(this_process(), end='')")
    assert code == 0
    assert re.fullmatch(rf"{platform.node()}:\d+:\d+", named)
    assert is_dead(named)


def test_a_process_is_dead_once_it_has_ended_be_it_a_zombie_or_gone() -> None:
    with another() as process:
        named = name(process.pid)
        assert not is_dead(named)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert is_dead(named)
        process.wait()
        assert is_dead(named)
    assert is_dead(f"{platform.node()}:{NO_PROCESS}:0")


@pytest.mark.parametrize(("seconds", "dead"), [(-3600, True), (-10, True), (-1, False), (1, False), (10, True)])
def test_another_process_of_the_same_number_is_not_the_same(seconds: int, dead: bool) -> None:
    host, pid, started = this_process().rsplit(":", 2)
    assert is_dead(f"{host}:{pid}:{int(started) + seconds}") == dead  # starts may have been rounded otherwise


@pytest.mark.parametrize("host", ["elsewhere", "a:b", platform.node() + "-2", ""])
def test_of_another_machine_s_processes_nothing_is_known(host: str) -> None:
    for pid in (os.getpid(), NO_PROCESS):
        assert not is_dead(f"{host}:{pid}:0")
        assert not is_here(f"{host}:{pid}:0")


LOSES = """
import signal, sys, time
from experiments.processes import heeding_signals

class Loses:
    def __del__(self):
        signal.raise_signal(signal.{signal})
        for _ in range(1000):  # it is here that the exception comes up, and is dropped
            pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with heeding_signals():
    Loses()
    print("lost", flush=True)
    for _ in range(600):
        time.sleep(0.1)
print("never noticed")
"""
DROPS = """
import signal, sys
from experiments.processes import heed_signals, heeding_signals

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with heeding_signals():
    heed_signals()
    try:
        signal.raise_signal(signal.{signal})
    except BaseException:  # as C code may do
        print("lost", flush=True)
    heed_signals()
print("never noticed")
"""
PATIENT = """
import signal, sys
from experiments.processes import heeding_signals

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with heeding_signals():
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.raise_signal(signal.{signal})
        print("ended well", flush=True)
"""


@pytest.mark.parametrize("program", [LOSES, DROPS], ids=["__del__", "code"])
@pytest.mark.parametrize(("signal", "code"), [("SIGTERM", 143), ("SIGINT", -2)])
def test_a_signal_that_is_dropped_comes_again(signal: str, code: int, program: str) -> None:
    assert ended(program.format(signal=signal)) == (code, "lost\n")


@pytest.mark.parametrize(("second", "said"), [("SIGTERM", "ended well\n"), ("SIGINT", "")])
def test_only_a_user_s_ctrl_c_disturbs_an_end_that_has_begun(second: str, said: str) -> None:
    assert ended(PATIENT.format(signal=second))[1] == said


def test_other_exceptions_that_python_drops_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails:
        def __del__(self) -> None:
            raise ValueError("in passing")

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_value.args))
    with heeding_signals():
        Fails()
    Fails()
    assert told == [("in passing",), ("in passing",)]


def test_handlers_are_what_they_were_after_the_block() -> None:
    def stop(*_: object) -> None:
        raise SystemExit(143)

    handlers = [signals.getsignal(signals.SIGINT), stop]
    before = signals.signal(signals.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit), heeding_signals():
            signals.raise_signal(signals.SIGTERM)
        assert [signals.getsignal(number) for number in (signals.SIGINT, signals.SIGTERM)] == handlers
        heed_signals()
    finally:
        signals.signal(signals.SIGTERM, before)


def test_the_machine_is_told_with_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some Processor @ 2.5GHz\n\nmodel name\t: Other\n")
    for number, model in enumerate(("NVIDIA H100 80GB HBM3", "NVIDIA T4")):
        (tmp_path / f"gpus/0000:0{number}:00.0").mkdir(parents=True)
        (tmp_path / f"gpus/0000:0{number}:00.0/information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 35\n")
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(processes, "GPUS", tmp_path / "gpus")
    named = processes.this_machine.__wrapped__()
    assert re.fullmatch(r"Some Processor @ 2\.5GHz, \d+ cores, NVIDIA H100 80GB HBM3, NVIDIA T4", named)
    monkeypatch.setattr(processes, "GPUS", tmp_path / "none")
    assert re.fullmatch(r"Some Processor @ 2\.5GHz, \d+ cores", processes.this_machine.__wrapped__())
