import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from experiments.errors import DigitsError
from experiments.evaluation.effects import Effect, Topic
from experiments.reporting.archive import write_npz
from experiments.reporting.explorer.page import FINEST, GRAY_STEP, SHEET_DIGITS, ExplorerData, explorer_page
from experiments.reporting.figure_parts.style import GROUP_COLORS

HOSTILE = '</script><script>alert(1)</script> <!-- & "{{data}}"'


def atlas(count: int = 60, dimensions: int = 3, seed: int = 0) -> ExplorerData:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    return ExplorerData(
        title="uci-mlp v1: penultimate features",
        positions=(40 * random.normal(size=(count, dimensions)) + 7).astype(np.float32),
        images=random.integers(0, 256, (count, 28, 28)).astype(np.uint8),
        labels=labels,
        predicted=np.where(random.random(count) < 0.2, random.integers(0, 10, count), labels),
        probability=random.random(count).astype(np.float32),
        split=(np.arange(count) >= count * 3 // 4).astype(np.int64),
        index=np.where(np.arange(count) >= count * 3 // 4, np.arange(count) - count * 3 // 4, np.arange(count)),
        groupings={"KMeans, k = 10": random.integers(0, 10, count), "Ward, k = 23": random.integers(0, 23, count)},
        confusion=random.random(count).astype(np.float32),
        topics=[
            Topic("duplicates and outliers", {"duplicates": 1234, "tested": 10_000, "threshold": 0.25}),
            Topic("map", {}, (Effect("4-9", "distance", 0.25, verdict="same"),), "islands"),
        ],
        facts={"run": "3f2a9c81"},
    )


class Parts(HTMLParser):
    """The elements of a page with their attributes, and the content of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._tag = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the name is the base class's
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag == "script":
            self.scripts.append((self.elements[-1][1], data))
        elif self._tag != "style":
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(next(text for attributes, text in self.scripts if attributes.get("id") == "atlas")))

    @property
    def sheets(self) -> list[str]:
        return [text for attributes, text in self.scripts if attributes.get("class") == "sheet"]


def unpacked(data: dict[str, Any], name: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(data[name]), kind)


def ranked(values: NDArray[Any], of: ExplorerData) -> NDArray[Any]:
    return values[np.argsort(-of.confusion, kind="stable")]


def test_loads_nothing_from_anywhere() -> None:
    page = explorer_page(atlas())
    assert not re.search(r"https?://|//cdn|@import|\bimport\s*\(", page)
    for tag, attributes in Parts(page).elements:
        assert tag != "link" or attributes["href"] == "data:,"
        assert not {"src", "srcset", "action", "onclick"} & attributes.keys()


def test_policy_forbids_every_request_and_every_script_but_its_own() -> None:
    parts = Parts(explorer_page(atlas()))
    policy = next(attributes["content"] for tag, attributes in parts.elements if "http-equiv" in attributes)
    script = next(text for attributes, text in parts.scripts if attributes.get("type") == "module")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert policy.endswith(f"script-src 'sha256-{digest}'")


@pytest.mark.parametrize("dimensions", [2, 3])
def test_has_every_number_most_confusing_first(dimensions: int) -> None:
    given = atlas(dimensions=dimensions)
    data = Parts(explorer_page(given)).data
    assert (data["count"], data["dimensions"], data["palette"]) == (60, dimensions, list(GROUP_COLORS))
    steps = unpacked(data, "positions", "<i2").reshape(-1, dimensions)
    decoded = np.array(data["center"]) + steps / FINEST * data["radius"]
    np.testing.assert_allclose(decoded, ranked(given.positions, given), atol=0.51 * data["radius"] / FINEST)
    for name, kind in {"labels": "u1", "predicted": "u1", "split": "u1", "index": "<u4"}.items():
        np.testing.assert_array_equal(unpacked(data, name, kind), ranked(getattr(given, name), given))
    for name in ("probability", "confusion"):
        np.testing.assert_array_equal(unpacked(data, name, "<f4"), ranked(getattr(given, name), given))
    assert (np.diff(unpacked(data, "confusion", "<f4")) <= 0).all()
    assert [(each["name"], each["count"]) for each in data["groupings"]] == [
        ("KMeans, k = 10", 10),
        ("Ward, k = 23", 23),
    ]
    for each in data["groupings"]:
        np.testing.assert_array_equal(unpacked(each, "groups", "<u2"), ranked(given.groupings[each["name"]], given))


def test_has_every_image_in_sixteen_grays() -> None:
    given = atlas(SHEET_DIGITS + 51)
    sheets = [
        np.array(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))
        for text in Parts(explorer_page(given)).sheets
    ]
    assert [sheet.shape for sheet in sheets] == [(1400, 1400), (56, 1400)]
    cells = [sheet.reshape(-1, 28, 50, 28).swapaxes(1, 2).reshape(-1, 28, 28) for sheet in sheets]
    images = np.concatenate(cells)[: SHEET_DIGITS + 51].astype(int)
    assert np.abs(images - ranked(given.images, given)).max() <= GRAY_STEP / 2
    assert set(np.unique(images)) == set(range(0, 256, GRAY_STEP))


def test_what_is_said_is_shown_and_never_run() -> None:
    given = replace(
        atlas(),
        title=HOSTILE,
        topics=[Topic("map", {}, (), HOSTILE)],
        facts={HOSTILE: HOSTILE},
        groupings={HOSTILE: np.zeros(60, np.int64)},
    )
    plain, hostile = Parts(explorer_page(atlas())), Parts(explorer_page(given))
    assert [tag for tag, _ in hostile.elements].count("script") == [tag for tag, _ in plain.elements].count("script")
    assert hostile.text.count(HOSTILE) == 5  # title, heading, paragraph, name and value of the fact
    assert hostile.data["groupings"][0]["name"] == HOSTILE


@pytest.mark.parametrize("dimensions", [2, 3])
def test_recorded_data_give_the_same_page(dimensions: int) -> None:
    given = atlas(dimensions=dimensions)
    assert explorer_page(ExplorerData.from_npz(given.to_npz())) == explorer_page(given)


def test_data_with_another_number_of_digits_are_damaged() -> None:
    recorded = write_npz({**vars(atlas()), "labels": np.zeros(59, np.int64)})
    with pytest.raises(DigitsError, match="damaged"):
        ExplorerData.from_npz(recorded)


def test_all_points_in_one_place() -> None:
    data = Parts(explorer_page(replace(atlas(), positions=np.full((60, 3), 4, np.float32)))).data
    assert (data["radius"], data["center"]) == (1.0, [4.0, 4.0, 4.0])
    assert not unpacked(data, "positions", "<i2").any()


def test_one_digit_and_no_groupings() -> None:
    one = replace(atlas(1), groupings={}, topics=[], facts={})
    assert Parts(explorer_page(one)).data["groupings"] == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("positions", np.zeros((60, 4), np.float32), r"positions must have shape \(n, 2\) or \(n, 3\).*\(60, 4\)"),
        ("positions", np.zeros((0, 3), np.float32), r"positions .* n > 0, received \(0, 3\)"),
        ("positions", np.full((60, 3), np.nan, np.float32), "positions must be finite"),
        ("images", np.zeros((60, 784), np.uint8), r"images must be uint8 \(60, 28, 28\), received uint8 \(60, 784\)"),
        ("images", np.zeros((60, 28, 28), np.float32), "images must be uint8 .* received float32"),
        ("labels", np.zeros(59, np.int64), r"labels must have shape \(60,\), .* received \(59,\)"),
        ("labels", np.full(60, 10), r"labels must be in 0\.\.9, received 10\.\.10"),
        ("predicted", np.zeros(60), "predicted must be integers, received float64"),
        ("probability", np.full(60, np.nan, np.float32), r"probability must be in 0\.\.1"),
        ("confusion", np.full(60, 1.5, np.float32), r"confusion must be in 0\.\.1"),
        ("split", np.full(60, 2), r"split must be in 0\.\.1"),
        ("index", np.full(60, -1), "index must be in"),
        ("groupings", {"Ward": np.full(60, -1)}, r"groupings\['Ward'\] must be in"),
    ],
)
def test_refuses(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(atlas(), **{name: value})  # type: ignore[arg-type]
