"""What is written to a table comes out of it again, by parsers of others."""

import csv
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from experiments.evaluation import predictions_table
from experiments.results import csv_text, is_numeric, markdown_table

# Without the characters that Markdown gives a meaning of its own, but for those that would break a table.
CELLS = st.text(st.sampled_from("abzAZ019äß漢 .,:;/@%+-=()|\\\n\r"), max_size=12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)


class _Table(HTMLParser):
    """Collects the rows of a table in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the signature is HTMLParser's
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append("")
            self._in_cell = True
        elif tag == "br":
            self.rows[-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in {"th", "td"}

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def parsed(markdown: str) -> list[list[str]]:
    """Return headers and rows as a GitHub Markdown parser understands them."""
    table = _Table()
    table.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
    return table.rows


def stripped(cell: str) -> str:
    return "\n".join(cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip(" ")


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_a_markdown_parser_finds_every_cell(lines: list[list[str]]) -> None:
    headers, *rows = lines
    assert parsed(markdown_table(headers, rows)) == [[stripped(cell) for cell in line] for line in lines]


def test_a_markdown_table_is_aligned_as_text_too() -> None:
    rows = [("mlp_small", "0.9816", 101_770), ("cnn", "0.98", np.int64(225_034))]
    assert markdown_table(["model", "accuracy", "parameters"], rows).split("\n") == [
        "| model     | accuracy | parameters |",
        "| :-------- | -------: | ---------: |",
        "| mlp_small |   0.9816 |     101770 |",
        "| cnn       |     0.98 |     225034 |",
    ]


def test_one_cell_that_is_no_number_keeps_its_column_to_the_left() -> None:
    assert ":---" in markdown_table(["value"], [[0.5], ["none"]]).split("\n")[1]


@given(st.lists(st.integers() | st.floats(), min_size=1))
def test_numbers_are_numeric_however_they_are_written(values: list[float]) -> None:
    assert is_numeric(values)
    assert is_numeric([f"{value:,}" for value in values])
    assert is_numeric([f"{value:.2g}" for value in values])


@pytest.mark.parametrize("cells", [[], [""], ["28x28"], [1, "none"], ["60,000 + 10,000"]])
def test_anything_else_is_not_numeric(cells: list[object]) -> None:
    assert not is_numeric(cells)


def test_a_table_without_rows_has_its_headers() -> None:
    assert markdown_table(["model", "a"], []).split("\n") == ["| model | a   |", "| :---- | :-- |"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs 2 cells, received 3: \[1, 2, 3\]"):
        markdown_table(["a", "b"], [[1, 2, 3]])


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@settings(deadline=None)
@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans(), min_size=1, max_size=4), max_size=5))
def test_a_csv_reader_finds_every_cell(rows: list[dict[str, object]]) -> None:
    columns = {name for row in rows for name in row}
    assert read(csv_text(rows)) == [{name: str(row.get(name, "")) for name in columns} for row in rows]


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_floats_keep_all_their_digits(values: list[float]) -> None:
    assert [float(row["x"]) for row in read(csv_text([{"x": value} for value in values]))] == values


def test_columns_come_in_the_order_in_which_they_are_first_named() -> None:
    assert csv_text([{"b": 1, "a": 2}, {"c": 3, "a": 4}]) == "b,a,c\n1,2,\n,4,3\n"


def test_no_rows_are_an_empty_text() -> None:
    assert csv_text([]) == ""


def test_predictions_come_back_from_csv_as_they_were() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), 20).astype(np.float32)
    rows = read(csv_text(predictions_table(np.arange(20) % 10, probabilities)))
    assert [int(row["label"]) for row in rows] == (np.arange(20) % 10).tolist()
    assert [row["correct"] == "True" for row in rows] == (probabilities.argmax(axis=1) == np.arange(20) % 10).tolist()
    np.testing.assert_array_equal([[float(row[f"p{i}"]) for i in range(10)] for row in rows], probabilities)
