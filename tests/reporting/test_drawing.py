"""What is recorded of a figure can be read again, and says in one line if it cannot."""

import contextlib
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from experiments.errors import DigitsError
from experiments.reporting.archive import read_npz, write_npz
from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.adaptation_gains import Gain, adaptation_gains
from experiments.reporting.figures.class_changes import class_changes

CHANGES = {"cnn": [0.25] * 10}
EXAMPLE = Drawing.of(class_changes, CHANGES, "to usps").to_npz()

numbers = st.integers(-(2**53), 2**53) | st.floats()
arrays_of_numbers = arrays(scalar_dtypes(), array_shapes(min_side=0)).filter(lambda array: array.dtype.kind not in "mM")
values = st.recursive(
    numbers | st.text() | st.booleans() | st.none() | arrays_of_numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def exactly(value: Any) -> str:
    """Return a text that tells values of other types, NaN and arrays apart."""
    return json.dumps(value, default=lambda array: [array.dtype.str, array.shape, array.tobytes().hex()])


@given(values)
def test_plain_data_survive(value: Any) -> None:
    def restore(found: Any, converter: Any) -> Any:
        if isinstance(found, dict) and set(found) == {"array"}:
            return converter.structure(found, np.ndarray)
        if isinstance(found, list):
            return [restore(one, converter) for one in found]
        return {key: restore(one, converter) for key, one in found.items()} if isinstance(found, dict) else found

    assert exactly(read_npz(write_npz(value), restore)) == exactly(value)


@given(st.lists(st.builds(Gain, st.text(), st.text(), st.floats(), st.tuples(*[st.floats()] * 3))), st.text())
def test_arguments_survive_with_their_types(rows: list[Gain], title: str) -> None:
    drawing = Drawing.of(adaptation_gains, rows, title)
    found = Drawing.from_npz(drawing.to_npz())
    assert found.figure == "adaptation_gains"
    assert found.data["title"] == title
    assert repr(found.data["rows"]) == repr(tuple(rows))  # NaN is not equal to itself


def test_the_archive_is_json_and_arrays_for_any_reader() -> None:
    with np.load(io.BytesIO(EXAMPLE)) as archive:
        assert json.loads(str(archive["data"])) == {
            "figure": "class_changes",
            "data": {"changes": CHANGES, "title": "to usps"},
        }


def test_a_byte_that_changed_is_found_or_changes_nothing() -> None:
    for place in range(len(EXAMPLE)):
        damaged = bytearray(EXAMPLE)
        damaged[place] ^= 0xFF
        with contextlib.suppress(DigitsError):
            found = Drawing.from_npz(bytes(damaged))
            assert list(found.data["changes"]["cnn"]) == CHANGES["cnn"]


def rewritten(**changes: Any) -> bytes:
    return write_npz({"figure": "class_changes", "data": {"changes": CHANGES, "title": ""}} | changes)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        EXAMPLE[:-40],
        EXAMPLE[:60] + b"\x00" * 8 + EXAMPLE[68:],
        write_npz([1, 2]),
        rewritten(figure="no_figure"),
        rewritten(data={"changes": CHANGES}),
        rewritten(data={"changes": CHANGES, "title": "", "unknown": 1}),
        rewritten(data={"changes": 3, "title": ""}),
    ],
    ids=["empty", "cut off", "damaged", "list", "unknown figure", "missing", "unknown argument", "another type"],
)
def test_other_data_are_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(DigitsError, match=r"^[^\n]+$"):
        Drawing.from_npz(content)
