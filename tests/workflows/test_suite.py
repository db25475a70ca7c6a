"""Suites and their profiles."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_fit import FakeFit

from experiments.datasets import DERIVED
from experiments.errors import DigitsError, UsageError
from experiments.execution import ExecutorConfig, PlanResult, StepsFailedError
from experiments.execution.executors import Executor, InProcessExecutor
from experiments.models import MODELS
from experiments.tracking import Store, open_run, registered_versions
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.analyze import AnalyzeOptions
from experiments.workflows.evaluate import EvaluateOptions
from experiments.workflows.suite import pipeline
from experiments.workflows.suite.profiles import FULL, PROFILES, PlannedTraining, PlannedTransfer, Profile, profile
from experiments.workflows.suite.run import plan_suite, run_suite
from experiments.workflows.tune import TuneResult

ONE = (PlannedTraining("mlp_small", "uci"),)
TUNED = (PlannedTraining("mlp_small", "uci", tuned=True),)
SMALL = Profile(
    "small",
    "two trainings of mlp_small",
    (*ONE, PlannedTraining("mlp_small", "uci", seed=1)),
    {"batch_size": 64, "epochs": 1, "precision": "float32"},
    analyzed=("mlp_small",),
    transfers=(PlannedTransfer("transfer", "uci", ("mlp_small",), ("uci-c",)),),
    seconds={"train mlp_small": 12.0, "report": 3.0},
)
BARE = replace(SMALL, trainings=ONE, analyzed=(), transfers=())
NAMES = ["train mlp_small", "train mlp_small seed 1", "evaluate", "analyze mlp_small", "transfer", "report"]


@dataclass
class FakeSteps:
    """Stands in for the workflows of a suite but `train`: each opens a run, or raises what it is told to by its name.

    Attributes
    ----------
    arguments
        Arguments of all calls without the store, by name.
    best
        Hyperparameters that searches find.
    """

    raised: dict[str, BaseException] = field(default_factory=dict)
    arguments: dict[str, list[Any]] = field(default_factory=dict)
    best: dict[str, int | float] = field(default_factory=dict)

    def workflow(self, name: Any) -> Callable[..., TuneResult]:
        def work(store: Store, *arguments: Any, parent: str, **_: Any) -> TuneResult:
            self.arguments.setdefault(name, []).append(arguments)
            if name in self.raised:
                raise self.raised[name]
            with open_run(store, name, name, parent=parent) as run:
                return TuneResult(run.id, "study", "optuna", 1, 0.9, self.best, run.id, "mlp_small", "uci", 0, 0, 0)

        return work


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeSteps:
    """Search, evaluate, analyze, transfer and report nothing; train nothing but register the network."""
    steps = FakeSteps()
    for name in ("tune", "evaluate", "analyze", "transfer"):
        monkeypatch.setattr(pipeline, name, steps.workflow(name))
    monkeypatch.setattr(pipeline, "report", lambda _, output, __: SimpleNamespace(page=str(output / "index.html")))
    monkeypatch.setattr("experiments.workflows.train.run.fit", FakeFit())
    monkeypatch.setattr("experiments.tracking.Run.log_figure", lambda *_: None)
    return steps


def run(store: Store, chosen: Profile, again: bool = False, executor: ExecutorConfig | None = None) -> PlanResult:
    return run_suite(store, plan_suite(store, chosen, again=again), executor=executor)


def planned(store: Store, chosen: Profile, again: bool = False) -> dict[str, str]:
    return statuses(plan_suite(store, chosen, again=again).steps)


def statuses(steps: Any) -> dict[str, str]:
    return {step.name: step.status for step in steps}


def test_a_suite_runs_all_steps_and_a_second_one_only_what_is_new(store: Store, fakes: FakeSteps) -> None:
    steps = plan_suite(store, SMALL).steps
    assert [(step.name, step.status) for step in steps] == [(name, "to do") for name in NAMES]
    expected = [12.0, MODELS["mlp_small"].expected_seconds["uci"], None, None, None, 3.0]
    assert [step.seconds for step in steps] == expected
    assert store.client.search_runs([store.experiment_id]) == []

    first = run(store, SMALL)
    assert statuses(first.steps) == dict.fromkeys(NAMES, "done")
    assert first.steps[-1].result == {
        "run_id": first.run_id, "page": str(store.root / "reports/small/index.html"),
    }  # fmt: skip
    trained = [f"models:/uci-mlp_small/{version}" for version in (1, 2)]
    compared = {"mlp_small": trained[0], "mlp_small seed 1": trained[1]}
    assert fakes.arguments["evaluate"] == [(compared, EvaluateOptions("uci"))]
    assert fakes.arguments["analyze"] == [(trained[0], AnalyzeOptions())]
    ((transferred, options),) = fakes.arguments["transfer"]
    assert (transferred, options.targets, options.adapt) == (trained[:1], ("uci-c",), ("none",))

    steps = plan_suite(store, SMALL).steps
    assert statuses(steps) == {**dict.fromkeys(NAMES, "cached"), "report": "to do"}
    assert [step.seconds for step in steps] == [step.seconds for step in first.steps]
    assert statuses(run(store, SMALL).steps) == {**dict.fromkeys(NAMES, "cached"), "report": "done"}
    assert len(registered_versions(store)) == 2
    assert planned(store, SMALL, again=True) == dict.fromkeys(NAMES, "to do")
    assert set(planned(store, replace(SMALL, settings={**SMALL.settings, "epochs": 2})).values()) == {"to do"}
    assert planned(store, replace(SMALL, ensemble=True))["evaluate"] == "to do"

    store.client.delete_model_version("uci-mlp_small", "2")
    expected_statuses = ["cached", "to do", "to do", "cached", "cached", "to do"]
    assert [*planned(store, SMALL).values()] == expected_statuses


def test_other_processes_can_run_the_steps(store: Store) -> None:
    for step in plan_suite(store, replace(SMALL, trainings=TUNED)).plan.steps:
        pickle.dumps(step.workflow)


def test_an_executor_runs_the_steps_and_an_ensemble_needs_all_members(store: Store, fakes: FakeSteps) -> None:
    opened: list[InProcessExecutor] = []

    class Here(ExecutorConfig):
        def open(self) -> Executor:
            opened.append(InProcessExecutor())
            return opened[0]

    chosen = replace(SMALL, analyzed=(), transfers=(), ensemble=True)
    assert set(statuses(run(store, chosen, executor=Here()).steps).values()) == {"done"}
    assert len(opened) == 1
    ((_, options),) = fakes.arguments["evaluate"]
    assert options.ensemble
    assert plan_suite(store, chosen).plan.steps[2].requires == (*NAMES[:2],)


def test_a_failed_step_is_named_and_the_rest_is_done(store: Store, fakes: FakeSteps) -> None:
    fakes.raised["transfer"] = DigitsError("no map of that country")
    with pytest.raises(StepsFailedError, match=r"1 of 4 .* transfer \(no map of that country\)") as caught:
        run(store, replace(BARE, transfers=SMALL.transfers))
    ended = {"train mlp_small": "done", "evaluate": "done", "transfer": "failed", "report": "done"}
    assert statuses(caught.value.result.steps) == ended


def test_again_runs_also_what_an_interrupted_suite_did(store: Store, fakes: FakeSteps) -> None:
    fakes.raised["evaluate"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(store, BARE)
    assert planned(store, BARE)["train mlp_small"] == "cached"
    fakes.raised.clear()
    again = run(store, BARE, again=True)
    assert set(statuses(again.steps).values()) == {"done"}
    assert len(registered_versions(store)) == 2


def test_a_tuned_training_has_the_hyperparameters_of_its_search(store: Store, fakes: FakeSteps) -> None:
    fakes.best = {"units_1": 17, "dropout": 0.2}
    done = run(store, replace(BARE, trainings=TUNED))
    search, training = (store.client.get_run(step.run_id or "") for step in done.steps[:2])
    assert {"units_1": "17", "dropout": "0.2", "epochs": "1"}.items() <= training.data.params.items()
    assert training.data.tags["digits.study_run"] == search.info.run_id
    assert [*fakes.arguments["evaluate"][0][0]] == ["mlp_small (tuned)"]


@pytest.mark.parametrize(("code", "again"), [("before", False), ("after", False), ("before", True)])
def test_a_suite_searches_in_a_study_of_its_run_and_its_code(
    store: Store, fakes: FakeSteps, monkeypatch: pytest.MonkeyPatch, code: str, again: bool
) -> None:
    fakes.raised["tune"] = DigitsError("no trial")
    ids = []
    for version, anew in (("before", False), (code, again)):
        monkeypatch.setattr(pipeline, "code_version", lambda *_, version=version: version)
        with pytest.raises(StepsFailedError) as caught:
            run(store, replace(BARE, trainings=TUNED), again=anew)
        ids.append(caught.value.result.run_id)
    studies = [options.study for (options,) in fakes.arguments["tune"]]
    assert [study.rpartition("-")[2] for study in studies] == [run_id[:8] for run_id in ids]
    assert (ids[0] == ids[1]) != again
    assert (studies[0] == studies[1]) == (code == "before" and not again)


def test_full_adapts_by_the_methods_that_name_its_networks(
    store: Store, fakes: FakeSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADAPTATIONS, "toy", replace(ADAPTATIONS["shot"], name="toy", suite_networks=("heavy",)))
    small: dict[str, Any] = {"source": "uci", "models": ("mlp_small",), "targets": ("uci-c",)}
    to_usps = [replace(one, **small) for one in FULL.transfers if one.targets == ("usps",)]
    run(store, replace(BARE, transfers=tuple(to_usps)))
    adapted = [options.adapt for _, options in fakes.arguments["transfer"]]
    assert adapted[:2] == [("align", "adabn", "tent", "shot"), ("adabn", "tent", "toy")]


@pytest.mark.parametrize("chosen", [slice(None, None, -1), slice(14), slice(1, 15)])
def test_other_corruptions_or_another_order_are_another_transfer(
    chosen: slice, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    def key() -> str | None:
        steps = {step.name: step for step in plan_suite(store, SMALL).plan.steps}
        return steps["transfer"].key({})

    before, derived = key(), DERIVED["uci-c"]
    assert key() == before
    derivation = replace(derived.derivation, uses=derived.derivation.uses[chosen])
    monkeypatch.setitem(DERIVED, "uci-c", replace(derived, derivation=derivation))
    assert key() != before


def test_profiles_train_the_networks_that_name_them() -> None:
    assert {name for network in MODELS.values() for name in network.profiles} == set(PROFILES)
    for name, dataset in (("quick", "uci"), ("full", "mnist"), ("record", "mnist")):
        trained = {one.model for one in profile(name).trainings if one.dataset == dataset}
        assert trained == {network.name for network in MODELS.values() if name in network.profiles}
    light = {network.name for network in MODELS.values() if "full" in network.profiles and network.cost == "light"}
    assert {one.model for one in FULL.trainings if one.dataset == "usps"} == light
    assert FULL.datasets == ("mnist", "usps")
    transfers = {one.name: {*one.models} for one in FULL.transfers}
    assert transfers["transfer to usps"] == transfers["transfer to mnist"] == light
    assert transfers["transfer to mnist-c"] > light


def test_quick_has_all_kinds_of_steps_of_known_length_and_needs_no_download(store: Store) -> None:
    steps = plan_suite(store, profile("quick")).steps
    names = [f"train {model}" for model in ("mlp", "mlp_small", "lenet", "cnn")]
    assert [step.name for step in steps] == ["tune mlp", *names, "evaluate", "analyze lenet", "transfer", "report"]
    assert all(step.seconds for step in steps)


def test_the_record_is_an_ensemble_of_different_networks_in_their_own_recipes() -> None:
    record = profile("record")
    assert (record.ensemble, record.settings) == (True, {})
    assert len({training.model for training in record.trainings}) >= 3


def test_only_the_tuned_training_is_called_tuned() -> None:
    labels = [one.label for one in FULL.trainings]
    assert labels[0] == "mlp (tuned)"
    assert labels.count("mlp") == 1  # the default recipe, on usps
    assert PlannedTraining("mlp", "uci", 2, tuned=True).label == "mlp (tuned) seed 2"
    assert PlannedTraining("cnn", "uci", 2).label == "cnn seed 2"


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_asks_only_for_what_it_trains(name: str) -> None:
    chosen = profile(name)
    trained = {(one.model, one.dataset) for one in chosen.trainings}
    assert {(model, chosen.dataset) for model in chosen.analyzed} <= trained
    assert {(model, one.source) for one in chosen.transfers for model in one.models} <= trained


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["full", "record"])
def test_a_plan_tells_how_long_each_step_takes(name: str, store: Store, data_dir: Path) -> None:
    assert [step.name for step in plan_suite(store, profile(name), data_dir).steps if not step.seconds] == []


def test_further_networks_are_trained_on_the_data_of_the_profile() -> None:
    assert FULL.also(["alexnet227"]).trainings == (*FULL.trainings, PlannedTraining("alexnet227", "mnist"))
    with pytest.raises(UsageError, match=r"full .*lenet"):
        FULL.also(["lenet"])
