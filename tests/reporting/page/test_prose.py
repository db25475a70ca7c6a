"""Markdown of runs as HTML."""

import pytest

from experiments.reporting.page.prose import as_html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("", ""),
        ("one\ntwo", "<p>one\ntwo</p>"),
        ("## A <b>", "<h4>A &lt;b&gt;</h4>"),
        ("# A\nnext", "<h4>A</h4>\n<p>next</p>"),
        ("###### deep", "<h6>deep</h6>"),
        ("* a\n* **b**", "<ul><li>a</li><li><strong>b</strong></li></ul>"),
        ("`**<x>**` and **y**", "<p><code>**&lt;x&gt;**</code> and <strong>y</strong></p>"),
        ("| alone", "<p>| alone</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
    ],
)
def test_only_what_is_listed_becomes_markup(markdown: str, html: str) -> None:
    assert as_html(markdown) == html


def test_tables_keep_their_cells() -> None:
    html = as_html("| a \\| b | n |\n| :--- | ---: |\n| <x> | 1 |\n| only |")
    assert '<th scope="col">a | b</th>' in html
    assert '<td>&lt;x&gt;</td><td class="number">1</td>' in html
    assert "<tr><td>only</td></tr>" in html
