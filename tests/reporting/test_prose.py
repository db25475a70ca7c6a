"""Markdown of runs as HTML."""

import pytest

from experiments.reporting.page.prose import markdown_html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("", ""),
        ("one\ntwo", "<p>one\ntwo</p>\n"),
        ("`**<x>**` and **y**", "<p><code>**&lt;x&gt;**</code> and <strong>y</strong></p>\n"),
        ("<b onclick='x()'>a</b>", "<p>&lt;b onclick='x()'&gt;a&lt;/b&gt;</p>\n"),
        ("<script>\nx\n</script>", "<p>&lt;script&gt;\nx\n&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ],
)
def test_text_cannot_become_markup_that_acts(markdown: str, html: str) -> None:
    assert markdown_html(markdown, 4) == html


def test_pictures_are_not_loaded() -> None:
    assert "<img" not in markdown_html("![x](https://example.org/x.png)", 4)


@pytest.mark.parametrize(
    ("markdown", "level", "tags"),
    [
        ("# a\n\n## b\n\n# c", 4, ["h4", "h5", "h4"]),
        ("## a\n\n### b", 3, ["h3", "h4"]),
        ("# a\n\n## b\n\n### c", 5, ["h5", "h6", "h6"]),
    ],
)
def test_headings_start_at_the_level_of_the_page(markdown: str, level: int, tags: list[str]) -> None:
    html = markdown_html(markdown, level)
    assert [line[1:3] for line in html.splitlines()] == tags
    assert [line[-3:-1] for line in html.splitlines()] == tags


def test_tables_are_folded_and_scroll_and_name_their_columns() -> None:
    html = markdown_html("| a \\| b | n |\n| :--- | ---: |\n| <x> | 1 |\n| only |", 4)
    lines = html.splitlines()
    assert '<div class="scroll" tabindex="0" role="group" aria-label="Table">' in lines
    assert html.startswith("<details>")
    assert lines[-3:] == ["</table>", "</div>", "</details>"]
    assert 'scope="col">a | b</th>' in html
    assert "&lt;x&gt;</td>" in html
