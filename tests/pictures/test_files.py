"""Listing of picture files: what is found, in which order, and what is refused."""

import os
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.pictures import files
from experiments.pictures.files import check_sources, count_pictures, list_pictures

TREE = [
    "a.png",
    "b/1.JPG",
    "b/10.png",
    "b/2.webp",
    "b/c/x.gif",
    "b/notes.txt",
    ".d/y.png",
    ".z.png",
    "e.tif",
    "f[1].png",
]
PICTURES = ["a.png", "b/1.JPG", "b/10.png", "b/2.webp", "b/c/x.gif", "e.tif", "f[1].png"]


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TREE:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "in" / "b" / "circle").symlink_to("..")
    monkeypatch.chdir(tmp_path / "in")


@pytest.mark.parametrize("window", [1, 2, 100])
def test_a_folder_holds_all_pictures_below_it_in_order(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WINDOW", window)
    assert [*list_pictures(["."])] == PICTURES
    assert count_pictures([".", "b"]) == 11


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("*.png", ["a.png", "f[1].png"]),
        ("f[1].png", ["f[1].png"]),
        ("b/?.*", ["b/1.JPG", "b/2.webp"]),
        ("*/[12]*", ["b/1.JPG", "b/10.png", "b/2.webp"]),
        ("**/*.png", ["a.png", "f[1].png", "b/10.png"]),
        ("**", PICTURES[:1] + PICTURES[5:] + PICTURES[1:5]),
        ("../in/b/*.gif", []),
        ("nowhere.png", ["nowhere.png"]),
        ("b/notes.txt", ["b/notes.txt"]),
    ],
)
def test_files_and_patterns(source: str, found: list[str]) -> None:
    assert [*list_pictures([source])] == found
    assert count_pictures([source]) == len(found)


def test_sources_keep_their_order(tmp_path: Path) -> None:
    absolute = str(tmp_path / "in" / "b" / "c")
    assert [*list_pictures(["e.tif", absolute, "-", "a.png", "a.png"])] == [
        "e.tif",
        f"{absolute}/x.gif",
        "-",
        "a.png",
        "a.png",
    ]


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        ([], "at least one picture"),
        (["a.png", "../empty"], "../empty holds no pictures (.bmp"),
        (["*.jpeg"], "match *.jpeg"),
        (["https://example.org/7.png"], "curl -L https://example.org/7.png | digits predict -"),
        (["-", "-"], "- can be named once"),
    ],
)
def test_what_names_no_picture_is_refused(sources: list[str], named: str) -> None:
    with pytest.raises(UsageError) as error:
        check_sources(sources)
    assert named in str(error.value)


def test_what_may_name_pictures_passes() -> None:
    check_sources([".", "*.png", "nowhere.png", "-"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_yielded() -> None:
    Path("b/c").chmod(0)
    assert "b/c" in [*list_pictures(["."])]
