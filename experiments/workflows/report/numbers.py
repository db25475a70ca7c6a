"""The numbers of runs as rows of the report's tables."""

from collections.abc import Iterable, Mapping

from experiments import results
from experiments.analysis.clusters import METHODS
from experiments.reporting.page import tables
from experiments.reporting.page.content import Number, Row, Table
from experiments.results import ACCURACY, ALIGN, SOURCE_ONLY, scalar_name
from experiments.tracking import PastRun
from experiments.tracking.tags import MODEL, STUDY
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.report.run_index import NetworkRuns, RunIndex

INTERVAL = (ACCURACY, results.ACCURACY_LOW, results.ACCURACY_HIGH)
TESTED = {name: name for name in (*INTERVAL, results.MACRO_F1, results.ECE)}
TOGETHER = {
    "vote": results.VOTE_ACCURACY,
    "alone": results.MEMBERS_ACCURACY,
    "spread": results.MEMBERS_ACCURACY_STD,
}
FEATURES = {
    "knn": results.KNN_ACCURACY,
    "trust": results.TRUSTWORTHINESS,
    "confusing": scalar_name(results.CONFUSING, "test"),
} | {
    f"{method}_{metric}": scalar_name(metric, method, "10", "both")
    for method in METHODS
    for metric in tables.CLUSTER_METRICS
}
SEARCHED = {name: name for name in (results.BEST_VALUE, results.TRIALS, results.TRIALS_PRUNED, results.TRIALS_FAILED)}


def networks_table(index: RunIndex) -> Table:
    """Build the table of all networks trained on a dataset."""
    rows = [_row(network, _network_numbers(network, index)) for network in index.networks]
    targets = {target: index.is_corrupted(target) for target in index.targets}
    return tables.networks_table(index.dataset, rows, targets)


def ensembles_table(index: RunIndex) -> Table:
    """Build the table of ensembles."""
    rows = [
        Row(
            f"{len(run.params['members'].split(', '))} networks",
            group_versions(run.params["members"]),
            _first([run], TESTED | TOGETHER),
        )
        for run in index.ensembles
    ]
    return tables.ensembles_table(index.dataset, rows)


def members_table(index: RunIndex) -> Table:
    """Build the table of the members of ensembles, each on its own."""
    trained = {"validation": results.BEST_VAL_ACCURACY, "seconds": results.TRAIN_SECONDS}
    rows = []
    for member in index.members:
        training = [member.training] if member.training else []
        numbers = _first([member.evaluation], TESTED) | _first(training, trained)
        rows.append(Row(member.label, _with_seed(member.text, training), numbers))
    return tables.members_table(index.dataset, rows)


def methods_table(index: RunIndex, target: str) -> Table:
    """Build the table of accuracies in a target domain by method."""
    methods = (SOURCE_ONLY, ALIGN, *ADAPTATIONS)
    names = {method: scalar_name(ACCURACY, method) for method in methods} | {"home": results.SOURCE_ACCURACY}
    rows = []
    for network in index.networks:
        runs = network.transfers.get(target, ())
        rows.append(_row(network, _first(runs, names) | _source_only_interval(runs)))
    return tables.methods_table(index.dataset, target, rows, methods)


def features_table(index: RunIndex) -> Table:
    """Build the table of feature spaces."""
    rows = [_row(network, _first([network.analysis], FEATURES)) for network in index.networks if network.analysis]
    return tables.features_table(index.dataset, rows)


def searches_table(index: RunIndex) -> Table:
    """Build the table of hyperparameter searches."""
    rows = [
        Row(run.tags.get(MODEL, run.name), run.tags.get(STUDY, ""), _first([run], SEARCHED)) for run in index.searches
    ]
    return tables.searches_table(index.dataset, rows)


def group_versions(versions: str) -> str:
    """Group versions by name: ``a v1, a v2, b v1`` becomes ``a v1 v2, b v1``."""
    numbers: dict[str, list[str]] = {}
    for version in versions.split(", "):
        name, _, number = version.partition(" ")
        numbers.setdefault(name, []).append(number)
    return ", ".join(" ".join([name, *of_it]).strip() for name, of_it in numbers.items())


def _network_numbers(network: NetworkRuns, index: RunIndex) -> dict[str, Number]:
    costs = {"parameters": results.PARAMETERS, "size": results.SIZE_BYTES, "seconds": results.TRAIN_SECONDS}
    found = _first([network.training], costs)
    if network.evaluation:
        found |= _first([network.evaluation], TESTED | {"latency": results.LATENCY_MS})
    for target in index.targets:
        runs = network.transfers.get(target, ())
        names = {method: scalar_name(ACCURACY, method) for method in (SOURCE_ONLY, ALIGN)}
        if index.is_corrupted(target):
            names["error"] = results.MEAN_CORRUPTION_ERROR
        numbers = _first(runs, names) | _source_only_interval(runs)
        if adapted := _first(runs, {method: scalar_name(ACCURACY, method) for method in tables.REPORTED}):
            numbers["adapted"] = next(iter(adapted.values()))
        found |= {f"{target}/{key}": number for key, number in numbers.items()}
    return found


def _source_only_interval(runs: Iterable[PastRun]) -> dict[str, Number]:
    """Return the bounds of the source-only accuracy."""
    return _first(runs, {f"{SOURCE_ONLY}_low": INTERVAL[1], f"{SOURCE_ONLY}_high": INTERVAL[2]})


def _first(runs: Iterable[PastRun], names: Mapping[str, str]) -> dict[str, Number]:
    """Return metrics by key, each from the first run that has it; `names` maps keys to metrics."""
    runs = tuple(runs)
    found = {}
    for key, metric in names.items():
        run = next((run for run in runs if metric in run.metrics), None)
        if run:
            found[key] = Number(run.metrics[metric], run.id, metric)
    return found


def _row(network: NetworkRuns, numbers: Mapping[str, Number]) -> Row:
    return Row(network.label, _with_seed(f"v{network.version.version}", [network.training]), numbers)


def _with_seed(version: str, trainings: Iterable[PastRun]) -> str:
    """Return a version with its training seed if known: ``v1, seed 0``."""
    return ", ".join([version, *(f"seed {run.params['seed']}" for run in trainings if "seed" in run.params)])
