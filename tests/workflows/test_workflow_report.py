"""A report from a tracking store: its content, and its replacement in one step."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from PIL import Image
from run_files import artifacts, files_in
from small_stores import (
    ACCURACIES,
    HOSTILE,
    MAP,
    TESTED,
    Filled,
    analyze,
    evaluate,
    filled_store,
    record,
    register,
    reported,
    train,
    transfer,
)
from stand_ins import ProgressLog

from digits_cli.main import main
from experiments.errors import DigitsError
from experiments.reporting.picture_files import PictureJob
from experiments.results import Result
from experiments.tracking import Store, open_run, open_store, past_runs
from experiments.tracking.registry import best_versions
from experiments.tracking.runs import Kind
from experiments.workflows.report.check import check
from experiments.workflows.report.run import report
from experiments.workflows.report.run_index import repeat_command

without_drawing = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def _filled(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled_store(empty_database, tmp_path_factory.mktemp("filled")) as filled:
        yield filled


@pytest.fixture
def filled(_filled: Filled) -> Iterator[Filled]:
    """Yield a store with two networks and runs of every kind."""
    yield _filled
    _filled.restore()


def test_pictures_are_drawn_from_recorded_data(store: Store, tmp_path: Path) -> None:
    params, training = {"digits": 1797, "components": 3}, train(store, "lenet", 0.9)
    record(store, "analyze", "lenet", [Result("ari", 0.8)], parent=training, params=params, figures={"map": MAP})
    shown = {picture["file"]: picture for picture in reported(store, tmp_path / "out").results["pictures"]}
    (file,) = (file for file in shown if file.endswith("lenet-map.png"))
    assert shown[file]["main"]
    for name, one in shown.items():
        with Image.open(tmp_path / "out" / name) as picture, Image.open(tmp_path / "out" / one["preview"]) as preview:
            assert picture.size == (one["width"], one["height"])
            assert preview.width <= 640
            assert name != file or len(picture.convert("RGB").getcolors(10**6) or []) <= 256


@without_drawing
class TestContent:
    def test_all_numbers_are_reported_with_their_run(self, filled: Filled, tmp_path: Path) -> None:
        found = reported(filled.store, tmp_path)
        assert (found.written.networks, found.written.left_out, found.written.missing) == (2, {}, {})
        results, shown = found.results, found.cells()
        assert [network for network, column in shown if column == "accuracy"] == ["cnn", "lenet"]
        for column, value in {"parameters": 1210, "size": 2_345_678, "seconds": 12.5}.items():
            cell = shown["cnn", column]
            assert (cell["value"], cell["run_id"]) == (value, filled.trainings["cnn"]), column
        values = {"accuracy": ACCURACIES["cnn"], "latency": 3.25, "usps/none": 0.7, "usps/align": 0.75}
        values |= {"usps/adapted": 0.8, "uci-c/error": 1.1}
        assert {column: shown["cnn", column]["value"] for column in values} == values
        assert shown["cnn", "latency"]["run_id"] == shown["cnn", "accuracy"]["run_id"]
        assert shown["cnn", "usps/adapted"]["method"] == "shot"
        assert "adabn" not in {column["key"] for table in results["tables"] for column in table["columns"]}
        assert {cell["run_id"] for table in results["tables"] for cell in table["cells"]} <= results["runs"].keys()
        assert [curve["values"]["3"] for curve in results["curves"]] == pytest.approx([0.98 - 0.1 / 3, 0.95 - 0.1 / 3])
        table = (tmp_path / "RESULTS.md").read_text().partition("| network ")[2]
        heads, _, first = ([cell.strip() for cell in line.split("|")] for line in table.splitlines()[:3])
        in_units = dict(zip(heads[1:], first[2:], strict=True))
        assert (in_units["Size, MB"], in_units["Latency, ms"]) == ("2.35", "3.25")

    def test_the_page_has_every_file_it_names(self, filled: Filled, tmp_path: Path) -> None:
        found = reported(filled.store, tmp_path)
        pictures = {picture[kind] for picture in found.results["pictures"] for kind in ("file", "preview")}
        names = ("learning", "accuracy-parameters", "missed-by-all")
        assert {f"figures/uci-{name}.png" for name in names} <= pictures
        assert len(pictures) > 40
        assert files_in(tmp_path) == {"index.html", "results.json", "RESULTS.md", "explorers/uci-lenet.html", *pictures}
        assert HOSTILE not in found.page
        assert "near is near &lt;script&gt;" in found.page
        assert 'href="explorers/uci-lenet.html"' in found.page

    def test_an_ensemble_is_beside_its_members(self, filled: Filled, tmp_path: Path) -> None:
        store = filled.store
        for accuracy in (0.96, 0.99):  # the latest counts
            ensemble(store, accuracy, "uci-cnn v1, uci-lenet v1, uci-lenet v2")
        for name, accuracy in (("cnn", 0.95), ("lenet", 0.98), ("resnet", 0.97)):  # the last is no member
            evaluate(store, name, accuracy, filled.trainings.get(name), f"uci-{name} v1")
        found = reported(store, tmp_path)
        members = found.cells("members-uci")
        alone = [
            (row, cell["detail"], cell["value"]) for (row, column), cell in members.items() if column == "accuracy"
        ]
        assert alone == [("lenet", "uci-lenet v1, seed 0", 0.98), ("cnn", "uci-cnn v1, seed 0", 0.95)]
        trained = {cell["run_id"] for (_, column), cell in members.items() if column == "seconds"}
        assert trained == set(filled.trainings.values())
        assert "ensemble of 3 networks has 99.00 %" in found.results["lead"]
        together = found.cells("ensembles-uci")
        assert {(row, cell["detail"]) for (row, _), cell in together.items()} == {
            ("3 networks", "uci-cnn v1, uci-lenet v1 v2")
        }
        values = {column: cell["value"] for (_, column), cell in together.items()}
        assert values == {"accuracy": 0.99, "vote": 0.97, "alone": 0.965, "spread": 0.002}

    def test_all_comparisons_that_add_networks_are_shown(self, filled: Filled, tmp_path: Path) -> None:
        for versions in ("uci-cnn v1, uci-old v7", "uci-lenet v1", "uci-cnn v1", "uci-old v7"):
            record(
                filled.store, "transfer", versions, [Result("accuracy", 0.5, target="usps")],
                params={"models": versions, "targets": "usps"}, tags={"digits.target": "usps"},
                discussed=("alignment", f"{versions} are compared"),
            )  # fmt: skip
        found = reported(filled.store, tmp_path)
        shown = [f"{versions} are compared" in found.page for versions in ("uci-cnn v1", "uci-lenet v1", "uci-old v7")]
        assert shown == [True, True, False]
        (matrix,) = (one for one in found.results["pictures"] if one["file"] == "figures/transfer-matrix.png")
        assert matrix["main"]
        assert len(matrix["run_ids"]) == 5  # two evaluations, three transfers

    def test_the_latest_evaluation_and_analysis_of_all_digits_count_and_order_the_networks(
        self, filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[list[str]] = []

        def recorded(job: PictureJob) -> tuple[int, int]:
            if job.drawing.figure == "transfer_matrix":
                drawn.append([*job.drawing.data["accuracies"]])
            for file in (job.picture, job.preview):
                file.touch()
            return 40, 30

        monkeypatch.setattr("experiments.reporting.picture_files._draw", recorded)
        report(filled.store, tmp_path / "before")
        run_id = evaluate(filled.store, "lenet", 0.99, filled.trainings["lenet"])
        _, whole, _ = (analyze(filled.store, "lenet", filled.trainings["lenet"], digits=n) for n in (100, 1797, 100))
        found = reported(filled.store, tmp_path / "after")
        assert drawn == [["cnn on uci", "lenet on uci"], ["lenet on uci", "cnn on uci"]]
        assert [network for network, column in found.cells() if column == "accuracy"] == ["lenet", "cnn"]
        assert found.cells()["lenet", "accuracy"]["run_id"] == run_id
        assert {cell["run_id"] for cell in found.cells("features-uci").values()} == {whole}

    def test_sections_without_runs_name_the_command_that_makes_them(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(DigitsError, match="digits run"):
            report(store, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        run_id = record(store, "train", "cnn", [Result("train_seconds", 12.5)])  # without the numbers of other columns
        register(store, run_id, "cnn", 0.9)
        found = reported(store, tmp_path / "out")
        assert set(found.written.left_out) >= {"Mistakes", "Calibration", "Feature space", "New domains", "Searches"}
        assert "<code>digits tune mlp</code>" in found.page
        (table,) = found.results["tables"]
        assert [column["key"] for column in table["columns"]] == ["seconds"]

    def test_a_tuned_network_is_named_as_tuned_beside_a_plain_one(self, store: Store, tmp_path: Path) -> None:
        trainings = [train(store, "mlp", 0.9, study_run="1" * 32), train(store, "mlp", 0.8)]
        for version, training in enumerate(trainings, start=1):
            evaluate(store, "mlp", 0.9 - version / 100, training, f"uci-mlp v{version}")
        ensemble(store, 0.95, "uci-mlp v1, uci-mlp v2")
        found = reported(store, tmp_path)
        members = {network: cell["detail"] for (network, _), cell in found.cells("members-uci").items()}
        assert members == {"mlp (tuned)": "uci-mlp v1, seed 0", "mlp": "uci-mlp v2, seed 0"}
        assert {network for network, _ in found.cells()} == {"mlp (tuned)"}
        assert any(picture["caption"].startswith("mlp (tuned): ") for picture in found.results["pictures"])

    def test_a_search_is_shown_before_anything_was_trained_on_its_dataset(self, store: Store, tmp_path: Path) -> None:
        train(store, "cnn", 0.9)
        about = {"digits.dataset": "mine", "digits.study": "s"}
        record(store, "tune", "mlp", [Result("best_value", 0.99), Result("trials", 8)], tags=about)
        assert "searches-mine" in {table["name"] for table in reported(store, tmp_path).results["tables"]}


def ensemble(store: Store, accuracy: float, members: str) -> None:
    measured = {"accuracy": accuracy, "vote_accuracy": 0.97, "members_accuracy": 0.965, "members_accuracy_std": 0.002}
    rows = [Result(*number, **TESTED) for number in measured.items()]
    record(store, "evaluate", "ensemble", rows, params={"model": "ensemble", "members": members})


def test_the_best_version_trained_here_represents_its_model(store: Store) -> None:
    ids = [train(store, "cnn", accuracy) for accuracy in (0.9, 0.97, 0.95)]
    register(store, ids[0], "cnn", 0.99, adapted_from="mnist-cnn v1")
    (best,) = best_versions(store, ids)
    assert (best.version, best.run_id) == (2, ids[1])
    store.client.set_registered_model_alias("uci-cnn", "champion", 3)
    assert best_versions(store, ids)[0].run_id == ids[2]


@without_drawing
class TestLostData:
    def test_figures_without_data_are_named_with_the_command_that_makes_them(
        self, filled: Filled, tmp_path: Path
    ) -> None:
        (run,) = past_runs(filled.store, "analyze")
        filled.store.client.set_tag(run.id, "mlflow.source.name", "digits analyze --model lenet")
        data = artifacts(filled.store, run.id) / "data"
        (data / "dendrogram.npz").write_bytes(b"damaged")
        (data / "map_kmeans.npz").unlink()
        preview = data.parent / "figures"
        preview.mkdir()
        (preview / "map_kmeans.png").touch()
        found = reported(filled.store, tmp_path)
        assert found.written.missing == {run.id: "digits analyze --model lenet"}
        assert "(analyze lenet); make them again with: digits analyze --model lenet" in found.page
        assert not {file for file in files_in(tmp_path) if "map_kmeans" in file or "dendrogram" in file}
        assert any("uci-lenet-map" in file for file in files_in(tmp_path))

    @pytest.mark.parametrize("content", [None, b"", b"damaged", b'[{"name": "none such"}]'])
    def test_a_report_goes_on_without_what_is_lost_or_damaged(
        self, filled: Filled, tmp_path: Path, content: bytes | None
    ) -> None:
        files: dict[Kind, str] = {
            "evaluate": "results.csv",
            "transfer": "discussion.json",
            "analyze": "data/explorer.npz",
        }
        runs = {kind: past_runs(filled.store, kind)[-1].id for kind in files}
        for kind, file in files.items():
            place = artifacts(filled.store, runs[kind]) / file
            place.unlink()
            if content is not None:
                place.write_bytes(content)
        found = reported(filled.store, tmp_path)
        assert set(found.written.missing) == set(runs.values())
        assert found.cells()

    def test_a_section_whose_figures_have_no_data_is_empty(self, filled: Filled, tmp_path: Path) -> None:
        evaluations = {run.id for run in past_runs(filled.store, "evaluate")}
        for run_id in evaluations:
            shutil.rmtree(artifacts(filled.store, run_id) / "data")
        written = report(filled.store, tmp_path)
        assert {"Mistakes", "Calibration"} <= set(written.left_out)
        assert evaluations <= set(written.missing)

    def test_runs_of_older_versions_are_left_out_and_named(self, store: Store, tmp_path: Path) -> None:
        def old_run(kind: Kind, parent: str, command: str) -> None:
            about = {"digits.model": "cnn", "digits.dataset": "uci", "digits.target": "usps"}
            with open_run(
                store, kind, f"{kind} cnn", parent=parent, tags=about | {"mlflow.source.name": command}
            ) as run:
                run.log_params({"digits": 1797, "components": 3})
                run.log_metrics({"accuracy": 0.5, "adapt/none": 0.4, "kmeans_10_both/ari": 0.1})

        training = train(store, "cnn", 0.9)
        commands = ("digits evaluate --model cnn", "digits transfer --model cnn --target usps")
        old_run("evaluate", training, commands[0])
        old_run("transfer", training, commands[1])
        old_run("transfer", "0" * 32, commands[1])  # of no network
        log = ProgressLog()
        found = reported(store, tmp_path, log)
        (line,) = log.lines
        assert "(evaluate cnn, transfer cnn)" in line
        assert line.endswith(f": {'; '.join(commands)}")
        assert {"Mistakes", "New domains"} <= found.written.left_out.keys()
        assert "(evaluate cnn, transfer cnn)" in found.page
        evaluate(store, "cnn", 0.9, training)
        transfer(store, "cnn", "usps", 0.7, training)
        log = ProgressLog()
        assert reported(store, tmp_path, log).cells()["cnn", "accuracy"]["value"] == 0.9
        assert log.lines == []

    def test_a_run_of_a_suite_is_made_again_by_its_own_command(self, store: Store) -> None:
        suite = {"mlflow.source.name": "digits run --profile full"}
        one = record(store, "evaluate", "lenet", params={"model": "uci-lenet v3"}, tags=suite)
        both = record(store, "evaluate", "lenet, cnn", params={"models": "lenet, cnn"}, tags=suite)
        commands = {past.id: repeat_command(past) for past in past_runs(store, "evaluate")}
        assert commands == {
            one: "digits evaluate --model models:/uci-lenet/3",
            both: "digits run --profile full --again",
        }


@without_drawing
class TestReplacement:
    def test_folders_of_killed_reports_are_removed_and_do_not_block_the_next(
        self, store: Store, tmp_path: Path
    ) -> None:
        train(store, "cnn", 0.9)
        report(store, tmp_path)
        left, lately = tmp_path / ".report-old", tmp_path / ".report-now"
        for place in (left, lately):
            place.mkdir()
        os.utime(left, (0, 0))
        (tmp_path / "results.json").rename(lately / "results.json")  # it was killed as it replaced the other
        assert reported(store, tmp_path).results["tables"]
        assert (left.exists(), lately.exists()) == (False, True)

    @pytest.mark.parametrize("failing", ["report_page", "rename"])
    def test_an_interrupted_report_leaves_the_old_one(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
    ) -> None:
        output = tmp_path / "out"
        output.mkdir()
        train(store, "cnn", 0.9)
        (output / "mine.txt").write_text("mine")
        report(store, output)
        before = {file: (output / file).read_bytes() for file in files_in(output)}
        calls = []

        def interrupted(self: Path, target: Path) -> Path:
            calls.append(target)
            if len(calls) == 6:  # the third file has left its place, and nothing has taken it
                raise KeyboardInterrupt
            return self.replace(target)

        def broken(_: object) -> str:
            raise KeyboardInterrupt

        train(store, "lenet", 0.95)
        with monkeypatch.context() as patch:
            if failing == "rename":
                patch.setattr(Path, "rename", interrupted)
            else:
                patch.setattr("experiments.workflows.report.run.report_page", broken)
            with pytest.raises(KeyboardInterrupt):
                report(store, output)
        assert {file: (output / file).read_bytes() for file in files_in(output)} == before
        assert not list(output.glob(".report-*"))
        assert {network for network, _ in reported(store, output).cells()} == {"cnn", "lenet"}
        assert (output / "mine.txt").read_text() == "mine"

    def test_files_of_others_are_not_replaced(self, store: Store, tmp_path: Path) -> None:
        train(store, "cnn", 0.9)
        (tmp_path / "index.html").write_text("mine")
        for folder in (tmp_path, tmp_path / "index.html"):
            with pytest.raises(DigitsError, match="--output") as refused:
                report(store, folder)
            assert "index.html" in str(refused.value)
        assert (tmp_path / "index.html").read_text() == "mine"


@without_drawing
def test_the_command_writes_a_report_and_checks_it(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train(store, "cnn", 0.9)
    for words in (["--output", str(tmp_path)], ["--check", str(tmp_path / "results.json")]):
        with pytest.raises(SystemExit) as end:
            main(["report", *words, "--json"])
        said = capfd.readouterr()
        assert (end.value.code, said.out.count("\n")) == (0, 1), said.err
        assert "Downloading" not in said.err
    assert json.loads(said.out)["agrees"] is True
    file = tmp_path / "results.json"
    file.write_text(file.read_text().replace("12.5", "13.5"))
    with pytest.raises(SystemExit) as end:
        main(["report", "--check", str(file)])
    assert end.value.code == 1
    assert "seconds: 13.5 here, 12.5 in the store" in capfd.readouterr().err


@pytest.mark.slow
@without_drawing
def test_a_server_is_read_like_a_database(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = reported(filled.store, tmp_path / "here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", filled.store.uri, "--workers", "1"]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        remote = _opened(server)
        there = reported(remote, tmp_path / "there")
        assert check(remote, tmp_path / "here" / "results.json").numbers > 30
    finally:
        server.terminate()
        server.wait(20)
    assert files_in(tmp_path / "there") == files_in(tmp_path / "here")
    assert there.results["tables"] == here.results["tables"]


def _opened(server: "subprocess.Popen[bytes]") -> Store:
    while server.poll() is None:
        with suppress(DigitsError, MlflowException):
            return open_store()
        time.sleep(0.2)
    raise AssertionError("the server has ended")
