"""`digits transfer`: how its words are read, what it prints, what it refuses, and how it resumes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Trained
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digits_cli.main import main
from digits_cli.transfer import parse_few_shot
from experiments import datasets
from experiments.errors import UsageError

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Ran:
    """Return a function that runs the command and returns exit code, stdout and stderr."""

    def ran(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["transfer", *words])
        printed = capfd.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return ran


@given(st.lists(st.one_of(st.integers(1, 500), st.just("all")), min_size=1))
def test_numbers_of_labeled_images_are_read_once_and_in_order(words: list[int | str]) -> None:
    numbers = sorted({word for word in words if isinstance(word, int)})
    assert parse_few_shot(", ".join(map(str, words))) == (*numbers, *([None] if "all" in words else []))
    assert parse_few_shot(None) == ()


@pytest.mark.parametrize("text", ["", "0", "1,,5", "-1", "half", "1.5", "all,none", "²", "1000000000"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--few-shot"):
        parse_few_shot(text)


@pytest.mark.slow
@pytest.mark.usefixtures("trained", "no_figures")
def test_networks_are_shown_in_a_table_and_as_json(run: Ran) -> None:
    code, out, err = run(*"--model lenet --model mlp_small --target uci-deskewed --adapt align --json".split())
    assert code == 0, err
    value = json.loads(out)
    assert value.keys() == {"run_id", "results", "few_shot", "skipped", "discussion"}
    n = len(datasets.load("uci").test)
    assert [row["adapt"] for row in value["results"]] == ["none", "align"] * 2
    for row in value["results"]:
        assert (row["source"], row["target"], row["n"]) == ("uci", "uci-deskewed", n)
        assert f"{row['accuracy']:.4f}" in err
    for one in value["results"][1]["ladder"]:
        assert f"{one['entropy_unlabelled']:.4f}" in err
    assert value["run_id"] in err
    assert "Models from uci to uci-deskewed" in value["discussion"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_killed_transfer_resumes_in_its_run(run: Ran, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for number, image in enumerate(np.roll(datasets.load("uci").test.images[:60], 2, axis=1)):
        Image.fromarray(image).save(tmp_path / "mine" / f"{number}.png")
    words = (*"--model mlp_small --adapt shot --adapt self-training --json --target".split(), str(tmp_path / "mine"))
    command = [sys.executable, "-m", "digits_cli", "transfer", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as killed:
        assert killed.stderr
        assert any(line.endswith(": shot\n") for line in killed.stderr)
        killed.kill()
        assert killed.communicate()[0] == ""
    assert killed.returncode == -signal.SIGKILL
    client, experiment = trained.store.client, trained.store.experiment_id
    (unfinished,) = client.search_runs([experiment], "attributes.status = 'RUNNING'")
    computed = {file: file.stat().st_mtime_ns for file in trained.store.root.glob(".digits/features/*/*/transfer-*/*")}
    assert computed
    code, out, err = run(*words)
    assert code == 0, err
    value = json.loads(out)
    assert [row["adapt"] for row in value["results"]] == ["none", "shot", "self-training"]
    assert value["run_id"] == unfinished.info.run_id
    assert client.get_run(value["run_id"]).info.status == "FINISHED"
    assert {file: file.stat().st_mtime_ns for file in computed} == computed


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("--model lenet --target uci", 2, "digits evaluate"),
        ("--model lenet --target nowhere", 2, "'nowhere'"),
        ("--model lenet --target {empty}", 1, "{empty}"),
        ("--model lenet --target uci-c --adapt shoot", 2, "did you mean shot"),
        ("--model lenet --target uci-c --few-shot none", 2, "--few-shot"),
        ("--model lenet --target uci-c --register", 2, "choose a method"),
        ("--model lenet --target uci-c --seed -1", 2, "received -1"),
        (f"--model lenet --target uci-c --seed {2**31}", 2, "received 2147483648"),
        ("--model lennet --target uci-c", 2, "did you mean lenet"),
        ("--target uci-c", 2, "--model"),
        ("--model lenet", 2, "--target"),
    ],
)
@pytest.mark.usefixtures("trained")
def test_what_cannot_be_done_is_one_line(run: Ran, words: str, code: int, reason: str, tmp_path: Path) -> None:
    ended, out, err = run(*words.format(empty=tmp_path).split())
    assert (ended, out) == (code, "")
    assert reason.format(empty=tmp_path) in err.splitlines()[-1]
    assert "Traceback" not in err
