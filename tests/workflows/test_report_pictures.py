"""Pictures of a report, drawn from the data that runs recorded."""

from pathlib import Path

from PIL import Image
from small_stores import fill, results

from experiments.tracking import Store
from experiments.workflows.report.run import report


def test_pictures_are_drawn_from_recorded_data(store: Store, tmp_path: Path) -> None:
    fill(store)
    report(store, tmp_path)
    shown = {picture["file"]: picture for picture in results(tmp_path)["pictures"]}
    (file,) = (file for file in shown if file.endswith("lenet-map.png"))
    assert shown[file]["main"]
    with Image.open(tmp_path / file) as picture, Image.open(tmp_path / shown[file]["preview"]) as preview:
        assert picture.size == (shown[file]["width"], shown[file]["height"])
        assert len(picture.convert("RGB").getcolors(10**6) or []) <= 256
        assert preview.width <= 640
    assert len(shown) > 20
