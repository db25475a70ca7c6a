"""Text that describes results: sections of sentences, as Markdown or plain text."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """Sentences under a heading."""

    heading: str
    sentences: tuple[str, ...]


def as_markdown(sections: Sequence[Section]) -> str:
    """Format sections as Markdown: a heading and one paragraph each."""
    return "\n\n".join(f"## {section.heading}\n\n{' '.join(section.sentences)}" for section in sections) + "\n"


def as_text(sections: Sequence[Section]) -> str:
    """Format sections as plain text: a heading line and one paragraph each."""
    return "\n\n".join(f"{section.heading}\n{' '.join(section.sentences)}" for section in sections)


def listed(items: Sequence[object]) -> str:
    """Join items in words: ``a, b and c``."""
    *most, last = [str(item) for item in items]
    return f"{', '.join(most)} and {last}" if most else last
