"""The published results: the Markdown follows from the numbers, and the README quotes them."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from experiments.models import trained_by
from experiments.reporting.page.readme import with_results
from experiments.reporting.page.results import results_markdown

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "reports"
RESULTS = (REPORTS / "RESULTS.md").read_text()
NUMBERS = json.loads((REPORTS / "results.json").read_text())
README = (ROOT / "README.md").read_text()
RECORD = json.loads((REPORTS / "record" / "results.json").read_text())
RECORD_TEXT = (ROOT / "docs" / "record.md").read_text()
PICTURE = r"!\[[^\]]*\]\(([^)]+)\)"

Table = dict[str, dict[str, str]]


def table(text: str, head: str) -> Table:
    """Return the first table whose head begins with `head`: its cells by the first cell of the row and by column."""
    lines = text[text.index(head) :].partition("\n\n")[0].splitlines()
    columns, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines)
    return {row[0].strip("`"): dict(zip(columns, row, strict=True)) for row in rows}


PUBLISHED = table(RESULTS, "| network ")


@pytest.mark.parametrize("folder", [REPORTS, REPORTS / "record"], ids=lambda folder: folder.name)
def test_the_published_text_is_made_of_the_published_numbers(folder: Path) -> None:
    text = (folder / "RESULTS.md").read_text()
    assert results_markdown(json.loads((folder / "results.json").read_text())) == text
    assert all((folder / file).exists() for file in re.findall(PICTURE, text))


def test_all_networks_of_the_suite_have_results() -> None:
    assert {*trained_by("full")} <= {name.removesuffix(" (tuned)") for name in PUBLISHED}


def test_pictures_are_light() -> None:
    assert 0 < sum((REPORTS / file).stat().st_size for file in re.findall(PICTURE, RESULTS)) < 5_000_000


def test_the_readme_quotes_the_results_and_shows_four_of_their_pictures() -> None:
    assert with_results(README, NUMBERS) == README
    shown = [file for file in re.findall(PICTURE, README) if file.startswith("reports/")]
    assert len(shown) == 4
    assert [file for file in shown if not (ROOT / file).exists()] == []


def test_the_questions_quote_the_times() -> None:
    said = " ".join((ROOT / "docs" / "faq.md").read_text().split())
    alexnet, vgg, resnet = (
        round(float(PUBLISHED[name]["Training time"].removesuffix(" min"))) for name in ("alexnet", "vgg", "resnet")
    )
    assert vgg == resnet
    assert f"`alexnet` ({alexnet} minutes), `vgg` and `resnet` ({vgg} each)" in said


def cells_of(name: str) -> list[dict[str, Any]]:
    """Return the cells of a table of the record."""
    (found,) = (one for one in RECORD["tables"] if one["name"] == name)
    return list(found["cells"])


def spread(numbers: Iterable[float]) -> str:
    """Return mean and standard deviation of shares, in per cent."""
    shares = [100 * number for number in numbers]
    return f"{fmean(shares):.2f} ± {stdev(shares):.2f}"


@pytest.mark.parametrize(
    ("column", "key"), [("test accuracy, %", "accuracy"), ("validation accuracy, %", "validation")]
)
def test_the_record_is_quoted_as_it_was_measured(column: str, key: str) -> None:
    lines = table(RECORD_TEXT, "| | test acc").items()
    quoted = {name.split(",")[0].strip("`"): cells[column] for name, cells in lines}
    alone: dict[str, list[float]] = {}
    for cell in cells_of("members-mnist"):
        if cell["column"] == key:
            alone.setdefault(cell["network"], []).append(cell["value"])
    assert {name: len(shares) for name, shares in alone.items()} == dict.fromkeys(sorted(alone), 3)
    assert {name: quoted[name] for name in alone} == {name: spread(shares) for name, shares in alone.items()}
    assert quoted["the twelve alone"] == spread(share for shares in alone.values() for share in shares)


def test_the_ensemble_is_quoted_as_it_was_measured() -> None:
    cells = {cell["column"]: cell for cell in cells_of("ensembles-mnist")}
    together = {key: f"{100 * cell['value']:.2f}" for key, cell in cells.items()}
    low, high = (f"{100 * cells['accuracy'][bound]:.2f}" for bound in ("low", "high"))
    assert f"**{together['accuracy']}** ({low} to {high})" in RECORD_TEXT
    assert f"majority vote | {together['vote']} |" in RECORD_TEXT
    for text in (README, (ROOT / "CHANGELOG.md").read_text()):
        assert {f"{together['accuracy']} %", f"{together['alone']} %"} <= set(re.findall(r"[\d.]+ %", text))
