"""The benchmark of transfer: its arithmetic on made-up rows, and a small run of all of it."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import transfer
from benchmarks.transfer import TransferPlan
from experiments import datasets
from experiments.tracking import Store
from experiments.transfer.adaptation import ADAPTATIONS


def plan(rows: list[dict[str, Any]]) -> TransferPlan:
    made = TransferPlan(("mlp", "cnn"), range(2), {}, None, "mnist", "usps", None, print)  # type: ignore[arg-type]
    vars(made)["rows"] = tuple(rows)
    return made


def row(network: str, adapt: str, accuracy: float, source: str = "mnist-deskewed", **more: Any) -> dict[str, Any]:
    base = {"network": network, "source": source, "adapt": adapt, "seconds": 100.0, "val_accuracy": 0.9}
    return {**base, "accuracy": accuracy, **more}


def test_the_network_is_chosen_at_home() -> None:
    ladders = {"mlp": [(0.80, 0.98), (0.82, 0.99)], "cnn": [(0.90, 0.97), (0.92, 0.98)]}
    at_home = {"mlp": 0.98, "cnn": 0.99}
    rows = [
        row(network, adapt, deskew, "mnist", val_accuracy=at_home[network],
            ladder=[{"alignment": "resize", "accuracy": resize}, {"alignment": "deskew", "accuracy": deskew}]
            if adapt == "align" else [])
        for network, seeds in ladders.items()
        for resize, deskew in seeds
        for adapt in ("none", "align")
    ]  # fmt: skip
    assert transfer.chosen(plan(rows)) == "cnn"
    report = transfer.alignment(plan(rows))
    assert report.rows == (("mlp", "81.00 ± 1.41", "98.50 ± 0.71"), ("cnn", "91.00 ± 1.41", "97.50 ± 0.71"))
    (finding,) = report.findings
    assert finding.text == "cnn, alignment only: 97.50%"
    assert finding.met


def test_the_method_is_fixed_and_the_best_is_named_as_looked_up() -> None:
    ways = (("none", 0.97), ("shot", 0.98), ("shot", 0.982), ("tent", 0.99))
    rows = [row("cnn", "none", 0.9, "mnist"), *(row("cnn", adapt, accuracy) for adapt, accuracy in ways)]
    fixed, best = transfer.adaptation(plan(rows)).findings
    assert fixed.text == "cnn adapted by shot: 98.10%"
    assert not fixed.met
    assert best.text == "the best in hindsight, cnn by tent: 99.00%"


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
        method = ADAPTATIONS[name]
        monkeypatch.setitem(ADAPTATIONS, name, replace(method, adapt=partial(method.adapt, epochs=1)))
    uci = datasets.load("uci")
    for part, split in (("train", uci.train), ("test", uci.test)):
        for digit in range(10):
            (tmp_path / "others" / part / str(digit)).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(split.images[:150], split.labels[:150], strict=True)):
            leaning = np.stack([np.roll(row, (14 - y) // 2) for y, row in enumerate(image)])
            Image.fromarray(np.pad(leaning, 4)).save(tmp_path / "others" / part / str(label) / f"{number}.png")
    words = "--networks mlp_small --seeds 1 --source uci --limit 600 --epochs 2".split()
    words += ["--target", str(tmp_path / "others"), "--json"]
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
