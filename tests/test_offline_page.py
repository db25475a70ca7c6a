"""The frame of self-contained pages."""

from pathlib import Path

import pytest
from jinja2 import DictLoader, UndefinedError

from experiments.offline_page import page_templates, read_assets

PACKAGE = "experiments.reporting.page"


def rendered(template: str, **content: object) -> str:
    templates = page_templates(PACKAGE)
    templates.loader = DictLoader({"page.html": template})
    return templates.get_template("page.html").render(content)


def test_values_are_escaped_and_templates_in_them_are_text() -> None:
    assert rendered("{{ a }}", a="<b> {{ b }}") == "&lt;b&gt; {{ b }}"


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'a' is undefined"):
        rendered("{{ a }}")


def test_assets_are_joined_in_the_given_order() -> None:
    folder = Path(__file__).parents[1] / "experiments" / "reporting" / "page" / "assets"
    style, script = ((folder / name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js"))
    assert read_assets(PACKAGE, "page.css", "page.js") == f"{style}\n{script}"
