"""The tables of a report: which numbers of which runs stand in which column."""

from collections.abc import Iterable, Mapping, Sequence

from experiments import transfer
from experiments.reporting.page.content import Column, Number, Row, Table
from experiments.reporting.page.lead import ENSEMBLES, NETWORKS
from experiments.tracking import PastRun
from experiments.workflows.report.evidence import Evidence, Network
from experiments.workflows.transfer.pipeline import ALIGN, NONE

INTERVAL = ("accuracy", "accuracy_low", "accuracy_high")
CORRUPTION_HINT = (
    "Mean over the corruptions of the error relative to that of mlp_small trained on the same digits "
    "(Hendrycks & Dietterich 2019)"
)
# Which adaptation stands for all, the first that was tried: fixed, so that no label chooses it.
REPORTED = ("shot", "tent", "adabn", "self-training")
ADAPTED_HINT = "Without labels, by SHOT; where that was not tried by Tent, else AdaBN, else self-training"
# What is said of ways to use a network in another domain, where any of them was tried.
NOTES = {
    "Aligned: the alignment that was fixed in advance, deskewed digits for a network that learned from such, else "
    "digits fitted to the box.": {ALIGN},
    "The columns named after methods: the network adapted to unlabelled digits of the domain.": set(REPORTED),
}
CLUSTERINGS = {"kmeans": "KMeans", "ward": "Ward"}
MEASURES = {"ari": "ARI", "purity": "purity"}


def networks_table(evidence: Evidence) -> Table:
    """Return all networks trained on one set of data with what was measured of each, the most accurate first."""
    rows = [_row(network, _numbers(network, evidence)) for network in evidence.networks]
    columns = [
        Column("parameters", "Parameters", "count", "low"),
        Column("size", "Size", "bytes", "low", "Of the network's file in the store"),
        Column("accuracy", "Test accuracy", "share", "high", f"On the test digits of {evidence.dataset}"),
        Column("macro_f1", "Macro F1", "share", "high", "Mean over the digits of precision and recall's harmonic mean"),
        Column("ece", "ECE", "share", "low", "Expected calibration error over 15 bins"),
        *(column for target in evidence.targets for column in _elsewhere(evidence, target, rows)),
        Column("seconds", "Training time", "seconds", "low", "Time spent in epochs"),
        Column("latency", "Latency", "milliseconds", "low", "For one image, the median, where it was evaluated"),
    ]
    return _table(
        NETWORKS + evidence.dataset, f"Networks trained on {evidence.dataset}", columns, rows, _account(evidence)
    )


def ensembles_table(evidence: Evidence) -> Table:
    """Return what networks achieve together, beside what they achieve alone."""
    together = {name: name for name in (*INTERVAL, "macro_f1", "ece")}
    together |= {"vote": "vote_accuracy", "alone": "members_accuracy", "spread": "members_accuracy_std"}
    rows = [
        Row(
            f"{len(run.params['members'].split(', '))} networks",
            versions_together(run.params["members"]),
            _first([run], together),
        )
        for run in evidence.ensembles
    ]
    columns = [
        Column("accuracy", "Test accuracy together", "share", "high", "By the mean of their probabilities"),
        Column("vote", "By majority", "share", "high", "What most of them hold for the most probable"),
        Column("alone", "Alone, mean", "share", "high"),
        Column("spread", "Standard deviation", "share"),
        Column("macro_f1", "Macro F1", "share", "high"),
        Column("ece", "ECE", "share", "low"),
    ]
    note = "Whoever chooses members by the test digits measures the choice, not the ensemble."
    return _table(ENSEMBLES + evidence.dataset, f"Ensembles on {evidence.dataset}", columns, rows, note)


def members_table(evidence: Evidence) -> Table:
    """Return what each member of an ensemble achieves alone, the most accurate first."""
    tested = {name: name for name in (*INTERVAL, "ece")}
    trained = {"validation": "best_val_accuracy", "seconds": "train_seconds"}
    rows = []
    for member in evidence.members:
        learned = [member.training] if member.training else []
        numbers = _first([member.evaluation], tested) | _first(learned, trained)
        name = member.evaluation.tags.get("digits.model", member.text)
        rows.append(Row(name, _with_seed(member.text, learned), numbers))
    columns = [
        Column("accuracy", "Test accuracy", "share", "high"),
        Column("validation", "Validation accuracy", "share", "high", "Of the epoch whose weights were kept"),
        Column("ece", "ECE", "share", "low"),
        Column("seconds", "Training time", "seconds", hint="Time spent in epochs, beside whatever else was trained"),
    ]
    note = "Ranges are 95 % intervals. The best by test digits is not the best that could have been chosen."
    return _table(f"members-{evidence.dataset}", f"Members of ensembles on {evidence.dataset}", columns, rows, note)


def versions_together(versions: str) -> str:
    """Return versions, ``a v1, a v2, b v1``, with each name once: ``a v1 v2, b v1``."""
    numbers: dict[str, list[str]] = {}
    for version in versions.split(", "):
        name, _, number = version.partition(" ")
        numbers.setdefault(name, []).append(number)
    return ", ".join(" ".join([name, *of_it]).strip() for name, of_it in numbers.items())


def ways_table(evidence: Evidence, target: str) -> Table:
    """Return the accuracy of each network in a domain by each way of being used there."""
    ways = [NONE, ALIGN, *transfer.ADAPTATIONS]
    titles = {NONE: "As it came", ALIGN: "Aligned"}
    rows = []
    for network in evidence.networks:
        runs = network.transfers.get(target, ())
        numbers = _first(runs, {way: f"adapt/{way}" for way in ways} | {"home": "source_accuracy"})
        numbers |= _interval(runs, NONE)
        rows.append(_row(network, numbers))
    if not _differ(rows, NONE, ALIGN):
        ways.remove(ALIGN)
    columns = [
        Column("home", evidence.dataset, "share", "high", "Accuracy where it was trained"),
        *(Column(way, titles.get(way, way), "share", "high") for way in ways),
    ]
    tried = {way for way in ways if any(way in row.numbers for row in rows)}
    note = " ".join(text for text, named in NOTES.items() if tried & named)
    return _table(f"transfer-{evidence.dataset}-{target}", f"From {evidence.dataset} to {target}", columns, rows, note)


def features_table(evidence: Evidence) -> Table:
    """Return what was measured of each network's feature space."""
    names = {"knn": "knn_accuracy", "trust": "trustworthiness", "confusing": "confusing_test"}
    names |= {f"{method}_{key}": f"{method}_10_both/{key}" for method in CLUSTERINGS for key in MEASURES}
    rows = [_row(network, _first([run] if (run := network.analysis) else [], names)) for network in evidence.networks]
    columns = [
        Column("knn", "10-NN in the map", "share", "high", "Digits of the class of most of their 10 neighbors"),
        Column("trust", "Trustworthiness", "number", "high", "How seldom the map makes strangers neighbors"),
        *(
            Column(f"{method}_{key}", f"{title} {name}", "number" if key == "ari" else "share", "high")
            for method, title in CLUSTERINGS.items()
            for key, name in MEASURES.items()
        ),
        Column("confusing", "Confusing test digits", "count", "low", "Nearer to another class than to their own"),
    ]
    note = "KMeans and Ward with 10 clusters over both splits, against the classes."
    return _table(f"features-{evidence.dataset}", f"Feature spaces on {evidence.dataset}", columns, rows, note)


def searches_table(evidence: Evidence) -> Table:
    """Return what each search found."""
    names = {name: name for name in ("best_value", "trials", "trials_pruned", "trials_failed")}
    rows = [
        Row(run.tags.get("digits.model", run.name), run.tags.get("digits.study", ""), _first([run], names))
        for run in evidence.searches
    ]
    columns = [
        Column("best_value", "Validation accuracy of the best trial", "share", "high"),
        Column("trials", "Trials", "count"),
        Column("trials_pruned", "Stopped early", "count"),
        Column("trials_failed", "Failed", "count"),
    ]
    return _table(f"searches-{evidence.dataset}", f"Searches on {evidence.dataset}", columns, rows)


def _numbers(network: Network, evidence: Evidence) -> dict[str, Number]:
    """Return all that the table of networks says of one."""
    costs = {"parameters": "parameters", "size": "size_bytes", "seconds": "train_seconds"}
    found = _first([network.training], costs)
    measured = [network.evaluation] if network.evaluation else []
    found |= _first(measured, {name: name for name in (*INTERVAL, "macro_f1", "ece")} | {"latency": "latency_ms"})
    for target in evidence.targets:
        runs = network.transfers.get(target, ())
        names = {way: f"adapt/{way}" for way in (NONE, ALIGN)}
        if evidence.corrupts(target):
            names["error"] = "mean_corruption_error"
        numbers = _first(runs, names) | _interval(runs, NONE)
        if adapted := _first(runs, {method: f"adapt/{method}" for method in REPORTED}):
            numbers["adapted"] = next(iter(adapted.values()))
        found |= {f"{target}/{key}": number for key, number in numbers.items()}
    return found


def _elsewhere(evidence: Evidence, target: str, rows: Iterable[Row]) -> list[Column]:
    """Return the columns of a domain in the table of networks."""
    plain = Column(f"{target}/{NONE}", target, "share", "high", f"Accuracy on {target}, the network as it came")
    if evidence.corrupts(target):
        return [plain, Column(f"{target}/error", "Corruption error", "number", "low", CORRUPTION_HINT)]
    aligned = Column(f"{target}/{ALIGN}", f"{target}, aligned", "share", "high", "Aligned in a way fixed in advance")
    adapted = Column(f"{target}/adapted", f"{target}, adapted", "share", "high", ADAPTED_HINT)
    return [plain, aligned, adapted] if _differ(rows, plain.key, aligned.key) else [plain, adapted]


def _differ(rows: Iterable[Row], key: str, other: str) -> bool:
    """Return whether any row has two numbers that differ."""
    both = [(row.numbers.get(key), row.numbers.get(other)) for row in rows]
    return any(one and two and one.value != two.value for one, two in both)


def _interval(runs: Iterable[PastRun], key: str) -> dict[str, Number]:
    """Return the ends of the interval of the accuracy that a network has as it came."""
    return _first(runs, {f"{key}_low": "accuracy_low", f"{key}_high": "accuracy_high"})


def _first(runs: Iterable[PastRun], names: Mapping[str, str]) -> dict[str, Number]:
    """Return metrics of runs under other names, each of the first run that has it."""
    runs = tuple(runs)
    found = {}
    for key, metric in names.items():
        run = next((run for run in runs if metric in run.metrics), None)
        if run:
            found[key] = Number(run.metrics[metric], run.id, metric)
    return found


def _row(network: Network, numbers: Mapping[str, Number]) -> Row:
    return Row(network.name, _with_seed(f"v{network.version.version}", [network.training]), numbers)


def _with_seed(version: str, trainings: Iterable[PastRun]) -> str:
    """Return what a version is called, with the seed that it was trained from where that is known."""
    return ", ".join([version, *(f"seed {run.params['seed']}" for run in trainings if "seed" in run.params)])


def _table(name: str, title: str, columns: Iterable[Column], rows: Sequence[Row], note: str = "") -> Table:
    """Return a table without the rows and columns that have no number, the best of the first good column first."""
    filled = [row for row in rows if row.numbers]
    kept = tuple(column for column in columns if any(column.key in row.numbers for row in filled))
    ranking = next((column for column in kept if column.better == "high"), None)
    if ranking:
        filled.sort(key=lambda row: -row.numbers[ranking.key].value if ranking.key in row.numbers else 0)
    return Table(name, title, kept, tuple(filled), note)


def _account(evidence: Evidence) -> str:
    return (
        "One version of each registered model: its champion, the best on validation digits; the test digits of "
        f"{evidence.dataset} chose nothing. Ranges are 95 % intervals."
    )
