"""Evaluate trained networks on a test split, and compare them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import datasets, evaluation, tracking
from experiments.datasets import Dataset
from experiments.errors import UsageError
from experiments.evaluation.arguments import check_probabilities
from experiments.execution import Progress
from experiments.models.speed import Speed, one_after_another, predict_and_time
from experiments.results import MEMBERS_ACCURACY
from experiments.tracking import Reference, Store
from experiments.workflows.evaluate.record import (
    ENSEMBLE,
    Evaluation,
    metrics_by_model,
    paired_tests,
    record,
    to_table,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of an evaluation.

    Attributes
    ----------
    dataset
        The dataset whose test split is used; None takes the one that the networks were trained on.
    data_dir
        As for `experiments.datasets.load`.
    ensemble
        Whether to evaluate the ensemble of the networks too: the mean of their probabilities.
    """

    dataset: str | None = None
    data_dir: Path | None = None
    ensemble: bool = False


@dataclass(frozen=True, eq=False)
class EvaluateResult:
    """Results of networks on one test split.

    Attributes
    ----------
    run_id
        Id of the comparison's run if there are several networks, else of the evaluation's.
    dataset
        Name of the dataset.
    table
        All results; see `experiments.results`.
    runs
        Ids of the evaluations' runs, by the name in the table.
    labels
        Names in the table, by the names that the caller gave.
    misclassified_by_all
        Indices into the test split, ascending.
    """

    run_id: str
    dataset: str
    table: "pd.DataFrame"
    runs: Mapping[str, str]
    labels: Mapping[str, str]
    misclassified_by_all: tuple[int, ...]

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        """All metrics of each model, and the id of its run; of an ensemble also the names of its members."""
        metrics = metrics_by_model(self.table)
        found: dict[str, dict[str, Any]] = {
            name: {**metrics[label], "run_id": self.runs[label]} for name, label in self.labels.items()
        }
        if MEMBERS_ACCURACY in found.get(ENSEMBLE, {}):
            found[ENSEMBLE]["members"] = [name for name in found if name != ENSEMBLE]
        return found

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """The exact McNemar test of each pair of models; see `paired_tests`."""
        names = {label: name for name, label in self.labels.items()}
        return [{**test, "a": names[test["a"]], "b": names[test["b"]]} for test in paired_tests(self.table)]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return {
            "run_id": self.run_id,
            "dataset": self.dataset,
            "models": self.models,
            "misclassified_by_all": [*self.misclassified_by_all],
            "pairs": self.pairs,
        }


def evaluate(
    store: Store,
    models: Mapping[str, str],
    options: EvaluateOptions | None = None,
    progress: Progress | None = None,
    parent: str | None = None,
) -> EvaluateResult:
    """Evaluate each network on the test split and, if there are several, compare them.

    Parameters
    ----------
    models
        References, as for `experiments.tracking.resolve_reference`, by the names to show.
    parent
        Id of the parent run of a comparison; the parent of a network's evaluation is the training of the network.

    Raises
    ------
    UsageError
        If there is no model, if networks were trained on different data and `dataset` is None, or if the models cannot
        form an ensemble.
    DigitsError
        If a reference does not exist, or a network does not map 28x28 images to probabilities of ten classes.
    """
    options, progress = options or EvaluateOptions(), progress or Progress()
    references = tracking.resolve_references(store, models, progress.log)
    labels = tracking.names_in_table(references)
    if options.ensemble:
        _check_members(references, labels)
    dataset = options.dataset or tracking.common_dataset(references.values())
    data = datasets.load(dataset, options.data_dir, progress.download)
    by_label = {labels[name]: reference for name, reference in references.items()}
    labels |= {ENSEMBLE: ENSEMBLE} if options.ensemble else {}
    found = _compute(store, by_label, data, options.ensemble, progress)
    table = to_table(found)
    run_id, runs = record(store, found, table, parent)
    return EvaluateResult(run_id, data.name, table, runs, labels, tuple(found.comparison.missed_by_all.tolist()))


def _check_members(references: Mapping[str, Reference], labels: Mapping[str, str]) -> None:
    """Check that networks can form an ensemble.

    Raises
    ------
    UsageError
        If there are fewer than two, one is there twice, or one has the ensemble's name.
    """
    if ENSEMBLE in {*labels, *labels.values()}:
        raise UsageError(f"the name {ENSEMBLE!r} of a model is that of the ensemble too; refer to the model by version")
    if len(references) < 2:
        raise UsageError(f"an ensemble needs at least two models, received {', '.join(references)}")
    seen: dict[object, str] = {}
    for name, reference in references.items():
        first = seen.setdefault(reference.model_id or Path(reference.location).resolve(), name)
        if first != name:
            raise UsageError(f"{first} and {name} are the same network; an ensemble needs different ones")


def _compute(
    store: Store, references: Mapping[str, Reference], data: Dataset, ensemble: bool, progress: Progress
) -> Evaluation:
    """Predict the test split with each network, and with their ensemble if asked for, and compare the predictions."""
    probabilities: dict[str, NDArray[np.float32]] = {}
    speeds: dict[str, Speed] = {}
    for name, reference in references.items():
        progress.stage(f"evaluate {name} on {data.name}")
        network = tracking.load_network(store, reference)
        probabilities[name], speeds[name] = predict_and_time(network, data.test)
        check_probabilities(probabilities[name], reference.text)
    together = evaluation.ensemble([*probabilities.values()]) if ensemble else None
    if together:
        probabilities[ENSEMBLE] = together.probabilities
        speeds[ENSEMBLE] = one_after_another(speeds.values())
    comparison = evaluation.compare(data.test.labels, probabilities)
    accuracies = [comparison.rows[name].accuracy for name in references]
    of_ensemble = together.metrics(data.test.labels, accuracies) if together else {}
    return Evaluation(data, references, probabilities, speeds, comparison, of_ensemble)
