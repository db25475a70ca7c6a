"""The frame of self-contained pages."""

import pytest
from jinja2 import DictLoader, UndefinedError

from experiments.offline_page import page_templates

PACKAGE = "experiments.reporting.page"


def rendered(template: str, **content: object) -> str:
    templates = page_templates(PACKAGE)
    templates.loader = DictLoader({"page.html": template})
    return templates.get_template("page.html").render(content)


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'a' is undefined"):
        rendered("{{ a }}")
