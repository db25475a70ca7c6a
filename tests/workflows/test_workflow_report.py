"""A report from a tracking store: its content, and its replacement in one step."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from small_stores import (
    ACCURACIES,
    HOSTILE,
    TESTED,
    analyze,
    cells,
    compare_transfers,
    evaluate,
    files,
    fill,
    register,
    results,
    tags,
    train,
    transfer,
)

from digits_cli.main import main
from experiments.errors import DigitsError
from experiments.execution.progress import Progress
from experiments.reporting.picture_files import PictureJob
from experiments.results import Result, to_table
from experiments.tracking import Store, open_run, open_store
from experiments.tracking.registry import best_versions
from experiments.tracking.runs import Kind
from experiments.workflows.report.check import check
from experiments.workflows.report.run import report

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture
def trainings(store: Store) -> dict[str, str]:
    """Fill the store; return the trainings' ids."""
    return fill(store)


def test_all_numbers_are_reported_with_their_run(store: Store, trainings: dict[str, str], tmp_path: Path) -> None:
    written = report(store, tmp_path / "out")
    assert (written.networks, written.left_out, written.missing) == (2, {}, {})
    found, shown = results(tmp_path / "out"), cells(tmp_path / "out", "networks-uci")
    assert [network for network, column in shown if column == "accuracy"] == ["cnn", "lenet"]
    for column, value in {"parameters": 1210, "size": 2_345_678, "seconds": 12.5}.items():
        assert (shown["cnn", column]["value"], shown["cnn", column]["run_id"]) == (value, trainings["cnn"]), column
    assert shown["cnn", "accuracy"]["value"] == ACCURACIES["cnn"]
    assert shown["cnn", "latency"]["value"] == 3.25
    assert shown["cnn", "latency"]["run_id"] == shown["cnn", "accuracy"]["run_id"]
    assert shown["cnn", "usps/none"]["value"] == 0.7
    assert shown["cnn", "usps/align"]["value"] == 0.75
    assert shown["cnn", "usps/adapted"]["method"] == "shot"
    assert shown["cnn", "uci-c/error"]["value"] == 1.1
    assert "adabn" not in {column["key"] for table in found["tables"] for column in table["columns"]}
    assert {cell["run_id"] for table in found["tables"] for cell in table["cells"]} <= found["runs"].keys()
    assert [curve["values"]["3"] for curve in found["curves"]] == pytest.approx([0.98 - 0.1 / 3, 0.95 - 0.1 / 3])


@pytest.mark.usefixtures("trainings")
def test_size_and_latency_are_written_with_their_units(store: Store, tmp_path: Path) -> None:
    report(store, tmp_path / "out")
    table = (tmp_path / "out" / "RESULTS.md").read_text().partition("| network ")[2]
    heads, _, first = ([cell.strip() for cell in line.split("|")] for line in table.splitlines()[:3])
    cells = dict(zip(heads[1:], first[2:], strict=True))
    assert (cells["Size, MB"], cells["Latency, ms"]) == ("2.35", "3.25")


def test_an_ensemble_stands_beside_its_members(store: Store, trainings: dict[str, str], tmp_path: Path) -> None:
    for accuracy in (0.96, 0.99):  # the latest counts
        with open_run(store, "evaluate", "ensemble of 2 on uci", tags=tags("ensemble")) as run:
            run.log_params({"model": "ensemble", "members": "uci-cnn v1, uci-lenet v1, uci-lenet v2"})
            measured = {"accuracy": accuracy, "vote_accuracy": 0.97, "members_accuracy": 0.965}
            measured["members_accuracy_std"] = 0.002
            run.log_results(to_table(Result(metric, value, "ensemble", **TESTED) for metric, value in measured.items()))
    for name, accuracy in (("cnn", 0.95), ("lenet", 0.98), ("resnet", 0.97)):  # the last is no member
        with open_run(store, "evaluate", f"{name} on uci", parent=trainings.get(name), tags=tags(name)) as run:
            run.log_params({"model": f"uci-{name} v1"})
            run.log_results(to_table([Result("accuracy", accuracy, name, **TESTED)]))
    report(store, tmp_path / "report")
    members = cells(tmp_path / "report", "members-uci")
    alone = [
        (network, cell["detail"], cell["value"]) for (network, column), cell in members.items() if column == "accuracy"
    ]
    assert alone == [("lenet", "uci-lenet v1, seed 0", 0.98), ("cnn", "uci-cnn v1, seed 0", 0.95)]
    trained = {cell["run_id"] for (_, column), cell in members.items() if column == "seconds"}
    assert trained == set(trainings.values())
    assert "An ensemble of 3 networks has 99.00 % accuracy on" in results(tmp_path / "report")["lead"]
    together = cells(tmp_path / "report", "ensembles-uci")
    assert {(network, cell["detail"]) for (network, _), cell in together.items()} == {
        ("3 networks", "uci-cnn v1, uci-lenet v1 v2")
    }
    assert {column: cell["value"] for (_, column), cell in together.items()} == {
        "accuracy": 0.99, "vote": 0.97, "alone": 0.965, "spread": 0.002,
    }  # fmt: skip


def test_a_training_without_counts_leaves_their_columns_empty(store: Store, tmp_path: Path) -> None:
    with open_run(store, "train", "cnn", tags=tags("cnn")) as run:
        run.log_results(to_table([Result("train_seconds", 12.5, "cnn")]))
    register(store, run.id, "cnn", 0.9)
    report(store, tmp_path / "out")
    (table,) = results(tmp_path / "out")["tables"]
    assert [column["key"] for column in table["columns"]] == ["seconds"]


def test_the_page_has_every_file_it_names(store: Store, tmp_path: Path) -> None:
    fill(store)
    report(store, tmp_path / "out")
    here = files(tmp_path / "out")
    found = results(tmp_path / "out")
    pictures = {picture[kind] for picture in found["pictures"] for kind in ("file", "preview")}
    assert {
        "figures/uci-learning.png",
        "figures/uci-accuracy-parameters.png",
        "figures/uci-missed-by-all.png",
    } <= pictures
    assert here == {"index.html", "results.json", "RESULTS.md", "explorers/uci-lenet.html", *pictures}
    page = (tmp_path / "out" / "index.html").read_text()
    assert HOSTILE not in page
    assert "near is near &lt;script&gt;" in page
    assert 'href="explorers/uci-lenet.html"' in page


def test_sections_without_runs_name_the_command_that_makes_them(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="no network has been trained in digits; run: digits run"):
        report(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    train(store, "cnn", 0.9)
    written = report(store, tmp_path / "out")
    assert set(written.left_out) >= {"Mistakes", "Calibration", "Feature space", "New domains", "Searches"}
    assert "Nothing here yet. <code>digits tune mlp</code> makes it." in (tmp_path / "out" / "index.html").read_text()
    assert "accuracy" not in {column["key"] for column in results(tmp_path / "out")["tables"][0]["columns"]}


def test_the_best_version_trained_here_stands_for_its_model(store: Store) -> None:
    ids = [train(store, "cnn", accuracy) for accuracy in (0.9, 0.97, 0.95)]
    register(store, ids[0], "cnn", 0.99, adapted_from="mnist-cnn v1")
    (best,) = best_versions(store, ids)
    assert (best.version, best.run_id) == (2, ids[1])
    store.client.set_registered_model_alias("uci-cnn", "champion", 3)
    assert best_versions(store, ids)[0].run_id == ids[2]


def test_the_latest_evaluation_counts(store: Store, trainings: dict[str, str], tmp_path: Path) -> None:
    time.sleep(0.01)
    run_id = evaluate(store, "cnn", 0.5, trainings["cnn"])
    report(store, tmp_path / "out")
    shown = cells(tmp_path / "out", "networks-uci")
    assert [network for network, column in shown if column == "accuracy"] == ["lenet", "cnn"]
    assert shown["cnn", "accuracy"]["run_id"] == run_id


def test_an_analysis_of_few_digits_does_not_stand_for_one_of_all(
    store: Store, trainings: dict[str, str], tmp_path: Path
) -> None:
    analyze(store, "lenet", trainings["lenet"], digits=100)
    whole = analyze(store, "lenet", trainings["lenet"])
    analyze(store, "lenet", trainings["lenet"], digits=100)
    report(store, tmp_path / "out")
    assert {cell["run_id"] for cell in cells(tmp_path / "out", "features-uci").values()} == {whole}


@pytest.mark.usefixtures("trainings")
def test_all_comparisons_that_add_networks_are_shown(store: Store, tmp_path: Path) -> None:
    for versions in ("uci-cnn v1, uci-old v7", "uci-lenet v1", "uci-cnn v1", "uci-old v7"):
        time.sleep(0.01)
        compare_transfers(store, versions, "usps")
    report(store, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    assert [f"{versions} are compared" in page for versions in ("uci-cnn v1", "uci-lenet v1", "uci-old v7")] == [
        True, True, False,
    ]  # fmt: skip
    (matrix,) = (one for one in results(tmp_path / "out")["pictures"] if one["file"] == "figures/transfer-matrix.png")
    assert matrix["main"]
    assert len(matrix["run_ids"]) == 5  # two evaluations, three transfers


def test_a_tuned_network_is_shown_as_tuned(store: Store, tmp_path: Path) -> None:
    tuned = train(store, "mlp", 0.9, study_run="1" * 32)
    evaluate(store, "mlp", 0.9, tuned)
    report(store, tmp_path / "out")
    found = results(tmp_path / "out")
    assert {network for network, _ in cells(tmp_path / "out", "networks-uci")} == {"mlp (tuned)"}
    captions = [picture["caption"] for picture in found["pictures"]]
    assert any(caption.startswith("mlp (tuned): ") for caption in captions)


def test_a_plain_network_beside_a_tuned_one_keeps_its_name(store: Store, tmp_path: Path) -> None:
    trainings = [train(store, "mlp", 0.9, study_run="1" * 32), train(store, "mlp", 0.8)]
    for version, training in enumerate(trainings, start=1):
        with open_run(store, "evaluate", "mlp on uci", parent=training, tags=tags("mlp")) as run:
            run.log_params({"model": f"uci-mlp v{version}"})
            run.log_results(to_table([Result("accuracy", 0.9 - version / 100, "mlp", **TESTED)]))
    with open_run(store, "evaluate", "ensemble of 2 on uci", tags=tags("ensemble")) as run:
        run.log_params({"model": "ensemble", "members": "uci-mlp v1, uci-mlp v2"})
        run.log_results(to_table([Result("accuracy", 0.95, "ensemble", **TESTED)]))
    report(store, tmp_path / "out")
    members = {network: cell["detail"] for (network, _), cell in cells(tmp_path / "out", "members-uci").items()}
    assert members == {"mlp (tuned)": "uci-mlp v1, seed 0", "mlp": "uci-mlp v2, seed 0"}


def test_runs_of_older_versions_are_left_out_and_named(store: Store, tmp_path: Path) -> None:
    class Log(Progress):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def log(self, text: str) -> None:
            self.lines.append(text)

    def old_run(kind: Kind, name: str, parent: str, command: str) -> None:
        about = {**tags("cnn"), "digits.target": "usps", "mlflow.source.name": command}
        with open_run(store, kind, name, parent=parent, tags=about) as run:
            run.log_params({"digits": 1797, "components": 3})
            run.log_metrics({"accuracy": 0.5, "adapt/none": 0.4, "kmeans_10_both/ari": 0.1})

    training = train(store, "cnn", 0.9)
    old_run("evaluate", "cnn on uci", training, "digits evaluate --model cnn")
    old_run("transfer", "transfer cnn on usps", training, "digits transfer --model cnn --target usps")
    old_run("transfer", "cnn by shot", "0" * 32, "digits transfer --model cnn --target usps")  # of no network
    log = Log()
    written = report(store, tmp_path / "out", log)
    assert log.lines == [
        "left out runs of an older version (cnn on uci, transfer cnn on usps); make them again with: "
        "digits evaluate --model cnn; digits transfer --model cnn --target usps"
    ]
    assert {"Mistakes", "New domains"} <= written.left_out.keys()
    assert "runs of an older version (cnn on uci" in (tmp_path / "out" / "index.html").read_text()
    evaluate(store, "cnn", 0.9, training)
    transfer(store, "cnn", "usps", 0.7, training, [])
    log = Log()
    report(store, tmp_path / "out", log)
    assert log.lines == []
    assert cells(tmp_path / "out", "networks-uci")["cnn", "accuracy"]["value"] == 0.9


@pytest.mark.usefixtures("trainings")
def test_folders_of_killed_reports_are_removed(store: Store, tmp_path: Path) -> None:
    report(store, tmp_path / "out")
    left, lately = tmp_path / "out" / ".report-old", tmp_path / "out" / ".report-now"
    for place in (left, lately):
        place.mkdir()
    os.utime(left, (0, 0))
    report(store, tmp_path / "out")
    assert (left.exists(), lately.exists()) == (False, True)


def test_a_report_that_was_killed_as_it_replaced_another_does_not_block_the_next(store: Store, tmp_path: Path) -> None:
    train(store, "cnn", 0.9)
    report(store, tmp_path)
    (tmp_path / ".report-old").mkdir()
    (tmp_path / "results.json").rename(tmp_path / ".report-old" / "results.json")
    report(store, tmp_path)
    assert results(tmp_path)["tables"]


def test_a_search_is_shown_before_anything_was_trained_on_its_dataset(store: Store, tmp_path: Path) -> None:
    train(store, "cnn", 0.9)
    about = {"digits.model": "mlp", "digits.dataset": "mine", "digits.study": "s"}
    with open_run(store, "tune", "tune", tags=about) as run:
        run.log_results(to_table([Result("best_value", 0.99, "mlp"), Result("trials", 8, "mlp")]))
    report(store, tmp_path)
    assert "searches-mine" in {table["name"] for table in results(tmp_path)["tables"]}


def test_networks_in_target_domains_are_sorted_by_source_accuracy(
    store: Store, trainings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(output: Path) -> list[str]:
        drawn: list[list[str]] = []

        def recorded(job: PictureJob) -> tuple[int, int]:
            if job.drawing.figure == "transfer_matrix":
                drawn.append([*job.drawing.data["accuracies"]])
            for file in (job.picture, job.preview):
                file.touch()
            return 40, 30

        monkeypatch.setattr("experiments.reporting.picture_files._draw", recorded)
        report(store, output)
        (found,) = drawn
        return found

    assert rows(tmp_path / "before") == ["cnn on uci", "lenet on uci"]
    evaluate(store, "lenet", 0.99, trainings["lenet"])
    assert rows(tmp_path / "after") == ["lenet on uci", "cnn on uci"]


@pytest.mark.parametrize("failing", ["report_page", "rename"])
def test_an_interrupted_report_leaves_the_old_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    train(store, "cnn", 0.9)
    output = tmp_path / "out"
    output.mkdir()
    (output / "mine.txt").write_text("mine")
    report(store, output)
    before = {file: (output / file).read_bytes() for file in files(output)}
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
    assert {file: (output / file).read_bytes() for file in files(output)} == before
    assert not list(output.glob(".report-*"))
    report(store, output)
    assert (output / "mine.txt").read_text() == "mine"
    assert {network for network, _ in cells(output, "networks-uci")} == {"cnn", "lenet"}


def test_files_of_others_are_not_replaced(store: Store, tmp_path: Path) -> None:
    train(store, "cnn", 0.9)
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(DigitsError, match=r"holds index\.html that no report wrote"):
        report(store, tmp_path)
    with pytest.raises(DigitsError, match="is not a folder"):
        report(store, tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text() == "mine"


def test_the_command(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train(store, "cnn", 0.9)
    output = tmp_path / "out"
    for words, code in (["--output", str(output)], 0), (["--check", str(output / "results.json")], 0):
        with pytest.raises(SystemExit) as end:
            main(["report", *words, "--json"])
        said = capfd.readouterr()
        assert (end.value.code, said.out.count("\n")) == (code, 1), said.err
        assert "Downloading" not in said.err
    assert json.loads(said.out)["agrees"] is True
    text = (output / "results.json").read_text()
    (output / "results.json").write_text(text.replace("12.5", "13.5"))
    with pytest.raises(SystemExit) as end:
        main(["report", "--check", str(output / "results.json")])
    assert end.value.code == 1
    assert "error: " in (said := capfd.readouterr()).err
    assert "seconds: 13.5 here, 12.5 in the store" in said.err


@pytest.mark.slow
def test_a_server_is_read_like_a_database(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    report(store, tmp_path / "here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store.uri, "--workers", "1"]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        remote = _opened(server)
        report(remote, tmp_path / "there")
        assert check(remote, tmp_path / "here" / "results.json").numbers > 30
    finally:
        server.terminate()
        server.wait(20)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert results(tmp_path / "there")["tables"] == results(tmp_path / "here")["tables"]


def _opened(server: "subprocess.Popen[bytes]") -> Store:
    for _ in range(300):
        assert server.poll() is None
        try:
            return open_store()
        except (DigitsError, MlflowException):
            time.sleep(0.2)
    raise AssertionError("the server does not answer")
