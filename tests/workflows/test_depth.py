"""A command reaches Keras through few functions of this project."""

import pytest
from depth import MOST, chains_to_fit

SETTINGS = ("--dataset", "uci", "--epochs", "1", "--batch-size", "64", "--limit", "64")


@pytest.mark.usefixtures("store", "no_figures")
def test_a_training_is_three_functions_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    chains = chains_to_fit(monkeypatch, "train", "mlp_small", *SETTINGS)
    assert chains == [["train.train", "run.train", "fit.fit"]]


@pytest.mark.usefixtures("store", "no_figures")
def test_trainings_of_a_plan_are_as_deep_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    chains = chains_to_fit(monkeypatch, "train", "mlp_small", *SETTINGS, "--seeds", "0,1")
    plan = ["many.train_seeds", "scheduler.run_steps", "executors.InProcessExecutor.submit"]
    assert chains == 2 * [["train.train", *plan, "run.train", "fit.fit"]]
    assert len(chains[0]) == MOST


@pytest.mark.usefixtures("store", "no_figures")
def test_trainings_of_a_suite_are_as_deep_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    chains = chains_to_fit(monkeypatch, "run", "--profile", "quick")
    trainings = [chain for chain in chains if "run.train" in chain]
    assert trainings
    assert max(map(len, trainings)) <= MOST


@pytest.mark.usefixtures("trained", "no_figures")
def test_an_analysis_is_as_deep_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    chains = chains_to_fit(monkeypatch, "analyze", "--model", "lenet", "--limit", "250")
    cached = ["pipeline.compute_analysis", "cache.Cache.get_or_compute"]
    expected = ["analyze.analyze", "run.analyze", *cached, "held_out.held_out", "fit.fit"]
    assert chains
    assert all(chain == expected for chain in chains)
    assert len(expected) == MOST
