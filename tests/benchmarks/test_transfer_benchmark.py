"""The benchmark of transfer: its arithmetic on made-up rows, and a small run of all of it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import transfer
from benchmarks.transfer import TransferPlan
from experiments.tracking import Store
from experiments.transfer import ADAPTATIONS


def plan(rows: list[dict[str, Any]]) -> TransferPlan:
    made = TransferPlan(("mlp", "cnn"), range(2), {}, None, "mnist", "usps", None, print)  # type: ignore[arg-type]
    vars(made)["rows"] = tuple(rows)
    return made


def row(network: str, adapt: str, accuracy: float, **more: Any) -> dict[str, Any]:
    return {
        "network": network,
        "source": "mnist-deskewed",
        "adapt": adapt,
        "accuracy": accuracy,
        "seconds": 100.0,
        **more,
    }


def test_the_best_rung_is_that_with_the_best_mean() -> None:
    ladders = {"mlp": [(0.80, 0.95), (0.82, 0.97)], "cnn": [(0.90, 0.97), (0.92, 0.98)]}
    rows = [
        row(network, "align", deskew,
            ladder=[{"alignment": "resize", "accuracy": resize}, {"alignment": "deskew", "accuracy": deskew}])
        for network, seeds in ladders.items()
        for resize, deskew in seeds
    ]  # fmt: skip
    report = transfer.alignment(plan(rows))
    assert report.rows == (("mlp", "81.00 ± 1.41", "96.00 ± 1.41"), ("cnn", "91.00 ± 1.41", "97.50 ± 0.71"))
    (finding,) = report.findings
    assert finding.text == "cnn by deskew: 97.50%, alignment only"
    assert finding.met


def test_the_best_method_is_that_with_the_best_mean_and_may_fall_short() -> None:
    rows = [row("cnn", adapt, accuracy) for adapt, accuracy in (("none", 0.97), ("shot", 0.98), ("shot", 0.982))]
    (finding,) = transfer.adaptation(plan(rows)).findings
    assert finding.text == "cnn adapted by shot: 98.10%"
    assert not finding.met


def test_the_cost_is_the_median() -> None:
    rows = [row("cnn", "shot", 0.98, seconds=seconds) for seconds in (10.0, 300.0, 170.0)]
    (finding,) = transfer.cost(plan([*rows, row("mlp", "shot", 0.9)])).findings
    assert finding.text == "shot on cnn: 170 s"
    assert finding.met


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_small_run_is_gone_on_with(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("shot", "self-training"):
        monkeypatch.setitem(ADAPTATIONS, name, partial(ADAPTATIONS[name], epochs=1))
    words = "--networks mlp_small --seeds 1 --source uci --target uci-deskewed --limit 600 --epochs 2 --json".split()
    transfer.main([*words, str(tmp_path / "numbers.json")])
    first = capsys.readouterr()
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert numbers.keys() >= {"alignment", "adaptation", "cost", "published"}
    assert "train mlp_small on uci, seed 0" in first.err
    assert "97.9" in first.out
    transfer.main([*words, str(tmp_path / "again.json")])
    assert "train" not in capsys.readouterr().err
    again = json.loads((tmp_path / "again.json").read_text())
    assert again["adaptation"] == numbers["adaptation"]
    assert store.uri
