"""Suites and their profiles."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any, NoReturn

import pytest

from experiments.datasets import DERIVED
from experiments.errors import DigitsError, UsageError
from experiments.execution import ExecutorConfig, PlanResult, Progress, StepsFailedError
from experiments.models import MODELS
from experiments.tracking import Store, registered_versions
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.suite import pipeline
from experiments.workflows.suite.pipeline import Pipeline
from experiments.workflows.suite.profiles import FULL, PROFILES, PlannedTraining, PlannedTransfer, Profile, profile
from experiments.workflows.suite.run import PlannedStep, plan_suite, run_suite
from experiments.workflows.tune.run import TuneOptions

SMALL = Profile(
    "small",
    "two trainings of mlp_small",
    (PlannedTraining("mlp_small", "uci"), PlannedTraining("mlp_small", "uci", seed=1)),
    {"batch_size": 64, "epochs": 1, "precision": "float32"},
    transfers=(PlannedTransfer("transfer", "uci", ("mlp_small",), ("uci-c",)),),
    seconds={"train mlp_small": 12.0, "report": 3.0},
)
NAMES = ["train mlp_small", "train mlp_small seed 1", "evaluate", "transfer", "report"]

pytestmark = pytest.mark.usefixtures("no_figures")


def run(store: Store, chosen: Profile, again: bool = False, executor: ExecutorConfig | None = None) -> PlanResult:
    return run_suite(store, plan_suite(store, chosen, again=again), executor=executor)


def planned_steps(
    store: Store, chosen: Profile, data_dir: Path | None = None, again: bool = False
) -> tuple[PlannedStep, ...]:
    return plan_suite(store, chosen, data_dir, again=again).steps


def statuses(steps: Any) -> dict[str, str]:
    return {step.name: step.status for step in steps}


def test_a_suite_does_all_steps_and_a_second_one_only_what_is_new(store: Store) -> None:
    planned = planned_steps(store, SMALL)
    assert [(step.name, step.status) for step in planned] == [(name, "to do") for name in NAMES]
    assert [step.seconds for step in planned] == [12.0, MODELS["mlp_small"].expected_seconds["uci"], None, None, 3.0]
    assert store.client.search_runs([store.experiment_id]) == []

    first = run(store, SMALL)
    assert statuses(first.steps) == dict.fromkeys(NAMES, "done")
    results = {step.name: step.result or {} for step in first.steps}
    assert list(results["evaluate"]["models"]) == ["mlp_small", "mlp_small seed 1"]
    assert results["transfer"]["results"][0]["target"] == "uci-c"
    assert Path(results["report"]["page"]) == store.root / "reports/small/index.html"
    assert Path(results["report"]["page"]).is_file()

    planned = planned_steps(store, SMALL)
    assert statuses(planned) == {**dict.fromkeys(NAMES, "cached"), "report": "to do"}
    assert [step.seconds for step in planned] == [step.seconds for step in first.steps]
    second = run(store, SMALL)
    assert statuses(second.steps) == {**dict.fromkeys(NAMES, "cached"), "report": "done"}
    assert len(registered_versions(store)) == 2

    longer = replace(SMALL, settings={**SMALL.settings, "epochs": 2}, transfers=())
    assert set(statuses(run(store, longer).steps).values()) == {"done"}
    assert statuses(planned_steps(store, SMALL, again=True)) == dict.fromkeys(NAMES, "to do")

    store.client.delete_model_version("uci-mlp_small", "2")
    expected = ["cached", "to do", "to do", "cached", "to do"]
    assert [step.status for step in planned_steps(store, SMALL)] == expected


@pytest.mark.slow
def test_workers_do_the_steps_side_by_side(store: Store) -> None:
    done = run(store, replace(SMALL, transfers=()), executor=ExecutorConfig(workers=2))
    assert statuses(done.steps) == dict.fromkeys([name for name in NAMES if name != "transfer"], "done")
    began = {step.run_id: store.client.get_run(step.run_id or "").info for step in done.steps[:2]}
    first, second = began.values()
    assert max(first.start_time, second.start_time) < min(first.end_time, second.end_time)
    again = run(store, replace(SMALL, transfers=()))
    assert {step.status for step in again.steps if step.name != "report"} == {"cached"}


def test_what_was_trained_can_be_measured_together(store: Store) -> None:
    done = run(store, replace(SMALL, transfers=(), ensemble=True))
    measured = (done.steps[2].result or {})["models"]
    assert list(measured) == ["mlp_small", "mlp_small seed 1", "ensemble"]
    assert measured["ensemble"]["members"] == ["mlp_small", "mlp_small seed 1"]
    assert statuses(planned_steps(store, replace(SMALL, transfers=())))["evaluate"] == "to do"


def test_the_record_is_tried_by_different_networks_in_their_own_recipes() -> None:
    record = profile("record")
    assert record.ensemble
    assert len({training.model for training in record.trainings}) >= 3
    assert record.settings == {}


def test_a_failed_step_is_named_and_the_rest_is_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise DigitsError("no map of that country")

    monkeypatch.setattr(pipeline, "transfer", broken)
    with pytest.raises(StepsFailedError, match=r"1 of 4 steps failed: transfer \(no map of that country\)") as caught:
        run(store, replace(SMALL, trainings=SMALL.trainings[:1]))
    ended = {"train mlp_small": "done", "evaluate": "done", "transfer": "failed", "report": "done"}
    assert statuses(caught.value.result.steps) == ended


def test_all_is_done_again_also_what_an_interrupted_suite_did(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    chosen = replace(SMALL, trainings=SMALL.trainings[:1], transfers=())
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "evaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            run(store, chosen)
    assert statuses(planned_steps(store, chosen))["train mlp_small"] == "cached"
    again = run(store, chosen, again=True)
    assert set(statuses(again.steps).values()) == {"done"}
    assert len(registered_versions(store)) == 2


def watched_searches(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Let each search of a suite fail; return where the names of their studies are noted."""
    studies: list[str | None] = []

    def search(_: Store, options: TuneOptions, **__: object) -> NoReturn:
        studies.append(options.study)
        raise DigitsError("no trial")

    monkeypatch.setattr(pipeline, "tune", search)
    return studies


def test_each_suite_searches_in_a_study_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    studies = watched_searches(monkeypatch)
    tuned = replace(SMALL, trainings=(PlannedTraining("mlp_small", "uci", tuned=True),), transfers=())
    ids = []
    for again in (False, False, True):
        with pytest.raises(StepsFailedError) as caught:
            run(store, tuned, again=again)
        ids.append(caught.value.result.run_id)
    assert ids[0] == ids[1] != ids[2]
    assert [str(study).removeprefix("small-uci-mlp_small-").split("-")[1] for study in studies] == [
        run_id[:8] for run_id in ids
    ]


def test_a_continued_suite_does_not_take_another_search_for_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = watched_searches(monkeypatch)
    tuned = replace(SMALL, trainings=(PlannedTraining("mlp_small", "uci", tuned=True),), transfers=())
    ids = []
    for code in ("before", "after"):
        monkeypatch.setattr(pipeline, "code_version", lambda *_, code=code: code)
        with pytest.raises(StepsFailedError) as caught:
            run(store, tuned)
        ids.append(caught.value.result.run_id)
    assert ids[0] == ids[1]
    assert len(set(studies)) == 2


def test_profiles_train_the_networks_that_name_them() -> None:
    for name, dataset in (("quick", "uci"), ("full", "mnist"), ("record", "mnist")):
        trained = {one.model for one in profile(name).trainings if one.dataset == dataset}
        assert trained == {network.name for network in MODELS.values() if name in network.profiles}
    light = {network.name for network in MODELS.values() if "full" in network.profiles and network.cost == "light"}
    assert {one.model for one in FULL.trainings if one.dataset == "usps"} == light
    assert FULL.datasets == ("mnist", "usps")


def test_networks_name_only_profiles_that_exist() -> None:
    assert {name for network in MODELS.values() for name in network.profiles} == set(PROFILES)


def test_a_network_is_added_to_suites_help_and_train_all_by_one_line() -> None:
    code = """
        from dataclasses import replace
        from experiments.models import MODELS
        MODELS["toy"] = replace(MODELS["lenet"], name="toy", profiles=("full",), cost="light")
        MODELS["titan"] = replace(MODELS["lenet"], name="titan", profiles=(), cost="heavy")
        from digits_cli.main import main
        from experiments.workflows.suite.profiles import FULL
        from experiments.workflows.train.many import AllOptions
        print([one.dataset for one in FULL.trainings if one.model == "toy"])
        print([one.name for one in FULL.transfers if "toy" in one.models])
        print("toy" in AllOptions("uci").networks, "titan" in AllOptions("uci").networks)
        main(["train", "--help"])
    """
    command = [sys.executable, "-c", dedent(code)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"})
    trainings, transfers, train_all, *help_text = shown.stdout.splitlines()
    assert trainings == "['mnist', 'usps']"
    assert transfers == "['transfer to usps', 'transfer to mnist-c', 'transfer to mnist']"
    assert train_all == "True False"
    assert "simple7, titan" in "\n".join(help_text)


def test_full_adapts_by_the_methods_that_name_its_networks(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setitem(ADAPTATIONS, "toy", replace(ADAPTATIONS["shot"], name="toy", suite_networks=("heavy",)))
    to_usps = [replace(one, source="uci", targets=("uci-c",)) for one in FULL.transfers if one.targets == ("usps",)]
    steps = {one.name: Pipeline(store, SMALL, None, Progress())._transfer(replace(one, models=())) for one in to_usps}
    adapt = {name: step.arguments("", {})[2].adapt for name, step in steps.items()}
    assert adapt["transfer to usps"] == ("align", "adabn", "tent", "shot")
    assert adapt["transfer large to usps"] == ("adabn", "tent", "toy")


@pytest.mark.parametrize("chosen", [slice(None, None, -1), slice(14), slice(1, 15)])
def test_other_corruptions_or_another_order_are_another_transfer(
    chosen: slice, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    def key() -> str:
        step = Pipeline(store, SMALL, None, Progress())._transfer(SMALL.transfers[0])
        return str(step.key({}))

    before, derived = key(), DERIVED["uci-c"]
    assert key() == before
    derivation = replace(derived.derivation, uses=derived.derivation.uses[chosen])
    monkeypatch.setitem(DERIVED, "uci-c", replace(derived, derivation=derivation))
    assert key() != before


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
@pytest.mark.parametrize("name", PROFILES)
def test_a_plan_tells_how_long_each_step_takes(name: str, store: Store, data_dir: Path) -> None:
    assert [step.name for step in planned_steps(store, profile(name), data_dir) if not step.seconds] == []


def test_further_networks_are_trained_on_the_data_of_the_profile() -> None:
    assert FULL.also(["alexnet227"]).trainings == (*FULL.trainings, PlannedTraining("alexnet227", "mnist"))
    with pytest.raises(UsageError, match="profile full trains lenet already"):
        FULL.also(["lenet"])
