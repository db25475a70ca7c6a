"""The steps of a profile, their dependencies, and what their results depend on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments import datasets
from experiments.execution import Inputs, Progress, Step, StepResult, code_version
from experiments.models import architecture
from experiments.tracking import Store
from experiments.tracking.registry import version_uri
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.analyze import AnalyzeOptions, analyze
from experiments.workflows.evaluate import EvaluateOptions, evaluate
from experiments.workflows.model_card import publish
from experiments.workflows.report import report
from experiments.workflows.suite.profiles import PlannedTraining, PlannedTransfer, Profile
from experiments.workflows.train.run import TrainOptions, made_by, train
from experiments.workflows.transfer import TransferOptions, transfer
from experiments.workflows.tune import TuneOptions, TuneResult, tune


@dataclass(frozen=True)
class ReportStepResult:
    """The report of a suite: the suite's run, and the path of the page."""

    run_id: str
    page: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


class Pipeline:
    """Builds the steps of a profile.

    Raises
    ------
    DigitsError
        If data is missing.
    """

    def __init__(self, store: Store, profile: Profile, data_dir: Path | None, progress: Progress) -> None:
        self._store, self._profile, self._data_dir = store, profile, data_dir
        targets = [target for planned in profile.transfers for target in planned.targets]
        also = [name for training in profile.trainings for name in architecture(training.model).also]
        names = dict.fromkeys([*profile.datasets, *also, *(_published(target) for target in targets)])
        self._digests = {name: datasets.load(name, data_dir, progress.download).digest for name in names}

    def steps(self) -> list[Step]:
        """Return all steps in the order in which they start."""
        profile, steps = self._profile, list[Step]()
        for training in profile.trainings:
            steps += [self._tune(training)] if training.tuned else []
            steps.append(self._train(training))
        steps += [self._evaluate(dataset) for dataset in profile.datasets]
        steps += [self._analyze(model) for model in profile.analyzed]
        steps += [self._transfer(planned) for planned in profile.transfers]
        steps += [self._publish(profile.published)] if profile.published else []
        return [*steps, self._report(tuple(step.name for step in steps))]

    def _train(self, training: PlannedTraining) -> Step:
        options, search = self._options(training), _search_name(training)

        def arguments(_: str, inputs: Inputs) -> tuple[Store, TrainOptions]:
            if not training.tuned:
                return self._store, options
            found = TuneResult(**(inputs[search].result or {}))
            settings = {**options.settings, **found.best_params}
            return self._store, replace(options, settings=settings, study_run=found.run_id)

        requires = (search,) if training.tuned else ()
        identity, seconds = self._training_identity(options), training.expected_seconds
        return Step(self._name(training), train, arguments, requires, identity=identity, seconds=seconds)

    def _tune(self, training: PlannedTraining) -> Step:
        options, trials = self._options(training), self._profile.trials
        settings = {**self._profile.settings, **training.settings}
        search = TuneOptions(training.model, training.dataset, self._data_dir, settings, trials=trials)
        code = code_version(tune, options.architecture.build, *search.search("", "").functions)
        identity = {**self._training_identity(options), "trials": trials, "code": code}
        study = f"{self._profile.name}-{training.dataset}-{training.model}-{_digest(identity)}"

        def arguments(parent: str, _: Inputs) -> tuple[Store, TuneOptions]:
            # Each suite has its own study: the runs of another suite's may have been deleted.
            return self._store, replace(search, study=f"{study}-{parent[:8]}")

        return Step(_search_name(training), tune, arguments, identity=identity)

    def _evaluate(self, dataset: str) -> Step:
        labels = {self._name(one): one.label for one in self._profile.trainings if one.dataset == dataset}
        trainings = tuple(labels)
        ensemble = self._profile.ensemble
        options = EvaluateOptions(dataset, self._data_dir, ensemble)

        def arguments(_: str, inputs: Inputs) -> tuple[Store, dict[str, str], EvaluateOptions]:
            return self._store, {labels[name]: _reference(step) for name, step in inputs.items()}, options

        # An ensemble needs all its members.
        requires, optional = (trainings, ()) if ensemble else ((), trainings)
        identity = {"data": self._digests[dataset], "ensemble": ensemble, "code": code_version(evaluate)}
        return Step(f"evaluate{self._on(dataset)}", evaluate, arguments, requires, optional, identity)

    def _analyze(self, model: str) -> Step:
        training = self._training(model, self._profile.dataset)
        options = AnalyzeOptions(data_dir=self._data_dir)

        def arguments(_: str, inputs: Inputs) -> tuple[Store, str, AnalyzeOptions]:
            return self._store, _reference(inputs[training]), options

        identity = {"data": self._digests[self._profile.dataset], "code": code_version(analyze)}
        return Step(f"analyze {model}", analyze, arguments, (training,), identity=identity)

    def _transfer(self, planned: PlannedTransfer) -> Step:
        suite = [name for name, method in ADAPTATIONS.items() if planned.adapt_cost in method.suite_networks]
        options = TransferOptions(planned.targets, (*planned.adapt, *suite), planned.few_shot, data_dir=self._data_dir)

        def arguments(_: str, inputs: Inputs) -> tuple[Store, list[str], TransferOptions]:
            return self._store, [_reference(step) for step in inputs.values()], options

        methods = [ADAPTATIONS[method].adapt for method in options.methods]
        derived = [datasets.DERIVED[target] for target in planned.targets if target in datasets.DERIVED]
        functions = [function for dataset in derived for function in dataset.functions]
        identity = {
            "data": self._digests[planned.source],
            "targets": {target: self._digests[_published(target)] for target in planned.targets},
            "options": [options.adapt, options.few_shot, options.retrain],
            # In this order: that of the corruptions seeds their random numbers.
            "derived by": [function.__qualname__ for function in functions],
            "code": code_version(transfer, *methods, *functions),
        }
        trainings = tuple(self._training(model, planned.source) for model in planned.models)
        return Step(planned.name, transfer, arguments, optional=trainings, identity=identity)

    def _publish(self, model: str) -> Step:
        training = self._training(model, self._profile.dataset)
        evaluations = [f"evaluate{self._on(dataset)}" for dataset in self._profile.datasets]
        tests = (*evaluations, *(planned.name for planned in self._profile.transfers))
        folder = self._store.root / "reports" / self._profile.name

        def arguments(_: str, inputs: Inputs) -> tuple[Store, str, list[str], Path]:
            return self._store, _reference(inputs[training]), [str(inputs[name].run_id) for name in tests], folder

        return Step(f"publish {model}", publish, arguments, (training, *tests), identity=None)

    def _report(self, steps: tuple[str, ...]) -> Step:
        folder = self._store.root / "reports" / self._profile.name
        return Step("report", _write_report, lambda *_: (self._store, folder), optional=steps, identity=None)

    def _options(self, training: PlannedTraining) -> TrainOptions:
        settings = {**self._profile.settings, **training.settings, "seed": training.seed}
        return TrainOptions(training.model, training.dataset, self._data_dir, settings)

    def _training_identity(self, options: TrainOptions) -> dict[str, Any]:
        return {
            "model": options.model,
            "data": self._digests[options.dataset],
            "also": [self._digests[name] for name in options.architecture.also],
            "recipe": options.recipe.params(),
            **made_by(options),
        }

    def _name(self, training: PlannedTraining) -> str:
        seed = f" seed {training.seed}" if training.seed else ""
        return f"train {training.model}{seed}{self._on(training.dataset)}"

    def _on(self, dataset: str) -> str:
        return "" if dataset == self._profile.dataset else f" on {dataset}"

    def _training(self, model: str, dataset: str) -> str:
        """Return the name of the step that trains a network."""
        wanted = (model, dataset)
        return next(self._name(one) for one in self._profile.trainings if (one.model, one.dataset) == wanted)


def _search_name(training: PlannedTraining) -> str:
    return f"tune {training.model}"


def _digest(identity: Mapping[str, Any]) -> str:
    """Compute four hexadecimal digits that stand for JSON values."""
    return hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()[:4]


def _published(dataset: str) -> str:
    """Return the dataset that a derived one is made from, or the dataset itself."""
    return datasets.DERIVED[dataset].source.name if dataset in datasets.DERIVED else dataset


def _write_report(store: Store, output: Path, progress: Progress, parent: str) -> ReportStepResult:
    return ReportStepResult(parent, report(store, output, progress).page)


def _reference(trained: StepResult) -> str:
    """Return the reference to the model version that a training step registered."""
    result = trained.result or {}
    return version_uri(result["registered_model"], result["version"])
