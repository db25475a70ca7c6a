"""Pages in a browser, for the tests of reporting."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 800}, "is_mobile": True, "has_touch": True}


class Reader:
    """Opens pages in a browser, and remembers their complaints and their requests for anything but files."""

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self.faults: list[str] = []

    def open(self, file: Path, *, script: str = "", **settings: Any) -> "Page":
        options = {**DESK, "reduced_motion": "reduce", **settings}
        page = self._browser.new_context(**options).new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._asked(request.url))
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        return page

    def _failed(self, request: "Request") -> None:
        if request.failure not in ("net::ERR_ABORTED", None):  # of pictures still loading while the page is left
            self.faults.append(f"failed {request.url}: {request.failure}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"asked for {url}")


@contextmanager
def reading(browser: "Browser") -> Iterator[Reader]:
    """Yield what opens pages; close them in the end, and fail if any of them found fault with anything."""
    reader, before = Reader(browser), list(browser.contexts)
    yield reader
    for context in browser.contexts:
        if context not in before:
            context.close()
    assert not reader.faults, reader.faults


def no_barrier(page: "Page") -> None:
    """Fail if axe finds a barrier for readers with disabilities."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
