"""The tables of a report: their columns, and the columns and rows that are left out."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from experiments.analysis.clusters import METHODS
from experiments.reporting.page.content import Column, Row, Table
from experiments.reporting.page.lead import ENSEMBLES, NETWORKS
from experiments.results import ALIGN, ARI, BEST_VALUE, PURITY, SOURCE_ONLY, TRIALS, TRIALS_FAILED, TRIALS_PRUNED
from experiments.transfer.adaptation import ADAPTATIONS

CORRUPTION_HINT = (
    "Mean over the corruptions of the error relative to that of mlp_small trained on the same digits "
    "(Hendrycks & Dietterich 2019)"
)
# The first of these that was tried is reported as "adapted". Fixed in advance, so that no label selects the method.
_BY_PRIORITY = sorted(ADAPTATIONS.values(), key=lambda method: method.priority)
REPORTED = tuple(method.name for method in _BY_PRIORITY)
ADAPTED_HINT = f"Without labels, by the first method tried of {', '.join(method.label for method in _BY_PRIORITY)}"
# Notes on the methods in a table.
NOTES = {
    "Aligned: the alignment that was fixed in advance, deskewed digits for a network that was trained on such, else "
    "digits fitted to the box.": {ALIGN},
    "The columns named after methods: the network adapted to unlabeled digits of the target.": set(REPORTED),
}
TITLES = {SOURCE_ONLY: "Source-only", ALIGN: "Aligned"}
CLUSTER_METRICS = {ARI: "ARI", PURITY: "purity"}


def networks_table(dataset: str, rows: Sequence[Row], targets: Mapping[str, bool]) -> Table:
    """Build the table of all networks trained on a dataset.

    Parameters
    ----------
    targets
        The target domains, and whether each is the corrupted version of the dataset.
    """
    columns = [
        Column("parameters", "Parameters", "count", "low"),
        Column("size", "Size", "bytes", "low", "Of the model file in the store"),
        Column("accuracy", "Test accuracy", "share", "high", f"On the {dataset} test digits"),
        Column("macro_f1", "Macro F1", "share", "high", "Mean over the digits of the F1 score"),
        Column("ece", "ECE", "share", "low", "Expected calibration error with 15 bins"),
        *(column for target, corrupted in targets.items() for column in _target_columns(target, corrupted, rows)),
        Column("seconds", "Training time", "seconds", "low", "Time spent in epochs"),
        Column("latency", "Latency", "milliseconds", "low", "Median for one image, where it was evaluated"),
    ]
    note = (
        "One version of each registered model: its champion, selected on validation digits; the test digits of "
        f"{dataset} were not used for selection. Ranges are 95 % intervals."
    )
    return build_table(NETWORKS + dataset, f"Networks trained on {dataset}", columns, rows, note)


def ensembles_table(dataset: str, rows: Sequence[Row]) -> Table:
    """Build the table of ensembles, with the mean of their members."""
    columns = [
        Column("accuracy", "Test accuracy together", "share", "high", "By the mean of their probabilities"),
        Column("vote", "By majority", "share", "high", "By majority vote"),
        Column("alone", "Alone, mean", "share", "high"),
        Column("spread", "Standard deviation", "share"),
        Column("macro_f1", "Macro F1", "share", "high"),
        Column("ece", "ECE", "share", "low"),
    ]
    note = "If members are selected by test accuracy, the accuracy of the ensemble is biased upward."
    return build_table(ENSEMBLES + dataset, f"Ensembles on {dataset}", columns, rows, note)


def members_table(dataset: str, rows: Sequence[Row]) -> Table:
    """Build the table of the members of ensembles, each on its own."""
    columns = [
        Column("accuracy", "Test accuracy", "share", "high"),
        Column("validation", "Validation accuracy", "share", "high", "Of the epoch whose weights were kept"),
        Column("ece", "ECE", "share", "low"),
        Column("seconds", "Training time", "seconds", hint="Time spent in epochs, possibly with others in parallel"),
    ]
    note = "Ranges are 95 % intervals. The highest test accuracy of several members is biased upward."
    return build_table(f"members-{dataset}", f"Members of ensembles on {dataset}", columns, rows, note)


def methods_table(dataset: str, target: str, rows: Sequence[Row], methods: Iterable[str]) -> Table:
    """Build the table of accuracies in a target domain, with one column per method."""
    shown = [method for method in methods if method != ALIGN or _differ(rows, SOURCE_ONLY, ALIGN)]
    columns = [
        Column("home", dataset, "share", "high", "Accuracy in the source domain"),
        *(Column(method, TITLES.get(method, method), "share", "high") for method in shown),
    ]
    tried = {method for method in shown if any(method in row.numbers for row in rows)}
    note = " ".join(text for text, named in NOTES.items() if tried & named)
    return build_table(f"transfer-{dataset}-{target}", f"From {dataset} to {target}", columns, rows, note)


def features_table(dataset: str, rows: Sequence[Row]) -> Table:
    """Build the table of feature spaces."""
    columns = [
        Column("knn", "10-NN in the map", "share", "high", "Accuracy of the majority class of 10 nearest neighbors"),
        Column("trust", "Trustworthiness", "number", "high", "Whether neighbors in the map are neighbors in features"),
        *(
            Column(f"{method}_{metric}", f"{title} {name}", "number" if metric == ARI else "share", "high")
            for method, title in METHODS.items()
            for metric, name in CLUSTER_METRICS.items()
        ),
        Column("confusing", "Confusing test digits", "count", "low", "Nearer to another class than to their own"),
    ]
    note = "KMeans and Ward with 10 clusters over both splits, compared with the classes."
    return build_table(f"features-{dataset}", f"Feature spaces on {dataset}", columns, rows, note)


def searches_table(dataset: str, rows: Sequence[Row]) -> Table:
    """Build the table of hyperparameter searches."""
    columns = [
        Column(BEST_VALUE, "Validation accuracy of the best trial", "share", "high"),
        Column(TRIALS, "Trials", "count"),
        Column(TRIALS_PRUNED, "Pruned", "count"),
        Column(TRIALS_FAILED, "Failed", "count"),
    ]
    return build_table(f"searches-{dataset}", f"Searches on {dataset}", columns, rows)


def build_table(name: str, title: str, columns: Iterable[Column], rows: Collection[Row], note: str = "") -> Table:
    """Build a table without empty rows and columns, sorted by the first column in which high values are better."""
    filled = [row for row in rows if row.numbers]
    kept = tuple(column for column in columns if any(column.key in row.numbers for row in filled))
    ranking = next((column for column in kept if column.better == "high"), None)
    if ranking:
        filled.sort(key=lambda row: -row.numbers[ranking.key].value if ranking.key in row.numbers else 0)
    return Table(name, title, kept, tuple(filled), note)


def _target_columns(target: str, corrupted: bool, rows: Iterable[Row]) -> list[Column]:
    """Return the columns of a target domain in the table of networks."""
    plain = Column(f"{target}/{SOURCE_ONLY}", target, "share", "high", f"Source-only accuracy on {target}")
    if corrupted:
        return [plain, Column(f"{target}/error", "Corruption error", "number", "low", CORRUPTION_HINT)]
    aligned = Column(f"{target}/{ALIGN}", f"{target}, aligned", "share", "high", "With the alignment fixed in advance")
    adapted = Column(f"{target}/adapted", f"{target}, adapted", "share", "high", ADAPTED_HINT)
    return [plain, aligned, adapted] if _differ(rows, plain.key, aligned.key) else [plain, adapted]


def _differ(rows: Iterable[Row], key: str, other: str) -> bool:
    """Return whether any row has two different numbers."""
    both = [(row.numbers.get(key), row.numbers.get(other)) for row in rows]
    return any(one and two and one.value != two.value for one, two in both)
