"""The tables of a report: each column is a query on the results of the runs behind a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments import results
from experiments.analysis.clusters import METHODS
from experiments.reporting.page.content import Better, Column, Table, Unit
from experiments.reporting.page.lead import ENSEMBLES, NETWORKS
from experiments.results import ACCURACY, ALIGN, ARI, PURITY, SOURCE_ONLY, select
from experiments.transfer.adaptation import ADAPTATIONS

if TYPE_CHECKING:
    import pandas as pd

CORRUPTION_HINT = (
    "Mean over the corruptions of the error relative to that of mlp_small trained on the same digits "
    "(Hendrycks & Dietterich 2019)"
)
# The first of these that was tried is reported as "adapted". Fixed in advance, so that no label selects the method.
_BY_PRIORITY = sorted(ADAPTATIONS.values(), key=lambda method: method.priority)
REPORTED = tuple(method.name for method in _BY_PRIORITY)
ADAPTED_HINT = f"Without labels, by the first method tried of {', '.join(method.label for method in _BY_PRIORITY)}"
ALIGNED_NOTE = (
    "Aligned: the alignment that was fixed in advance, deskewed digits for a network that was trained on such, else "
    "digits fitted to the box."
)
ADAPTED_NOTE = "The columns named after methods: the network adapted to unlabeled digits of the target."
TITLES = {SOURCE_ONLY: "Source-only", ALIGN: "Aligned"}
CLUSTER_METRICS = {ARI: "ARI", PURITY: "purity"}


@dataclass(frozen=True)
class Subject:
    """What a row of a table is about.

    Attributes
    ----------
    name, detail
        See `experiments.reporting.page.content.Row`.
    run_ids
        Runs with its results; if several have a number, that of the first one is shown.
    """

    name: str
    detail: str
    run_ids: tuple[str, ...]


def networks_table(dataset: str, subjects: Sequence[Subject], frame: "pd.DataFrame", targets: Sequence[str]) -> Table:
    """Build the table of all networks trained on a dataset.

    Parameters
    ----------
    frame
        Results of all runs, with ``run_id``.
    targets
        The target domains, in order.
    """
    columns = [
        _column("accuracy", "Test accuracy", "share", "high", f"On the {dataset} test digits", **_tested(dataset)),
        _column(
            "macro_f1", "Macro F1", "share", "high", "Mean over the digits of the F1 score",
            **_tested(dataset, results.MACRO_F1),
        ),
        _column(
            "ece", "ECE", "share", "low", "Expected calibration error with 15 bins", **_tested(dataset, results.ECE)
        ),
        *(column for target in targets for column in _target_columns(target, corrupted=target == f"{dataset}-c")),
        _column("parameters", "Parameters", "count", "low", metric=results.PARAMETERS),
        _column("size", "Size", "bytes", "low", "Of the model file in the store", metric=results.SIZE_BYTES),
        _column(
            "seconds", "Training time", "seconds", "low", "Time spent in epochs", metric=results.TRAIN_SECONDS
        ),
        _column(
            "latency", "Latency", "milliseconds", "low", "Median for one image, where it was evaluated",
            **_tested(dataset, results.LATENCY_MS),
        ),
    ]  # fmt: skip
    note = (
        "One version of each registered model: its champion, selected on validation digits; the test digits of "
        f"{dataset} were not used for selection. Ranges are 95 % intervals."
    )
    table = build_table(NETWORKS + dataset, f"Networks trained on {dataset}", columns, subjects, frame, note)
    for target in targets:
        table = _without_repetition(table, f"{target}/{SOURCE_ONLY}", f"{target}/{ALIGN}")
    return table


def ensembles_table(dataset: str, subjects: Sequence[Subject], frame: "pd.DataFrame") -> Table:
    """Build the table of ensembles, with the mean of their members."""
    columns = [
        _column(
            "accuracy", "Test accuracy together", "share", "high", "By the mean of their probabilities",
            **_tested(dataset),
        ),
        _column("vote", "By majority", "share", "high", "By majority vote", metric=results.VOTE_ACCURACY),
        _column("alone", "Alone, mean", "share", "high", metric=results.MEMBERS_ACCURACY),
        _column("spread", "Standard deviation", "share", metric=results.MEMBERS_ACCURACY_STD),
        _column("macro_f1", "Macro F1", "share", "high", **_tested(dataset, results.MACRO_F1)),
        _column("ece", "ECE", "share", "low", **_tested(dataset, results.ECE)),
    ]  # fmt: skip
    note = "If members are selected by test accuracy, the accuracy of the ensemble is biased upward."
    return build_table(ENSEMBLES + dataset, f"Ensembles on {dataset}", columns, subjects, frame, note)


def members_table(dataset: str, subjects: Sequence[Subject], frame: "pd.DataFrame") -> Table:
    """Build the table of the members of ensembles, each on its own."""
    columns = [
        _column("accuracy", "Test accuracy", "share", "high", **_tested(dataset)),
        _column(
            "validation", "Validation accuracy", "share", "high", "Of the epoch whose weights were kept",
            metric=results.BEST_VAL_ACCURACY,
        ),
        _column("ece", "ECE", "share", "low", **_tested(dataset, results.ECE)),
        _column(
            "seconds", "Training time", "seconds", hint="Time spent in epochs, possibly with others in parallel",
            metric=results.TRAIN_SECONDS,
        ),
    ]  # fmt: skip
    note = "Ranges are 95 % intervals. The highest test accuracy of several members is biased upward."
    name, title = f"members-{dataset}", f"Members of ensembles on {dataset}"
    return build_table(name, title, columns, subjects, frame, note)


def methods_table(dataset: str, target: str, subjects: Sequence[Subject], frame: "pd.DataFrame") -> Table:
    """Build the table of accuracies in a target domain, with one column per method."""
    columns = [
        _column(
            "home", dataset, "share", "high", "Accuracy in the source domain",
            metric=results.SOURCE_ACCURACY, source=dataset,
        ),
        *(
            _column(method, TITLES.get(method, method), "share", "high", **_in_target(target, method))
            for method in (SOURCE_ONLY, ALIGN, *ADAPTATIONS)
        ),
    ]  # fmt: skip
    name, title = f"transfer-{dataset}-{target}", f"From {dataset} to {target}"
    subjects = [replace(subject, run_ids=_of_target(frame, target, subject.run_ids)) for subject in subjects]
    table = _without_repetition(build_table(name, title, columns, subjects, frame), SOURCE_ONLY, ALIGN)
    shown = {column.key for column in table.columns}
    notes = {ALIGNED_NOTE: ALIGN in shown, ADAPTED_NOTE: bool(shown & set(REPORTED))}
    return replace(table, note=" ".join(note for note, needed in notes.items() if needed))


def features_table(dataset: str, subjects: Sequence[Subject], frame: "pd.DataFrame") -> Table:
    """Build the table of feature spaces."""
    columns = [
        _column(
            "knn", "10-NN in the map", "share", "high", "Accuracy of the majority class of 10 nearest neighbors",
            metric=results.KNN_ACCURACY,
        ),
        _column(
            "trust", "Trustworthiness", "number", "high", "Whether neighbors in the map are neighbors in features",
            metric=results.TRUSTWORTHINESS,
        ),
        *(
            _column(
                f"{method}_{metric}", f"{title} {name}", "number" if metric == ARI else "share", "high",
                metric=metric, method=method, group="10", split="both",
            )
            for method, title in METHODS.items()
            for metric, name in CLUSTER_METRICS.items()
        ),
        _column(
            "confusing", "Confusing test digits", "count", "low", "Nearer to another class than to their own",
            metric=results.CONFUSING, split="test",
        ),
    ]  # fmt: skip
    note = "KMeans and Ward with 10 clusters over both splits, compared with the classes."
    return build_table(f"features-{dataset}", f"Feature spaces on {dataset}", columns, subjects, frame, note)


def searches_table(dataset: str, subjects: Sequence[Subject], frame: "pd.DataFrame") -> Table:
    """Build the table of hyperparameter searches."""
    columns = [
        _column(
            results.BEST_VALUE, "Validation accuracy of the best trial", "share", "high", metric=results.BEST_VALUE
        ),
        _column(results.TRIALS, "Trials", "count", metric=results.TRIALS),
        _column(results.TRIALS_PRUNED, "Pruned", "count", metric=results.TRIALS_PRUNED),
        _column(results.TRIALS_FAILED, "Failed", "count", metric=results.TRIALS_FAILED),
    ]
    return build_table(f"searches-{dataset}", f"Searches on {dataset}", columns, subjects, frame)


def build_table(
    name: str,
    title: str,
    columns: Sequence[Column],
    subjects: Sequence[Subject],
    frame: "pd.DataFrame",
    note: str = "",
) -> Table:
    """Query the results of each subject's runs, and leave out empty rows and columns.

    Rows are sorted by the first column in which high values are better; those without it come last.

    Parameters
    ----------
    frame
        Results of all runs, with ``run_id``.
    """
    import pandas as pd

    runs = pd.DataFrame(
        [
            (row, subject.name, subject.detail, run_id, order)
            for row, subject in enumerate(subjects)
            for order, run_id in enumerate(subject.run_ids)
        ],
        columns=["row", "network", "detail", "run_id", "order"],
    )
    found = [_query(frame, column, runs) for column in columns]
    kept = [(column, cells) for column, cells in zip(columns, found, strict=True) if len(cells)]
    if not kept:
        return Table(name, title, (), _empty(frame), note)
    ranking = next((cells for column, cells in kept if column.better == "high"), None)
    values = {} if ranking is None else dict(zip(ranking["row"], ranking["value"], strict=True))
    best_first = sorted(range(len(subjects)), key=lambda row: -values.get(row, 0))
    cells = pd.concat([cells for _, cells in kept])
    cells = cells.assign(place=cells["row"].map(best_first.index)).sort_values("place", kind="stable")
    return Table(name, title, tuple(column for column, _ in kept), cells[[*_empty(frame).columns]], note)


def _query(frame: "pd.DataFrame", column: Column, runs: "pd.DataFrame") -> "pd.DataFrame":
    """Return the first result of each row's runs that the column asks for."""
    wanted: dict[str, Any] = {"group": "", "baseline": "", **column.where}
    cells = select(frame, **wanted).merge(runs, on="run_id").assign(column=column.key)
    ranks = []
    for name, values in wanted.items():
        if not isinstance(values, str):
            cells = cells.assign(**{f"rank-{name}": cells[name].map([*values].index)})
            ranks.append(f"rank-{name}")
    return cells.sort_values(["row", *ranks, "order"], kind="stable").drop_duplicates("row")


def _empty(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table without cells."""
    return frame.iloc[:0].assign(network="", detail="", column="")


def _column(
    key: str,
    title: str,
    unit: Unit,
    better: Better = "",
    hint: str = "",
    **where: str | Sequence[str],
) -> Column:
    return Column(key, title, unit, better, hint, where)


def _tested(dataset: str, metric: str = ACCURACY) -> dict[str, str]:
    """Return the query for a metric of an evaluation."""
    return {"metric": metric, "target": dataset, "method": "", "split": "test"}


def _in_target(target: str, *methods: str) -> dict[str, Any]:
    """Return the query for the accuracy of a method in a target domain, of several the first that was tried."""
    return {"metric": ACCURACY, "target": target, "method": methods}


def _target_columns(target: str, corrupted: bool) -> list[Column]:
    """Return the columns of a target domain in the table of networks."""
    hint = f"Source-only accuracy on {target}"
    plain = _column(f"{target}/{SOURCE_ONLY}", target, "share", "high", hint, **_in_target(target, SOURCE_ONLY))
    if corrupted:
        error = {"metric": results.MEAN_CORRUPTION_ERROR, "target": target}
        return [plain, _column(f"{target}/error", "Corruption error", "number", "low", CORRUPTION_HINT, **error)]
    return [
        plain,
        _column(
            f"{target}/{ALIGN}", f"{target}, aligned", "share", "high", "With the alignment fixed in advance",
            **_in_target(target, ALIGN),
        ),
        _column(
            f"{target}/adapted", f"{target}, adapted", "share", "high", ADAPTED_HINT, **_in_target(target, *REPORTED)
        ),
    ]  # fmt: skip


def _of_target(frame: "pd.DataFrame", target: str, run_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the runs that have results in a target domain."""
    known = {*select(frame, target=target)["run_id"]}
    return tuple(run_id for run_id in run_ids if run_id in known)


def _without_repetition(table: Table, key: str, other: str) -> Table:
    """Leave out the column `other` if it has the same numbers as the column `key`."""
    values: dict[str, dict[tuple[str, str], float]] = {}
    for column, network, detail, value in table.cells[["column", "network", "detail", "value"]].itertuples(index=False):
        values.setdefault(column, {})[network, detail] = value
    plain = values.get(key, {})
    if any(value != plain.get(row, value) for row, value in values.get(other, {}).items()):
        return table
    columns = tuple(column for column in table.columns if column.key != other)
    return replace(table, columns=columns, cells=table.cells[table.cells["column"] != other])
