"""The README's table of results, made from the published ``results.json``.

Run as ``python -m experiments.reporting.page.readme README.md reports/results.json``.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reporting.page.results import networks_markdown

START, END = "<!-- results -->", "<!-- end of results -->"
DATASET = "mnist"
COLUMNS = ("accuracy", "ece", "usps/none", "usps/adapted", "mnist-c/none", "parameters", "seconds", "latency")


def with_results(readme: str, results: Mapping[str, Any]) -> str:
    """Return a README with the table of networks between its two marks.

    Parameters
    ----------
    results
        As from `experiments.reporting.page.results.report_results`.

    Raises
    ------
    ValueError
        If the marks are missing.
    """
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the README needs the marks {START} and {END}")
    return f"{before}{START}\n\n{networks_markdown(results, DATASET, COLUMNS)}\n\n{END}{after}"


if __name__ == "__main__":
    file, published = map(Path, sys.argv[1:])
    file.write_text(with_results(file.read_text(encoding="utf-8"), json.loads(published.read_text(encoding="utf-8"))))
