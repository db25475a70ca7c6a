"""The published results: their Markdown is made of their numbers, and what the README quotes is what they say."""

import json
import re
from pathlib import Path

import pytest

from experiments.models import MODELS
from experiments.reporting import results_markdown

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "reports"
RESULTS = (REPORTS / "RESULTS.md").read_text()
NUMBERS = json.loads((REPORTS / "results.json").read_text())
README = (ROOT / "README.md").read_text()
PICTURE = r"!\[[^\]]*\]\(([^)]+)\)"

Table = dict[str, dict[str, str]]


def table(text: str, head: str) -> Table:
    """Return the first table whose head begins with `head`: its cells by the first cell of the row and by column."""
    lines = text[text.index(head) :].partition("\n\n")[0].splitlines()
    columns, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines)
    return {row[0].strip("`"): dict(zip(columns, row, strict=True)) for row in rows}


PUBLISHED = table(RESULTS, "| network ")
QUOTED = table(README, "| network | Parameters")


def test_the_published_text_is_made_of_the_published_numbers() -> None:
    assert results_markdown(NUMBERS) == RESULTS


def test_all_networks_of_the_suite_have_results() -> None:
    assert {name for name in MODELS if not name.startswith("simple")} - {"alexnet227"} <= set(PUBLISHED)


def test_pictures_are_there_and_light() -> None:
    pictures = [REPORTS / file for file in re.findall(PICTURE, RESULTS)]
    assert pictures
    assert sum(picture.stat().st_size for picture in pictures) < 5_000_000


def test_the_readme_shows_four_pictures_of_the_results() -> None:
    shown = [file for file in re.findall(PICTURE, README) if file.startswith("reports/")]
    assert len(shown) == 4
    for file in shown:
        assert (ROOT / file).exists(), file


@pytest.mark.parametrize("network", QUOTED)
def test_the_readme_quotes_the_results(network: str) -> None:
    for column, cell in QUOTED[network].items():
        assert cell.strip("`") == PUBLISHED[network][column], column
