"""The suite: networks tuned, trained, compared, looked into, used in new domains, and reported on, under one run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments import datasets
from experiments.tracking import Store
from experiments.training import backend_packages
from experiments.workflows.analyze import AnalyzeOptions, AnalyzeResult, analyze
from experiments.workflows.evaluate import EvaluateResult, evaluate
from experiments.workflows.listener import Listener
from experiments.workflows.profiles import Profile, Training, Transfer
from experiments.workflows.report import report
from experiments.workflows.sources import PARTS, Part, code_digest
from experiments.workflows.steps import (
    NOTHING,
    Earlier,
    Plan,
    Step,
    StepResult,
    StepsResult,
    earlier_steps,
    foresee,
    run_steps,
)
from experiments.workflows.train import TrainOptions, TrainResult, train
from experiments.workflows.train_many import train_step
from experiments.workflows.transfer import TransferOptions, TransferResult, transfer_networks
from experiments.workflows.tune import TuneOptions, TuneResult, tune
from experiments.workflows.workers import Place

# Beside Keras and its backend.
LIBRARIES: Mapping[Part, tuple[str, ...]] = {
    "train": (),
    "tune": ("optuna",),
    "evaluate": ("numpy", "scipy"),
    "analyze": ("numpy", "scipy", "scikit-learn", "cleanlab"),
    "transfer": ("numpy", "scipy", "scikit-learn"),
}


@dataclass(frozen=True)
class Written:
    """The report of a suite: its run, and where the page lies."""

    run_id: str
    page: str


@dataclass(frozen=True)
class Foreseen:
    """A step that is to be done, or was done before.

    `seconds` is what it is expected to take, or took; None where nobody knows.
    """

    name: str
    status: str
    seconds: float | None
    run_id: str | None


def run(
    store: Store,
    chosen: Profile,
    data_dir: Path | None = None,
    listener: Listener | None = None,
    again: bool = False,
    place: Place | None = None,
) -> StepsResult:
    """Do all steps of a profile but those that were done before; after an interruption, those that are left.

    A step was done before where an earlier suite did the same: same network, data, recipe, code of the parts that
    compute the result, and same runs of the steps it needs.

    Parameters
    ----------
    again
        Whether all steps are done, also those that were done before.
    place
        Where workers do the steps, side by side as far as they do not need each other; None does them in this process,
        one after the other.

    Raises
    ------
    DigitsError
        When data is missing.
    StepsFailedError
        At the end, when a step failed.
    """
    listener = listener or Listener()
    earlier = earlier_steps(store)
    plan = _plan(store, chosen, data_dir, listener, earlier, again)
    return run_steps(store, plan, listener, place=place, earlier=NOTHING if again else earlier)


def preview(
    store: Store, chosen: Profile, data_dir: Path | None = None, listener: Listener | None = None, again: bool = False
) -> tuple[Foreseen, ...]:
    """Return what `run` would do, step by step, without doing it; errors as of `run`."""
    earlier = earlier_steps(store)
    steps = _plan(store, chosen, data_dir, listener or Listener(), earlier, again).steps
    found = foresee(steps, NOTHING if again else earlier)
    return tuple(
        Foreseen(step.name, before.status, before.seconds, before.run_id)
        if before
        else Foreseen(step.name, "to do", step.seconds, None)
        for step, before in zip(steps, found, strict=True)
    )


def _plan(
    store: Store, chosen: Profile, data_dir: Path | None, listener: Listener, earlier: Earlier, again: bool
) -> Plan:
    name = f"suite {chosen.name}"
    steps = [
        replace(step, seconds=earlier.seconds.get((name, step.name), chosen.seconds.get(step.name)))
        for step in Suite(store, chosen, data_dir, listener).steps()
    ]
    return Plan(
        kind="suite",
        name=name,
        steps=steps,
        identity={"profile": chosen.name, "again": again},
        description=f"Profile **{chosen.name}**: {chosen.summary}.",
        tags={"digits.dataset": chosen.dataset},
    )


class Suite:
    """The steps of a profile."""

    def __init__(self, store: Store, chosen: Profile, data_dir: Path | None, listener: Listener) -> None:
        self._store, self._chosen, self._data_dir = store, chosen, data_dir
        targets = [target for transfer in chosen.transfers for target in transfer.targets]
        names = dict.fromkeys([*chosen.datasets, *(_published(target) for target in targets)])
        self._digests = {name: datasets.load(name, data_dir, listener.download).digest for name in names}

    def steps(self) -> list[Step]:
        """Return all steps in the order in which they are begun."""
        chosen, steps = self._chosen, list[Step]()
        for training in chosen.trainings:
            steps += self._tuned(training) if training.tuned else [self._training(training)]
        steps += [self._evaluation(dataset) for dataset in chosen.datasets]
        steps += [self._analysis(model) for model in chosen.analyzed]
        steps += [self._transfer_to(transfer) for transfer in chosen.transfers]
        before = tuple(step.name for step in steps)
        return [*steps, Step("report", partial(_report, self._store, chosen.name), uses=before, identity=None)]

    def _name(self, training: Training) -> str:
        seed = f" seed {training.seed}" if training.seed else ""
        return f"train {training.model}{seed}{self._on(training.dataset)}"

    def _on(self, dataset: str) -> str:
        return "" if dataset == self._chosen.dataset else f" on {dataset}"

    def _options(self, training: Training) -> TrainOptions:
        settings = {**self._chosen.settings, **training.settings, "seed": training.seed}
        return TrainOptions(training.model, training.dataset, self._data_dir, settings)

    def _training(self, training: Training) -> Step:
        options = self._options(training)
        return replace(train_step(self._store, self._name(training), options), identity=self._identity(options))

    def _tuned(self, training: Training) -> list[Step]:
        """Return a search, and the training with what it finds."""
        options, trials, name = self._options(training), self._chosen.trials, f"tune {training.model}"
        searched = {**self._identity(options), "trials": trials, **_made_by("tune", options)}
        search = TuneOptions(
            training.model,
            training.dataset,
            self._data_dir,
            {**self._chosen.settings, **training.settings},
            trials=trials,
            study=f"{self._chosen.name}-{training.dataset}-{training.model}-{_digest(searched)}",
        )
        return [
            Step(name, partial(_tune, self._store, search), identity=searched),
            Step(
                self._name(training),
                partial(_train_tuned, self._store, options, name),
                needs=(name,),
                identity=self._identity(options),
            ),
        ]

    def _identity(self, options: TrainOptions) -> dict[str, Any]:
        """Return what a training depends on."""
        return {
            "model": options.model,
            "data": self._digests[options.dataset],
            "recipe": options.recipe.params(),
            **_made_by("train", options),
        }

    def _evaluation(self, dataset: str) -> Step:
        trained = tuple(self._name(one) for one in self._chosen.trainings if one.dataset == dataset)
        together = self._chosen.ensemble  # of all, or the test digits would be looked at again with those that failed
        return Step(
            f"evaluate{self._on(dataset)}",
            partial(_compare, self._store, dataset, self._data_dir, together),
            needs=trained if together else (),
            uses=() if together else trained,
            identity={
                "data": self._digests[dataset],
                "ensemble": together,
                **_made_by("evaluate"),
            },
        )

    def _analysis(self, model: str) -> Step:
        training = self._trained(model, self._chosen.dataset)
        return Step(
            f"analyze {model}",
            partial(_analyze, self._store, training, self._data_dir),
            needs=(training,),
            identity={"data": self._digests[self._chosen.dataset], **_made_by("analyze")},
        )

    def _transfer_to(self, transfer: Transfer) -> Step:
        options = TransferOptions(
            transfer.targets, transfer.adapt, transfer.few_shot, data_dir=self._data_dir, retrain=transfer.retrain
        )
        identity = {
            "data": self._digests[transfer.source],
            "targets": {target: self._digests[_published(target)] for target in transfer.targets},
            "asked": [transfer.adapt, transfer.few_shot, transfer.retrain],
            **_made_by("transfer"),
        }
        return Step(
            transfer.name,
            partial(_transfer, self._store, options),
            uses=tuple(self._trained(model, transfer.source) for model in transfer.models),
            identity=identity,
        )

    def _trained(self, model: str, dataset: str) -> str:
        """Return the name of the step that trains a network."""
        wanted = (model, dataset)
        return next(self._name(one) for one in self._chosen.trainings if (one.model, one.dataset) == wanted)


def _made_by(kind: Part, options: TrainOptions | None = None) -> dict[str, Any]:
    """Return the code and the libraries that a kind of step has its results from, with the network's own file."""
    own = (options.architecture.build.__module__,) if options else ()
    return {
        "code": code_digest((*PARTS[kind], *own)),
        "libraries": [f"{name} {version(name)}" for name in (*backend_packages(), *LIBRARIES[kind])],
    }


def _digest(identity: Mapping[str, Any]) -> str:
    """Return four hexadecimal digits that stand for JSON values."""
    return hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()[:4]


def _published(dataset: str) -> str:
    """Return the data that a derived set is made of, or the set itself."""
    return datasets.DERIVED[dataset].source.name if dataset in datasets.DERIVED else dataset


def _tune(
    store: Store, options: TuneOptions, parent: str, _: Mapping[str, StepResult], listener: Listener
) -> TuneResult:
    """Search in a study of this suite's own: another one's may have lost its runs."""
    return tune(store, replace(options, study=f"{options.study}-{parent[:8]}"), listener, parent)


def _train_tuned(
    store: Store, plan: TrainOptions, tuning: str, parent: str, ended: Mapping[str, StepResult], listener: Listener
) -> TrainResult:
    """Train with the best hyperparameters that the step `tuning` found."""
    found = TuneResult(**(ended[tuning].result or {}))
    tuned = replace(plan, settings={**plan.settings, **found.best_params}, study_run=found.run_id)
    return train(store, tuned, listener, parent)


def _compare(
    store: Store,
    dataset: str,
    data_dir: Path | None,
    ensemble: bool,
    parent: str,
    ended: Mapping[str, StepResult],
    listener: Listener,
) -> EvaluateResult:
    models = {name.removeprefix("train "): _reference(step) for name, step in ended.items()}
    return evaluate(store, models, dataset, data_dir, listener, parent, ensemble)


def _analyze(
    store: Store,
    training: str,
    data_dir: Path | None,
    parent: str,
    ended: Mapping[str, StepResult],
    listener: Listener,
) -> AnalyzeResult:
    """Look into the feature space of the network that the step `training` trained."""
    return analyze(store, _reference(ended[training]), AnalyzeOptions(data_dir=data_dir), listener, parent)


def _transfer(
    store: Store, options: TransferOptions, parent: str, ended: Mapping[str, StepResult], listener: Listener
) -> TransferResult:
    """Use the networks that the needed steps trained in another domain."""
    return transfer_networks(store, [_reference(step) for step in ended.values()], options, listener, parent)


def _report(store: Store, folder: str, parent: str, _: Mapping[str, StepResult], listener: Listener) -> Written:
    """Write the report of all that the store knows."""
    return Written(parent, report(store, store.root / "reports" / folder, listener).page)


def _reference(trained: StepResult) -> str:
    """Return what names the version that a training step has registered."""
    result = trained.result or {}
    return f"models:/{result['registered_model']}/{result['version']}"
