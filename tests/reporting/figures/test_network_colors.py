"""Each network has one color, which follows from its place in the registry."""

import re
import subprocess
import sys

import pytest

from experiments.models import MODELS
from experiments.reporting.figure_parts.style import network_color


def test_every_architecture_has_a_color_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    colors = [network_color(name) for name in MODELS]
    assert len(set(colors)) == len(MODELS)
    assert all(re.fullmatch("#[0-9A-F]{6}", color) for color in colors)
    others = network_color("toy")
    monkeypatch.setitem(MODELS, "toy", MODELS["lenet"])  # as does one that is added to the registry
    assert network_color("mnist-toy") == network_color("toy") not in [*colors, others]
    assert [network_color(name) for name in MODELS][:-1] == colors


@pytest.mark.parametrize(
    "reference",
    [
        "{} (tuned)",
        "mnist-{}",
        "models:/mnist-{}/3",
        "models:/my-own-digits-{}@champion",
        "results/{}.keras",
        "fast-{}",
    ],
)
def test_a_reference_has_the_color_of_the_architecture_it_names(reference: str) -> None:
    assert [network_color(reference.format(name)) for name in MODELS] == [network_color(name) for name in MODELS]


def test_other_names_have_colors_of_no_architecture_and_the_same_in_every_process() -> None:
    names = ["runs:/6ad0f3", "champion", "lenet5", ""]
    found = [network_color(name) for name in names]
    assert set(found).isdisjoint(network_color(name) for name in MODELS)
    code = f"from {network_color.__module__} import network_color; print([network_color(name) for name in {names}])"
    printed = subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": "1"}, text=True)
    assert printed.strip() == str(found)
