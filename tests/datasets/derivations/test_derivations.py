"""The contract of the derived datasets, and what follows from their registry."""

import doctest
import inspect
from pathlib import Path

import pytest

from experiments.datasets import DATASET_NAMES, DERIVED, check_trainable, derivations, fetch, load
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.derivations.derivation import Derivation, DerivedDataset
from experiments.datasets.published import PUBLISHED
from experiments.errors import UsageError
from experiments.execution.versions import code_version

README = Path(__file__).parents[3] / "README.md"

every = pytest.mark.parametrize("derivation", DERIVATIONS.values(), ids=DERIVATIONS)


@every
def test_it_says_everything_about_itself(derivation: Derivation) -> None:
    assert DERIVATIONS[derivation.suffix] is derivation
    assert derivation.suffix.startswith("-")
    assert derivation.description
    assert "\n" not in derivation.description


@every
def test_it_derives_one_dataset_from_each_published_one(derivation: Derivation) -> None:
    names = {source: f"{source}{derivation.suffix}" for source in PUBLISHED}
    for source, name in names.items():
        assert DERIVED[name] == DerivedDataset(PUBLISHED[source], derivation)
        assert DERIVED[name].name == name in DATASET_NAMES
    row = ", ".join(f"`{name}`" for name in names.values())
    assert f"\n| {row} |" in README.read_text()


@every
def test_it_is_made_from_loaded_digits(derivation: Derivation) -> None:
    source, name = load("uci"), f"uci{derivation.suffix}"
    data = load(name)
    assert data.name == name
    assert data.source == source.source
    assert data.digest == DERIVED[name].make(source).digest != source.digest
    assert fetch(name) == fetch("uci")


@every
def test_only_trainable_ones_are_trained_on(derivation: Derivation) -> None:
    name = f"uci{derivation.suffix}"
    if derivation.trainable:
        check_trainable(name)
    else:
        with pytest.raises(UsageError, match=f"{name} is for evaluating networks"):
            check_trainable(name)


def test_names_are_the_published_ones_then_the_derived_ones() -> None:
    assert DATASET_NAMES == (
        "mnist", "usps", "uci", "mnist-c", "usps-c", "uci-c", "mnist-deskewed", "usps-deskewed", "uci-deskewed",
    )  # fmt: skip


def test_the_code_of_corrupted_digits_is_that_of_every_corruption() -> None:
    functions = DERIVED["mnist-c"].functions
    modules = {inspect.getmodule(function) for function in functions}
    assert modules >= {inspect.getmodule(corruption.apply) for corruption in CORRUPTIONS.values()}
    assert code_version(*functions) != code_version(*functions[:1])
    assert code_version(*DERIVED["mnist-c"].functions) != code_version(*DERIVED["mnist-deskewed"].functions)


def test_the_documented_example_holds() -> None:
    result = doctest.testmod(derivations)
    assert (result.attempted, result.failed) == (1, 0)
