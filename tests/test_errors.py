"""Texts that several errors share."""

import pytest

from experiments.errors import did_you_mean, first_line, unknown


@pytest.mark.parametrize(
    ("name", "hint"),
    [("lennet", " (did you mean lenet?)"), ("LENET", " (did you mean lenet?)"), ("zebra", ""), ("", "")],
)
def test_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    assert did_you_mean(name, ["cnn", "lenet"]) == hint


def test_what_is_unknown_is_answered_with_what_is_known() -> None:
    assert str(unknown("fruit", "aple", iter(["apple", "pear"]))) == (
        "there is no fruit 'aple' (did you mean apple?); the fruits are apple, pear"
    )
    assert str(unknown("fruit", "plum", ["apple"], others=["plums"])) == (
        "there is no fruit 'plum' (did you mean plums?); the fruits are apple"
    )


@pytest.mark.parametrize(
    ("error", "line"), [(ValueError("no luck\nat all"), "no luck"), (ValueError(), "ValueError"), (KeyError(""), "''")]
)
def test_an_error_has_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line
