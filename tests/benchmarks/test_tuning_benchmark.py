"""The benchmark of a search: its arithmetic on made-up curves, and a small run of all of it."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import tuning
from benchmarks.search_plan import SearchPlan
from benchmarks.search_time import Curve, random_point, report
from experiments.datasets import Split
from experiments.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
NOTHING = Split(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64))
PLAN = SearchPlan("uci", NOTHING, NOTHING, 0, None, trials=20, repeats=2, many=50, say=print)


@pytest.mark.parametrize("name", MODELS)
def test_random_points_lie_in_the_space(name: str) -> None:
    space, draw = MODELS[name].space, random.Random(0)
    for _ in range(50):
        point = random_point(space, draw)
        assert point.keys() == space.keys()
        assert all(value in space[key] for key, value in point.items())


def test_the_share_of_the_time_is_that_of_the_medians() -> None:
    loops = [Curve(seed, (50.0, 100.0), (0.90, 0.95)) for seed in (0, 1)]
    searches = [Curve(0, (10.0, 20.0), (0.90, 0.95)), Curve(1, (30.0,), (0.96,))]
    (finding,) = report(PLAN, loops, searches).findings
    assert "0.25 (0.20 to 0.30)" in finding.text
    assert finding.met


def test_a_search_that_falls_short_does_not_count_as_met() -> None:
    (finding,) = report(PLAN, [Curve(0, (100.0,), (0.95,))], [Curve(0, (1.0,), (0.90,))]).findings
    assert not finding.met
    assert "(1 of 1 " in finding.text


@pytest.mark.slow
def test_a_small_run_prints_both_reports_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MOST_TRIALS", 3), ("WORKERS", 1)):
        monkeypatch.setattr(f"benchmarks.search_time.{name}", value)
    monkeypatch.chdir(tmp_path)
    small = "--dataset uci --limit 400 --epochs 1 --trials 1 --repeats 1 --many 2".split()
    tuning.main([*small, "--json", "numbers.json"])
    shown = capsys.readouterr().out
    assert "of the loop's time" in shown
    assert "MB a trial, once warm" in shown
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert len(numbers["time"]["loop"]) == len(numbers["time"]["search"]) == 1
    assert 1 <= len(numbers["time"]["search"][0]["best"]) <= 3
    assert len(numbers["cost"]["rss_mb"]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["numbers.json"]


def test_it_is_run_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "tuning.py"), "--help"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "--many" in shown.stdout
