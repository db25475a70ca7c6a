"""The explorer's page holds all of its data, and nothing of them runs."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from html_pages import Elements
from numpy.typing import NDArray
from PIL import Image

from experiments.errors import DigitsError
from experiments.evaluation.effects import Effect, Topic
from experiments.reporting.archive import write_npz
from experiments.reporting.explorer.page import FINEST, GRAY_STEP, SHEET_DIGITS, ExplorerData, explorer_page
from experiments.reporting.figure_parts.style import GROUP_COLORS

HOSTILE = '</script><script>alert(1)</script> <!-- & "{{data}}"'


def atlas(count: int = 60, dimensions: int = 3) -> ExplorerData:
    random = np.random.default_rng(0)
    labels, test = random.integers(0, 10, count), count * 3 // 4
    return ExplorerData(
        title="uci-mlp v1: penultimate features",
        positions=(40 * random.normal(size=(count, dimensions)) + 7).astype(np.float32),
        images=random.integers(0, 256, (count, 28, 28)).astype(np.uint8),
        labels=labels,
        predicted=np.where(random.random(count) < 0.2, random.integers(0, 10, count), labels),
        probability=random.random(count).astype(np.float32),
        split=(np.arange(count) >= test).astype(np.int64),
        index=np.where(np.arange(count) >= test, np.arange(count) - test, np.arange(count)),
        groupings={"KMeans, k = 10": random.integers(0, 10, count), "Ward, k = 23": random.integers(0, 23, count)},
        confusion=random.random(count).astype(np.float32),
        topics=[
            Topic("duplicates and outliers", {"duplicates": 1234, "tested": 10_000, "threshold": 0.25}),
            Topic("map", {}, (Effect("4-9", "distance", 0.25, verdict="same"),), "islands"),
        ],
        facts={"run": "3f2a9c81"},
    )


def data_of(given: ExplorerData) -> dict[str, Any]:
    scripts = Elements(explorer_page(given)).scripts
    return dict(json.loads(next(text for attributes, text in scripts if attributes.get("id") == "atlas")))


def unpacked(data: dict[str, Any], name: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(data[name]), kind)


def ranked(values: NDArray[Any], of: ExplorerData) -> NDArray[Any]:
    return values[np.argsort(-of.confusion, kind="stable")]


def test_loads_nothing_and_its_policy_allows_only_its_own_script() -> None:
    page = explorer_page(atlas())
    assert not re.search(r"https?://|//cdn|@import|\bimport\s*\(", page)
    found = Elements(page)
    for tag, attributes in found.elements:
        assert tag != "link" or attributes["href"] == "data:,"
        assert not {"src", "srcset", "action", "onclick"} & attributes.keys()
    (policy,) = (str(attributes["content"]) for attributes in found.all("meta") if "http-equiv" in attributes)
    (script,) = (text for attributes, text in found.scripts if attributes.get("type") == "module")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert policy.endswith(f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'")


@pytest.mark.parametrize("dimensions", [2, 3])
def test_has_every_number_most_confusing_first(dimensions: int) -> None:
    given = atlas(dimensions=dimensions)
    data = data_of(given)
    assert (data["count"], data["dimensions"], data["palette"]) == (60, dimensions, list(GROUP_COLORS))
    steps = unpacked(data, "positions", "<i2").reshape(-1, dimensions)
    decoded = np.array(data["center"]) + steps / FINEST * data["radius"]
    np.testing.assert_allclose(decoded, ranked(given.positions, given), atol=0.51 * data["radius"] / FINEST)
    kinds = {"labels": "u1", "predicted": "u1", "split": "u1", "index": "<u4", "probability": "<f4", "confusion": "<f4"}
    for name, kind in kinds.items():
        np.testing.assert_array_equal(unpacked(data, name, kind), ranked(getattr(given, name), given))
    counts = {each["name"]: each["count"] for each in data["groupings"]}
    assert counts == {"KMeans, k = 10": 10, "Ward, k = 23": 23}
    for each in data["groupings"]:
        np.testing.assert_array_equal(unpacked(each, "groups", "<u2"), ranked(given.groupings[each["name"]], given))
    assert explorer_page(ExplorerData.from_npz(given.to_npz())) == explorer_page(given)


def test_has_every_image_in_sixteen_grays() -> None:
    given = atlas(SHEET_DIGITS + 51)
    scripts = Elements(explorer_page(given)).scripts
    texts = [text for attributes, text in scripts if attributes.get("class") == "sheet"]
    sheets = [np.array(Image.open(io.BytesIO(base64.b64decode(text))).convert("L")) for text in texts]
    assert [sheet.shape for sheet in sheets] == [(1400, 1400), (56, 1400)]
    cells = [sheet.reshape(-1, 28, 50, 28).swapaxes(1, 2).reshape(-1, 28, 28) for sheet in sheets]
    images = np.concatenate(cells)[: SHEET_DIGITS + 51].astype(int)
    assert np.abs(images - ranked(given.images, given)).max() <= GRAY_STEP / 2
    assert set(np.unique(images)) == set(range(0, 256, GRAY_STEP))


def test_text_from_a_run_is_shown_and_never_run() -> None:
    given = replace(
        atlas(),
        title=HOSTILE,
        topics=[Topic("map", {}, (), HOSTILE)],
        facts={HOSTILE: HOSTILE},
        groupings={HOSTILE: np.zeros(60, np.int64)},
    )
    plain, hostile = Elements(explorer_page(atlas())), Elements(explorer_page(given))
    assert len(hostile.all("script")) == len(plain.all("script"))
    assert hostile.text.count(HOSTILE) == 5  # title, heading, paragraph, name and value of the fact
    assert data_of(given)["groupings"][0]["name"] == HOSTILE


def test_one_place_or_one_digit_without_groupings_is_enough() -> None:
    data = data_of(replace(atlas(), positions=np.full((60, 3), 4, np.float32)))
    assert (data["radius"], data["center"]) == (1.0, [4.0, 4.0, 4.0])
    assert not unpacked(data, "positions", "<i2").any()
    assert data_of(replace(atlas(1), groupings={}, topics=[], facts={}))["groupings"] == []


@pytest.mark.parametrize(
    ("name", "value", "received"),
    [
        ("positions", np.zeros((60, 4), np.float32), r"\(60, 4\)"),
        ("positions", np.zeros((0, 3), np.float32), r"\(0, 3\)"),
        ("positions", np.full((60, 3), np.nan, np.float32), "finite"),
        ("images", np.zeros((60, 784), np.uint8), r"\(60, 28, 28\), received uint8 \(60, 784\)"),
        ("images", np.zeros((60, 28, 28), np.float32), "float32"),
        ("labels", np.zeros(59, np.int64), r"\(60,\), .* \(59,\)"),
        ("labels", np.full(60, 10), r"0\.\.9, received 10\.\.10"),
        ("predicted", np.zeros(60), "float64"),
        ("probability", np.full(60, np.nan, np.float32), r"0\.\.1"),
        ("confusion", np.full(60, 1.5, np.float32), r"0\.\.1"),
        ("split", np.full(60, 2), r"0\.\.1"),
        ("index", np.full(60, -1), "must be in"),
        ("groupings", {"Ward": np.full(60, -1)}, r"\['Ward'\]"),
    ],
)
def test_other_data_are_refused(name: str, value: object, received: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*{received}"):
        replace(atlas(), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(DigitsError, match="damaged"):
        ExplorerData.from_npz(write_npz({**vars(atlas()), name: value}))
