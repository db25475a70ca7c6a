"""Showing data."""

from pathlib import Path

import numpy as np
from PIL import Image

from experiments import datasets, results
from experiments.reporting.drawing import Drawing
from experiments.tracking import Store, results_table
from experiments.workflows.data import show


def test_show_writes_and_logs_samples_and_class_counts(store: Store, tmp_path: Path) -> None:
    result = show(store, "uci", tmp_path / "figures")
    data = datasets.load("uci")
    assert result.counts == {
        "train": tuple(np.bincount(data.train.labels)), "test": tuple(np.bincount(data.test.labels)),
    }  # fmt: skip
    assert [Path(file).name for file in result.files] == ["uci-samples.png", "uci-classes.png"]
    for file in result.files:
        with Image.open(file) as picture:
            assert min(picture.size) > 300
    logged = store.client.list_artifacts(result.run_id, "figures")
    assert {artifact.path for artifact in logged} == {"figures/uci-samples.png", "figures/uci-classes.png"}
    recorded = store.client.download_artifacts(result.run_id, "data/uci-samples.npz", str(tmp_path))
    drawing = Drawing.from_npz(Path(recorded).read_bytes())
    np.testing.assert_array_equal(drawing.data["images"], datasets.sample(data.train, 25).images)
    run = store.client.get_run(result.run_id)
    assert (run.info.status, run.data.tags["digits.kind"]) == ("FINISHED", "data")
    assert run.data.tags["digits.data_digest"] == data.digest
    table = results_table(store, result.run_id)
    found = {
        split: tuple(results.value(table, "images", target="uci", split=split, group=str(digit)) for digit in range(10))
        for split in result.counts
    }
    assert (found, len(table)) == (result.counts, 20)
