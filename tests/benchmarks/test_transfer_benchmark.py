"""The benchmark of transfer: its arithmetic on made-up rows, and a small run of all of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_fit import FakeFit
from picture_writer import put_digits

from benchmarks import transfer
from benchmarks.transfer import TransferPlan
from experiments import datasets
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.adaptation import Adapted


def plan(rows: list[dict[str, Any]]) -> TransferPlan:
    made = TransferPlan(("mlp", "cnn"), range(2), {}, None, "mnist", "usps", None, print)  # type: ignore[arg-type]
    vars(made)["rows"] = tuple(rows)
    return made


def row(network: str, adapt: str, accuracy: float, source: str = "mnist-deskewed", **more: Any) -> dict[str, Any]:
    base = {"network": network, "source": source, "adapt": adapt, "seconds": 100.0, "val_accuracy": 0.9}
    return {**base, "accuracy": accuracy, **more}


def test_the_network_is_chosen_by_its_source() -> None:
    found = {"mlp": [(0.80, 0.98), (0.82, 0.99)], "cnn": [(0.90, 0.97), (0.92, 0.98)]}
    validated = {"mlp": 0.98, "cnn": 0.99}
    rows = [
        row(network, adapt, deskew, "mnist", val_accuracy=validated[network],
            ladder=[{"alignment": "resize", "accuracy": resize}, {"alignment": "deskew", "accuracy": deskew}]
            if adapt == "align" else [])
        for network, seeds in found.items()
        for resize, deskew in seeds
        for adapt in ("none", "align")
    ]  # fmt: skip
    assert transfer.chosen(plan(rows)) == "cnn"
    report = transfer.alignment(plan(rows))
    assert report.rows == (("mlp", "81.00 ± 1.41", "98.50 ± 0.71"), ("cnn", "91.00 ± 1.41", "97.50 ± 0.71"))
    (finding,) = report.findings
    assert ("97.50%" in finding.text, finding.met) == (True, True)


def test_the_method_is_fixed_and_the_best_one_is_named_beside_it() -> None:
    methods = (("none", 0.97), ("shot", 0.98), ("shot", 0.982), ("tent", 0.99))
    rows = [row("cnn", "none", 0.9, "mnist"), *(row("cnn", adapt, accuracy) for adapt, accuracy in methods)]
    fixed, best = transfer.adaptation(plan(rows)).findings
    assert (fixed.text, fixed.met) == ("cnn adapted by shot: 98.10%", False)
    assert ("cnn by tent: 99.00%" in best.text, best.met) == (True, True)


def test_the_cost_is_the_median() -> None:
    rows = [row("cnn", "shot", 0.98, seconds=seconds) for seconds in (10.0, 300.0, 170.0)]
    (finding,) = transfer.cost(plan([*rows, row("mlp", "shot", 0.9)])).findings
    assert (finding.text, finding.met) == ("shot on cnn: 170 s", True)


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures", "no_shift", "store")
def test_a_small_run_is_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.workflows.train.run.fit", FakeFit())
    for name, method in ADAPTATIONS.items():
        adapted = lambda model, *_: Adapted(model, {"entropy": (0.5, 0.4)}, 1.0)  # noqa: E731
        monkeypatch.setitem(ADAPTATIONS, name, replace(method, adapt=adapted))
    test = datasets.load("uci").test
    leaning = np.stack([np.roll(test.images[:150, y], (14 - y) // 2, axis=1) for y in range(28)], axis=1)
    put_digits(tmp_path / "others", np.pad(leaning, ((0, 0), (4, 4), (4, 4))), test.labels)
    words = "--networks mlp_small --seeds 1 --source uci --limit 600 --epochs 2 --target".split()
    numbers, said = [], []
    for file in ("first.json", "again.json"):
        transfer.main([*words, str(tmp_path / "others"), "--json", str(tmp_path / file)])
        said.append(capsys.readouterr())
        numbers.append(json.loads((tmp_path / file).read_text()))
    assert numbers[0].keys() >= {"alignment", "adaptation", "cost", "published"}
    assert numbers[0]["adaptation"] == numbers[1]["adaptation"]
    assert "train mlp_small on uci, seed 0" in said[0].err
    assert "train" not in said[1].err
    assert "97.9" in said[0].out
