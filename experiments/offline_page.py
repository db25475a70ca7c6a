"""Self-contained pages: jinja2 templates, and a frame whose policy allows no request and no script but the page's."""

import base64
import hashlib
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

FOLDER = "assets"


def page_templates(package: str) -> Environment:
    """Return the templates in the ``assets`` folder of a package.

    Values are escaped, and an undefined one raises an error. A template may extend the frame ``offline_page.html``,
    which needs ``title``, and ``style`` and ``script`` from `read_assets`.
    """
    loader = ChoiceLoader([PackageLoader(package, FOLDER), PackageLoader("experiments", FOLDER)])
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["source_expression"] = source_expression
    return templates


def read_assets(package: str, *names: str) -> str:
    """Read style sheets or scripts from the ``assets`` folder of a package, and join them by line feeds."""
    folder = files(package) / FOLDER
    return "\n".join((folder / name).read_text(encoding="utf-8").strip() for name in names)


def source_expression(script: str) -> str:
    """Compute the expression that allows an inline script in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
