"""Compare the numbers of two tracking stores, run by run, to see if a change of code changed any result.

Runs are matched by kind, name and parent, trials by their hyperparameters. Times, speeds, and runs that failed or were
interrupted are ignored. Metrics that have been renamed since the first store was made are mapped by
``--rename REGEX=REPLACEMENT``. Exits with 1 if anything differs.

Example: python benchmarks/compare_stores.py before/mlflow.db after/mlflow.db
"""

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

MEASURED = re.compile(r"seconds|latency|images_per_second|rss_mb|size_bytes")  # differ from run to run
STUDY = re.compile(r"-[0-9a-f]{4}-[0-9a-f]{8}\b")  # a suite's studies carry digests of code and run
TABLES = ("predictions.csv", "confusing_train.csv", "confusing_test.csv", "per_class.csv")


@dataclass(frozen=True)
class Numbers:
    """The numbers of one run: metrics by name, and rows of its tables by file."""

    metrics: Mapping[str, float]
    tables: Mapping[str, str]


def read_store(database: Path, experiment: str, renames: Sequence[tuple[str, str]]) -> dict[str, Numbers]:
    """Read all runs of an experiment, by a name that is the same in every store."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{database.resolve()}")
    found = client.get_experiment_by_name(experiment)
    if found is None:
        sys.exit(f"error: {database} has no experiment {experiment!r}")
    runs = {run.info.run_id: run for run in client.search_runs([found.experiment_id], max_results=50_000)}
    seen: Counter[str] = Counter()
    numbers = {}
    for run in sorted(filter(_succeeded, runs.values()), key=lambda run: int(run.info.start_time)):
        name = _name(run, runs)
        seen[name] += 1
        numbers[f"{name} #{seen[name]}"] = Numbers(dict(_metrics(run, renames)), _tables(client, run))
    return numbers


def _succeeded(run: Any) -> bool:
    return bool(run.info.status == "FINISHED" or run.data.tags.get("optuna.state") == "PRUNED")


def _name(run: Any, runs: Mapping[str, Any]) -> str:
    tags, title = run.data.tags, run.info.run_name
    parent, kind = runs.get(tags.get("mlflow.parentRunId", "")), tags.get("digits.kind")
    if kind == "trial":  # one that was interrupted is repeated under another number
        title = ", ".join(f"{param} {value}" for param, value in sorted(run.data.params.items()))
    name = STUDY.sub("", f"{kind}: {title}")
    return name if parent is None else f"{STUDY.sub('', parent.info.run_name)} > {name}"


def _metrics(run: Any, renames: Sequence[tuple[str, str]]) -> Iterator[tuple[str, float]]:
    for old, value in run.data.metrics.items():
        name = old
        for pattern, replacement in renames:
            name = re.sub(pattern, replacement, name)
        if name and not MEASURED.search(name):
            yield name, value


def _tables(client: Any, run: Any) -> dict[str, str]:
    files = {file.path for file in client.list_artifacts(run.info.run_id)} & {*TABLES}
    return {file: Path(client.download_artifacts(run.info.run_id, file)).read_text() for file in sorted(files)}


def differences(before: Mapping[str, Numbers], after: Mapping[str, Numbers], tolerance: float) -> Iterator[str]:
    """Yield one line for each run, metric or table that is missing on one side or differs."""
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            yield f"{name}: only {'before' if name in before else 'after'}"
            continue
        old, new = before[name], after[name]
        for metric in sorted({*old.metrics, *new.metrics}):
            one, other = old.metrics.get(metric), new.metrics.get(metric)
            if one is None or other is None:
                yield f"{name}: {metric}: {one} before, {other} after"
            elif not isclose(one, other, rel_tol=tolerance, abs_tol=tolerance):
                yield f"{name}: {metric}: {one!r} before, {other!r} after"
        yield from (f"{name}: {file} differs" for file in old.tables if old.tables[file] != new.tables.get(file))


def main() -> None:
    """Print the differences between two stores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="mlflow.db of the first store")
    parser.add_argument("after", type=Path, help="mlflow.db of the second store")
    parser.add_argument("--experiment", default="digits")
    parser.add_argument("--rename", action="append", default=[], metavar="REGEX=REPLACEMENT")
    parser.add_argument("--tolerance", type=float, default=0.0, help="relative and absolute; 0 compares exactly")
    arguments = parser.parse_args()
    renames = [(pattern, new) for pattern, _, new in (text.partition("=") for text in arguments.rename)]
    before = read_store(arguments.before, arguments.experiment, renames)
    after = read_store(arguments.after, arguments.experiment, [])
    found = list(differences(before, after, arguments.tolerance))
    print(*found, sep="\n", end="\n" if found else "")
    compared = sum(len(numbers.metrics) for numbers in before.values())
    print(f"{len(before)} and {len(after)} runs, {compared} metrics before: {len(found)} differences")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
