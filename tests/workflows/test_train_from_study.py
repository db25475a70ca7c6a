"""Training with the hyperparameters that a search found."""

import json
from pathlib import Path
from typing import Any

import pytest
from picture_writer import put_digits
from search_runs import HERE, SETTINGS, use_fake_fit

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.tracking import Store
from experiments.workflows.train.run import TrainOptions
from experiments.workflows.train.studies import with_study
from experiments.workflows.tune.record import find_study
from experiments.workflows.tune.run import TuneOptions, tune

BEST = {"units_1": 64, "dropout": 0.2, "learning_rate": 0.005}
OPTIONS = TrainOptions("mlp_small", "uci")


def searched(
    store: Store, name: str, best: dict[str, Any] | None = BEST, shared: dict[str, Any] | None = None, **tags: str
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


def test_without_a_name_it_is_the_latest_result_of_model_and_dataset(store: Store) -> None:
    searched(store, "first")
    latest = searched(store, "second", best={**BEST, "dropout": 0.1})
    searched(store, "third", best=None)
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


MISSING = "run: digits tune"
UNFINISHED = "continue it: digits tune"


@pytest.mark.parametrize(
    ("options", "study", "remedy"),
    [
        (OPTIONS, "nobody's", f'"nobody\'s" of mlp_small on uci; {MISSING} mlp_small --dataset uci'),
        (OPTIONS, "deleted", f"'deleted' of mlp_small on uci; {MISSING} mlp_small --dataset uci"),
        (OPTIONS, "mine", f"'mine' of mlp_small has no complete trial yet; {UNFINISHED} mlp_small"),
        (OPTIONS, None, f"study of mlp_small has no complete trial yet; {UNFINISHED} mlp_small"),
        (TrainOptions("mlp", "uci"), "mine", f"'mine' of mlp on uci; {MISSING} mlp --dataset uci"),
        (TrainOptions("mlp", "uci"), None, f"study of mlp on uci; {MISSING} mlp --dataset uci"),
    ],
)
def test_a_study_that_cannot_be_used_is_named_in_one_line(
    store: Store, options: TrainOptions, study: str | None, remedy: str
) -> None:
    searched(store, "mine", best=None)
    store.client.delete_run(searched(store, "deleted"))
    with pytest.raises(DigitsError) as caught:
        with_study(store, options, study)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_study_found_must_suit_the_network(store: Store) -> None:
    searched(store, "mine", best={"filters_1": 32})
    with pytest.raises(UsageError, match="'filters_1'"):
        with_study(store, OPTIONS, "mine")


def test_a_study_is_found_by_its_name_whatever_is_in_it(store: Store) -> None:
    names = ("plain", "with spaces", "a/b", 'say "so"', "100 %", "größer", "it's mine", 'it\'s "mine"')
    runs = {name: searched(store, name) for name in names}
    assert {name: find_study(store, "mlp_small", "uci", name).run_id for name in names} == runs


def test_a_search_on_one_s_own_digits_is_found_by_their_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_fit(monkeypatch)
    data = datasets.load("uci").train
    folder = put_digits(tmp_path / "My digits", data.images[:200], data.labels)
    result = tune(store, TuneOptions("mlp_small", str(folder), settings=SETTINGS, trials=2, executor=HERE.executor))
    assert (result.dataset, result.study) == ("my-digits", "my-digits-mlp_small")
    own = TrainOptions("mlp_small", str(folder), settings={"epochs": 1})
    named, _ = with_study(store, own, "my-digits-mlp_small")
    unnamed, _ = with_study(store, own)
    assert unnamed == named
    assert named.study_run == result.run_id
    assert result.best_params.items() <= named.settings.items()
