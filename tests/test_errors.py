"""Texts that several errors share."""

import pytest

from experiments.errors import did_you_mean, first_line, unknown


@pytest.mark.parametrize(("name", "nearest"), [("lennet", "lenet"), ("LENET", "lenet"), ("zebra", None), ("", None)])
def test_the_nearest_name_is_suggested(name: str, nearest: str | None) -> None:
    hint = did_you_mean(name, ["cnn", "lenet"])
    assert (nearest in hint) if nearest else hint == ""


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    text = str(unknown("fruit", "aple", iter(["apple", "pear"])))
    assert "'aple'" in text
    assert "mean apple?" in text
    assert text.endswith("apple, pear")
    other = str(unknown("fruit", "plum", ["apple"], others=["plums"]))
    assert "mean plums?" in other
    assert other.endswith(" apple")


@pytest.mark.parametrize(
    ("error", "line"), [(ValueError("no luck\nat all"), "no luck"), (ValueError(), "ValueError"), (KeyError(""), "''")]
)
def test_an_error_has_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line
