"""Reports of runs whose results, figures or texts are missing or damaged."""

import shutil
from pathlib import Path

import pytest
from small_stores import artifacts, cells, files, fill, tags

from experiments.tracking import Store, open_run, past_runs
from experiments.workflows.report.run import report
from experiments.workflows.report.run_index import repeat_command

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture
def trainings(store: Store) -> dict[str, str]:
    """Fill the store; return the trainings' ids."""
    return fill(store)


@pytest.mark.usefixtures("trainings")
def test_figures_without_data_are_named_with_the_command_that_makes_them(store: Store, tmp_path: Path) -> None:
    (run,) = past_runs(store, "analyze")
    store.client.set_tag(run.id, "mlflow.source.name", "digits analyze --model lenet")
    data = artifacts(store, run.id) / "data"
    (data / "dendrogram.npz").write_bytes(b"damaged")
    (data / "map_kmeans.npz").unlink()
    preview = data.parent / "figures"
    preview.mkdir()
    (preview / "map_kmeans.png").touch()
    written = report(store, tmp_path / "out")
    assert written.missing == {run.id: "digits analyze --model lenet"}
    page = (tmp_path / "out" / "index.html").read_text()
    assert "(analyze lenet); make them again with: digits analyze --model lenet" in page
    assert not {file for file in files(tmp_path / "out") if "map_kmeans" in file or "dendrogram" in file}
    assert any("uci-lenet-map" in file for file in files(tmp_path / "out"))


@pytest.mark.parametrize("file", ["results.csv", "discussion.json", "data/explorer.npz"])
@pytest.mark.parametrize("content", [None, b"", b"damaged", b'[{"name": "none such"}]'])
@pytest.mark.usefixtures("trainings")
def test_a_report_goes_on_without_what_is_lost_or_damaged(
    store: Store, tmp_path: Path, file: str, content: bytes | None
) -> None:
    (run,) = past_runs(store, "analyze")
    place = artifacts(store, run.id) / file
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    written = report(store, tmp_path / "out")
    assert set(written.missing) == {run.id}
    assert cells(tmp_path / "out", "networks-uci")


@pytest.mark.usefixtures("trainings")
def test_a_section_whose_figures_have_no_data_is_empty(store: Store, tmp_path: Path) -> None:
    for run in past_runs(store, "evaluate"):
        shutil.rmtree(artifacts(store, run.id) / "data")
    written = report(store, tmp_path / "out")
    assert {"Mistakes", "Calibration"} <= set(written.left_out)
    assert {run.id for run in past_runs(store, "evaluate")} <= set(written.missing)


def test_a_run_of_a_suite_is_made_again_by_its_own_command(store: Store) -> None:
    suite = {"mlflow.source.name": "digits run --profile full"}
    with open_run(store, "evaluate", "lenet on uci", tags={**tags("lenet"), **suite}) as run:
        run.log_params({"model": "uci-lenet v3"})
    with open_run(store, "evaluate", "comparison", tags={**tags("lenet, cnn"), **suite}) as both:
        run.log_params({"models": "lenet, cnn"})
    commands = {past.id: repeat_command(past) for past in past_runs(store, "evaluate")}
    assert commands == {
        run.id: "digits evaluate --model models:/uci-lenet/3",
        both.id: "digits run --profile full --again",
    }
