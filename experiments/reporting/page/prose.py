"""Conversion of the Markdown of runs to HTML: headings, paragraphs, lists, tables, bold, code."""

import html
import re
from collections.abc import Iterator

HIGHEST, LOWEST = 3, 6  # heading levels; those above are used by the page


def as_html(markdown: str) -> str:
    r"""Convert Markdown to HTML. All text is escaped; only the elements listed above become markup.

    Parameters
    ----------
    markdown
        Blocks separated by empty lines. ``#`` starts a heading (level 4 or lower in HTML); lines that start with ``|``
        are a table with its rule in the second line; lines that start with ``* `` or ``- `` are a list.

    Examples
    --------
    >>> as_html("## The map\n\n**7** and `<1>`.")
    '<h4>The map</h4>\n<p><strong>7</strong> and <code>&lt;1&gt;</code>.</p>'
    """
    blocks = re.split(r"\n\s*\n", markdown.strip())
    return "\n".join(text for block in blocks for text in _block(block.strip()) if text)


def _block(block: str) -> Iterator[str]:
    first, _, rest = block.partition("\n")
    lines = block.split("\n")
    if marks := re.match(r"#{1,6} ", first):
        level = min(max(len(marks[0]) + 1, HIGHEST + 1), LOWEST)
        yield f"<h{level}>{_inline(first[marks.end() :])}</h{level}>"
        if rest.strip():
            yield from _block(rest.strip())
    elif all(line.startswith("|") for line in lines) and len(lines) > 1:
        yield _table(lines)
    elif all(re.match(r"[*-] ", line) for line in lines):
        yield f"<ul>{''.join(f'<li>{_inline(line[2:])}</li>' for line in lines)}</ul>"
    elif block:
        yield f"<p>{_inline(block)}</p>"


def _table(lines: list[str]) -> str:
    head, rule, *body = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    right = [mark.endswith(":") and not mark.startswith(":") for mark in rule]

    def row(cells: list[str], tag: str) -> str:
        kinds = [' class="number"' if i < len(right) and right[i] else "" for i in range(len(cells))]
        texts = [f"<{tag}{kind}>{_inline(cell)}</{tag[:2]}>" for cell, kind in zip(cells, kinds, strict=True)]
        return f"<tr>{''.join(texts)}</tr>"

    heads, rows = row(head, 'th scope="col"'), "".join(row(cells, "td") for cells in body)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table></div>"
    )


def _inline(text: str) -> str:
    """Convert a line; text between backticks is not converted."""
    parts = re.split(r"`([^`]+)`", text.replace("\\|", "|"))
    return "".join(f"<code>{html.escape(part)}</code>" if i % 2 else _bold(part) for i, part in enumerate(parts))


def _bold(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(text))
