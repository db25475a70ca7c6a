import pytest

from experiments.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"), [(ValueError("no luck\nat all"), "no luck"), (ValueError(), "ValueError"), (KeyError(""), "''")]
)
def test_an_error_has_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line
