"""`digits transfer`: how its words are read, what it prints, what it refuses, and how it resumes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Digits, Trained
from hypothesis import given
from hypothesis import strategies as st
from picture_writer import put_digits

from digits_cli.transfer import parse_few_shot
from experiments import datasets
from experiments.errors import UsageError


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
@pytest.mark.usefixtures("trained", "no_figures", "no_shift")
def test_networks_are_shown_in_a_table_and_as_json(digits: Digits) -> None:
    ended = digits("transfer --model lenet --model mlp_small --target uci-deskewed --adapt align --json")
    value, err = ended.value(), ended.err
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
def test_a_killed_transfer_resumes_in_its_run(digits: Digits, trained: Trained, tmp_path: Path) -> None:
    put_digits(tmp_path / "mine", np.roll(datasets.load("uci").test.images[:60], 2, axis=1))
    words = f"transfer --model mlp_small --adapt shot --adapt self-training --json --target {tmp_path}/mine"
    command = [sys.executable, "-m", "digits_cli", *words.split()]
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
    value = digits(words).value()
    assert [row["adapt"] for row in value["results"]] == ["none", "shot", "self-training"]
    assert value["run_id"] == unfinished.info.run_id
    assert client.get_run(value["run_id"]).info.status == "FINISHED"
    assert {file: file.stat().st_mtime_ns for file in computed} == computed
