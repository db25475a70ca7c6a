"""Pages that are whole by themselves: their templates, and the promise to ask for nothing from elsewhere."""

import base64
import hashlib
import re
from importlib.resources import files


def page_part(folder: str, name: str) -> str:
    """Return a file of a page, which lies in a folder beside this module, with the ends of lines a browser hashes."""
    return (files("experiments.reporting") / folder / name).read_text(encoding="utf-8").strip()


def filled(template: str, **parts: str) -> str:
    """Return `template` with each ``{{name}}`` replaced, in one pass: what a part says is never replaced itself."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def script_digest(script: str) -> str:
    """Return what a content security policy calls a script that it lets run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"
