"""Text is written with markup and without."""

import pytest

from experiments.analysis.text import Section, as_markdown, as_text, listed


def test_sections_are_written_with_markup_and_without() -> None:
    sections = (Section("First", ("A.", "B.")), Section("Second", ("C.",)))
    assert as_markdown(sections) == "## First\n\nA. B.\n\n## Second\n\nC.\n"
    assert as_text(sections) == "First\nA. B.\n\nSecond\nC."


@pytest.mark.parametrize(("items", "text"), [([4], "4"), ([4, 7], "4 and 7"), ([4, 7, 9], "4, 7 and 9")])
def test_items_are_listed_in_words(items: list[int], text: str) -> None:
    assert listed(items) == text
