"""How the words of a command line are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits_cli.main import complete
from digits_cli.options import chosen_settings
from digits_cli.train import parse_seeds
from experiments.errors import UsageError

NUMBERS = st.integers(0, 50)


@given(st.lists(st.one_of(NUMBERS, st.tuples(NUMBERS, NUMBERS).map(sorted)), min_size=1))
def test_seeds_are_single_numbers_and_ranges(parts: list[int | list[int]]) -> None:
    texts = [str(part) if isinstance(part, int) else f"{part[0]}-{part[1]}" for part in parts]
    expected = [
        number for part in parts for number in ([part] if isinstance(part, int) else range(part[0], part[1] + 1))
    ]
    assert parse_seeds(",".join(texts)) == expected
    assert parse_seeds(" , ".join(texts)) == expected


@given(st.text(alphabet="0123456789-, x"))
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    try:
        assert all(seed >= 0 for seed in parse_seeds(text))
    except UsageError as error:
        assert str(error).startswith("--seeds")  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("text", ["", "4-0", "-1", "1-2-3", "²", "0-99999999"])
def test_seeds_that_name_nothing_or_far_too_much_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)


def test_settings_are_split_at_the_first_equals_sign_and_dedicated_options_win() -> None:
    assert chosen_settings(["dropout=0.2", " name = a=b "]) == {"dropout": "0.2", "name": "a=b"}
    assert chosen_settings(["epochs=2", "seed=1"], epochs=3, batch_size=None) == {"epochs": 3, "seed": "1"}


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("train mlp --from-study", "train mlp --from-study="),
        ("train mlp --from-study --seed 3", "train mlp --from-study= --seed 3"),
        ("train mlp --from-study mine", "train mlp --from-study mine"),
        ("train mlp", "train mlp"),
        ("", ""),
    ],
)
def test_a_study_need_not_be_named(line: str, completed: str) -> None:
    assert complete(line.split()) == completed.split()


@pytest.mark.parametrize("text", ["dropout", "=0.2", "dropout=", ""])
def test_settings_need_a_key_and_a_value(text: str) -> None:
    with pytest.raises(UsageError, match="key=value"):
        chosen_settings([text])
