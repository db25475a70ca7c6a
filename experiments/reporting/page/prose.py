"""Conversion of the Markdown of runs to HTML."""

from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

LOWEST = 6  # level of headings in HTML


def markdown_html(markdown: str, level: int) -> str:
    r"""Convert Markdown (CommonMark and tables) to HTML.

    HTML in it is shown as text, pictures are not loaded, and tables are folded.

    Parameters
    ----------
    level
        Level of its highest headings in the page; the others follow below.

    Examples
    --------
    >>> print(markdown_html("# The map\n\n**7** and `<1>`.", 4))
    <h4>The map</h4>
    <p><strong>7</strong> and <code>&lt;1&gt;</code>.</p>
    <BLANKLINE>
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(markdown)
    _move_headings(tokens, level)
    return parser.renderer.render([*_folded_tables(tokens)], parser.options, {})


def _move_headings(tokens: Sequence[Token], level: int) -> None:
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1:]) for token in headings), default=level)
    for token in headings:
        token.tag = f"h{min(int(token.tag[1:]) - highest + level, LOWEST)}"


def _folded_tables(tokens: Iterable[Token]) -> Iterator[Token]:
    """Fold each table, and put it into a region that scrolls and that the keyboard reaches."""
    region = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": "Table"}
    for token in tokens:
        if token.type == "table_open":
            yield Token("details_open", "details", 1, block=True)
            yield Token("summary_open", "summary", 1)
            yield Token("text", "", 0, content="Table")
            yield Token("summary_close", "summary", -1, block=True)
            yield Token("region_open", "div", 1, attrs=dict(region), block=True)
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        yield token
        if token.type == "table_close":
            yield Token("region_close", "div", -1, block=True)
            yield Token("details_close", "details", -1, block=True)
