"""The template of a topic."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """The text of a topic, with its facts in braces.

    Attributes
    ----------
    sentences
        Each is used only if the topic has all of its facts.
    columns
        Headings of the values `before` and `after` of its effects.
    """

    sentences: tuple[str, ...] = ()
    columns: tuple[str, str] = ("baseline", "value")
