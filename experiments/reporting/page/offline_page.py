"""Self-contained pages: assets, templates, and the content security policy of their script."""

import base64
import hashlib
import re
from importlib.resources import files


def read_asset(package: str, name: str) -> str:
    """Return a text file in the ``assets`` folder of a package, stripped, with line ends as browsers hash them."""
    return (files(package) / "assets" / name).read_text(encoding="utf-8").strip()


def fill_template(template: str, **parts: str) -> str:
    """Replace each ``{{name}}`` of a template, in one pass: braces within a part are not replaced."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def script_digest(script: str) -> str:
    """Compute the source expression that allows an inline script in a content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"
