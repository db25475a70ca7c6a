"""What is written to a table comes out of it again, by parsers of others."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from experiments.evaluation import predictions_table
from experiments.results import csv_text, is_numeric, markdown_table

# Without the characters that Markdown gives a meaning of its own, but for those that would break a table.
CELLS = st.text(st.sampled_from("abzAZ019äß漢 .,:;/@%+-=()|\\\n\r"), max_size=12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)


def parsed(markdown: str) -> list[list[str]]:
    """Return headers and rows as a GitHub Markdown parser understands them."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            parts = token.children or []
            rows[-1].append("".join("\n" if part.content == "<br>" else part.content for part in parts))
    return rows


def stripped(cell: str) -> str:
    return "\n".join(cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip(" ")


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
    assert markdown_table(["model", "a"], []).split("\n") == ["| model | a   |", "| :---- | :-- |"]
    # One cell that is no number keeps its column to the left.
    assert ":---" in markdown_table(["value"], [[0.5], ["none"]]).split("\n")[1]


@given(st.lists(st.integers() | st.floats(), min_size=1))
def test_numbers_are_numeric_however_they_are_written(values: list[float]) -> None:
    assert is_numeric(values)
    assert is_numeric([f"{value:,}" for value in values])
    assert is_numeric([f"{value:.2g}" for value in values])
    for cells in ([], [""], ["28x28"], [*values, "none"], ["60,000 + 10,000"]):
        assert not is_numeric(cells)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2 cells.*3: \[1, 2, 3\]"):
        markdown_table(["a", "b"], [[1, 2, 3]])


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans(), min_size=1, max_size=4), max_size=5))
def test_a_csv_reader_finds_every_cell(rows: list[dict[str, object]]) -> None:
    columns = {name for row in rows for name in row}
    assert read(csv_text(rows)) == [{name: str(row.get(name, "")) for name in columns} for row in rows]


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_floats_keep_all_their_digits(values: list[float]) -> None:
    assert [float(row["x"]) for row in read(csv_text([{"x": value} for value in values]))] == values


def test_columns_are_in_the_order_in_which_rows_first_name_them() -> None:
    assert csv_text([{"b": 1, "a": 2}, {"c": 3, "a": 4}]) == "b,a,c\n1,2,\n,4,3\n"
    assert csv_text([]) == ""


def test_predictions_come_back_from_csv_as_they_were() -> None:
    labels, probabilities = np.arange(20) % 10, np.random.default_rng(0).dirichlet(np.ones(10), 20).astype(np.float32)
    rows = read(csv_text(predictions_table(labels, probabilities)))
    assert [int(row["label"]) for row in rows] == labels.tolist()
    assert [row["correct"] == "True" for row in rows] == (probabilities.argmax(axis=1) == labels).tolist()
    np.testing.assert_array_equal([[float(row[f"p{i}"]) for i in range(10)] for row in rows], probabilities)
