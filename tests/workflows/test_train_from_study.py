"""What a search has found, for a training to begin with."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.execution.executors import Executor, ExecutorConfig, InProcessExecutor
from experiments.tracking import Store
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.train.studies import with_study
from experiments.workflows.tune.record import find_study
from experiments.workflows.tune.run import TuneOptions, tune

BEST = {"units_1": 64, "dropout": 0.2, "learning_rate": 0.005}
OPTIONS = TrainOptions("mlp_small", "uci")


class InThisProcess(ExecutorConfig):
    """Where one worker does the trials before `start` returns."""

    def open(self) -> Executor:
        return InProcessExecutor()


def searched(
    store: Store,
    name: str,
    best: dict[str, Any] | None = BEST,
    shared: dict[str, Any] | None = None,
    **tags: str,
) -> str:
    """Leave the run of a search, as `tune` does."""
    own = {
        "digits.model": "mlp_small",
        "digits.dataset": "uci",
        "digits.study": name,
        "digits.settings": json.dumps(shared or {}),
        **({"digits.best_params": json.dumps(best)} if best else {}),
        **{f"digits.{key}": value for key, value in tags.items()},
    }
    with tracking.open_run(store, "tune", f"tune {name}", tags=own) as run:
        return run.id


def test_a_training_takes_what_the_trials_shared_and_the_best_but_its_own_settings_win(store: Store) -> None:
    shared = {"batch_size": "32", "label_smoothing": 0.1, "epochs": 3, "seed": 7, "precision": "float32"}
    run_id = searched(store, "mine", shared=shared)
    given = TrainOptions("mlp_small", "uci", settings={"dropout": 0.4, "epochs": "9"}, limit=500)
    options, found = with_study(store, given, "mine")
    assert options.settings == {"batch_size": "32", "label_smoothing": 0.1, **BEST, "dropout": 0.4, "epochs": "9"}
    assert (options.study_run, options.limit, options.model, options.dataset) == (run_id, 500, "mlp_small", "uci")
    assert (found.name, found.run_id, found.best_params, found.settings) == ("mine", run_id, BEST, shared)
    recipe, own = options.recipe, OPTIONS.recipe
    assert (recipe.batch_size, recipe.epochs, recipe.network["units_1"]) == (32, 9, 64)
    assert (recipe.seed, recipe.precision) == (own.seed, own.precision)


def test_without_a_name_it_is_the_latest_of_network_and_data(store: Store) -> None:
    searched(store, "first")
    latest = searched(store, "second", best={**BEST, "dropout": 0.1})
    searched(store, "another network's", model="mlp")
    searched(store, "of other data", dataset="mnist")
    with tracking.open_run(store, "train", "mlp_small", tags={"digits.model": "mlp_small", "digits.dataset": "uci"}):
        pass
    options, found = with_study(store, OPTIONS)
    assert (found.name, found.run_id) == ("second", latest)
    assert options.settings["dropout"] == 0.1
    assert find_study(store, "mlp_small", "mnist").name == "of other data"
    assert find_study(store, "mlp_small", "uci", "first").name == "first"
    assert find_study(store, "mlp_small", "uci", "of other data").name == "of other data"


def test_a_search_without_a_result_is_passed_over_for_an_earlier_one(store: Store) -> None:
    searched(store, "first")
    searched(store, "second", best=None)
    assert find_study(store, "mlp_small", "uci").name == "first"


def test_a_search_that_was_deleted_is_none(store: Store) -> None:
    store.client.delete_run(searched(store, "mine"))
    with pytest.raises(DigitsError, match="there is no study 'mine'"):
        find_study(store, "mlp_small", "uci", "mine")


@pytest.mark.parametrize(
    ("options", "study", "message"),
    [
        (OPTIONS, "nobody's", 'there is no study "nobody\'s" of mlp_small on uci; run: digits tune mlp_small'),
        (OPTIONS, "yours", "there is no study 'yours' of mlp_small on uci; run: digits tune mlp_small --dataset uci"),
        (OPTIONS, "mine", "the study 'mine' of mlp_small has no complete trial yet; continue it: digits tune"),
        (OPTIONS, None, "the study of mlp_small has no complete trial yet; continue it: digits tune mlp_small"),
        (TrainOptions("mlp", "uci"), "mine", "there is no study 'mine' of mlp on uci"),
        (TrainOptions("mlp", "uci"), None, "there is no study of mlp on uci; run: digits tune mlp --dataset uci"),
    ],
)
def test_a_study_that_cannot_be_used_is_named_in_one_line(
    store: Store, options: TrainOptions, study: str | None, message: str
) -> None:
    searched(store, "mine", best=None)
    with pytest.raises(DigitsError) as caught:
        with_study(store, options, study)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_study_found_must_suit_the_network(store: Store) -> None:
    searched(store, "mine", best={"filters_1": 32})
    with pytest.raises(UsageError, match="there is no setting 'filters_1'"):
        with_study(store, OPTIONS, "mine")


@pytest.mark.parametrize("name", ["with spaces", "a/b", 'say "so"', "100 %", "größer", "it's mine", 'it\'s "mine"'])
def test_a_study_is_found_by_its_name_whatever_is_in_it(store: Store, name: str) -> None:
    searched(store, "other")
    run_id = searched(store, name)
    searched(store, "another")
    assert find_study(store, "mlp_small", "uci", name).run_id == run_id


@pytest.mark.slow
def test_a_search_and_a_training_on_ones_own_digits_find_each_other(store: Store, tmp_path: Path) -> None:
    folder, data = tmp_path / "My digits", datasets.load("uci").train
    for i in range(200):
        (folder / str(data.labels[i])).mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[i]).save(folder / str(data.labels[i]) / f"{i}.png")
    settings = {"epochs": 1, "batch_size": 16, "precision": "float32"}
    search = TuneOptions("mlp_small", str(folder), settings=settings, trials=2, executor=InThisProcess())
    result = tune(store, search)
    assert (result.dataset, result.study) == ("my-digits", "my-digits-mlp_small")
    own = TrainOptions("mlp_small", str(folder), settings={"epochs": 1, "patience": 1})
    named, _ = with_study(store, own, "my-digits-mlp_small")
    trained = train(store, named)
    run = store.client.get_run(trained.run_id)
    assert run.data.tags["digits.study_run"] == result.run_id
    assert {name: float(run.data.params[name]) for name in BEST} == result.best_params
    unnamed, _ = with_study(store, own)
    assert unnamed == named
