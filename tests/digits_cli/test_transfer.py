"""`digits transfer`: how its words are read, what it prints, what it refuses."""

import json
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
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.errors import UsageError

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Ran:
    """Return a function that runs the command and returns exit code, stdout and stderr."""

    def ran(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["transfer", *words])
        said = capfd.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return ran


@given(st.lists(st.one_of(st.integers(1, 500), st.just("all")), min_size=1))
def test_numbers_of_labelled_digits_are_read_once_and_in_order(words: list[int | str]) -> None:
    read = parse_few_shot(", ".join(map(str, words)))
    numbers = sorted({word for word in words if isinstance(word, int)})
    assert read == (*numbers, *([None] if "all" in words else []))


@pytest.mark.parametrize("text", ["", "0", "1,,5", "-1", "half", "1.5", "all,none", "²"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--few-shot needs"):
        parse_few_shot(text)


def test_no_few_shot_is_none() -> None:
    assert parse_few_shot(None) == ()


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_networks_are_shown_in_a_table_and_as_json(run: Ran) -> None:
    code, out, err = run(*"--model lenet --model mlp_small --target uci-deskewed --json".split())
    assert code == 0, err
    value = json.loads(out)
    assert value.keys() >= {"run_id", "results"}
    n = len(datasets.load("uci").test)
    for row in value["results"]:
        assert row.keys() >= {"model", "source", "target", "adapt", "accuracy", "n", "seconds"}
        assert (row["source"], row["target"], row["adapt"], row["n"]) == ("uci", "uci-deskewed", "none", n)
        assert f"{row['accuracy']:.4f}" in err
    assert "Models from uci to uci-deskewed: comparison." in value["discussion"]


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a hundred pictures of digits, dark on light, and no word on what they are."""
    folder = tmp_path_factory.mktemp("scans")
    images = corrupt(datasets.load("uci").test.take(range(120)), "scale").images
    for number, image in enumerate(images):
        Image.fromarray(np.invert(np.pad(image, 6))).save(folder / f"scan-{number:03}.png")
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_digits_that_nobody_labelled_are_predicted(run: Ran, unlabelled: Path, trained: Trained) -> None:
    from mlflow.artifacts import load_text

    words = ("--model", "mlp_small", "--target", str(unlabelled), "--adapt", "align", "--few-shot", "1", "--json")
    code, out, err = run(*words)
    assert code == 0, err
    value = json.loads(out)
    assert [row["adapt"] for row in value["results"]] == ["none", "align"]
    assert {row["accuracy"] for row in value["results"]} == {None}
    assert [one["adapt"] for one in value["skipped"]][-1] == "few-shot"
    place = trained.store.client.get_run(value["run_id"]).info.artifact_uri
    header, *rows = str(load_text(f"{place}/predictions.csv")).splitlines()
    assert header == "file,predicted,probability"
    assert len(rows) == 120


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--model lenet --target uci", 2, "uci is not a new domain for uci-lenet v1"),
        ("--model lenet --target nowhere", 2, "there is no dataset or folder 'nowhere'"),
        ("--model lenet --target uci-c --adapt shoot", 2, "did you mean shot"),
        ("--model lenet --target uci-c --few-shot none", 2, "--few-shot needs"),
        ("--model lenet --target uci-c --register", 2, "choose a method"),
        ("--model lenet --target uci-c --seed -3", 2, "received -3"),
        ("--model lennet --target uci-c", 2, "did you mean lenet"),
        ("--target uci-c", 2, "Missing option"),
        ("--model lenet", 2, "Missing option"),
    ],
)
@pytest.mark.usefixtures("trained")
def test_what_cannot_be_done_is_one_line(run: Ran, words: str, code: int, said: str) -> None:
    ended, out, err = run(*words.split())
    assert (ended, out) == (code, "")
    assert said in err.splitlines()[-1]
    assert "Traceback" not in err


def test_an_empty_folder_is_one_line(run: Ran, trained: Trained, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    code, _, err = run("--model", "lenet", "--target", str(empty))
    assert code == 1
    assert f"{empty} holds no digits" in err.splitlines()[-1]
    assert trained.results
