"""Each network has one color, which follows from its place in the registry."""

import re
import subprocess
import sys

import pytest

from experiments.models import MODELS
from experiments.reporting.figure_parts.style import network_color


def test_every_architecture_has_a_color_of_its_own() -> None:
    colors = [network_color(name) for name in MODELS]
    assert len(set(colors)) == len(MODELS)
    assert all(re.fullmatch("#[0-9A-F]{6}", color) for color in colors)


def test_a_network_that_is_added_to_the_registry_has_a_color_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [network_color(name) for name in MODELS]
    others = network_color("toy")
    monkeypatch.setitem(MODELS, "toy", MODELS["lenet"])
    assert network_color("mnist-toy") == network_color("toy") not in [*before, others]
    assert [network_color(name) for name in MODELS][:-1] == before


def test_a_tuned_network_has_the_color_of_its_architecture() -> None:
    assert network_color("mlp (tuned)") == network_color("mlp") != network_color("mlp_small")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "reference",
    ["mnist-{}", "usps-{}", "models:/mnist-{}/3", "models:/my-own-digits-{}@champion", "results/{}.keras", "fast-{}"],
)
def test_a_reference_has_the_color_of_the_architecture_it_names(name: str, reference: str) -> None:
    assert network_color(reference.format(name)) == network_color(name)


def test_other_names_have_colors_that_no_architecture_has() -> None:
    others = {network_color(name) for name in ("runs:/6ad0f3", "champion", "lenet5", "")}
    assert others.isdisjoint(network_color(name) for name in MODELS)


def test_other_names_have_the_same_color_in_every_process() -> None:
    names = ["runs:/6ad0f3", "champion", "lenet5"]
    code = (
        "from experiments.reporting.figure_parts.style import network_color; "
        f"print([network_color(name) for name in {names}])"
    )
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        assert printed.strip() == str([network_color(name) for name in names])
