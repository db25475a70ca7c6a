"""Datasets are found on this machine, or downloaded as verified files or not at all."""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from idx_writer import digits, idx_bytes

from experiments.datasets.download import obtain
from experiments.datasets.local import locate, search_folders
from experiments.datasets.published.mnist import MNIST
from experiments.datasets.published.published_dataset import PublishedDataset, RemoteFile, sha256_is
from experiments.errors import DigitsError

NAMES = [file.name for file in MNIST.editions[0].files]
TRAIN, TEST = digits(30), digits(20, seed=1)
CONTENTS = dict(zip(NAMES, map(idx_bytes, (*TRAIN, *TEST)), strict=True))
COMPRESSED = {name: gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}
PLAIN = {name.removesuffix(".gz"): content for name, content in CONTENTS.items()}
CLOSED = "http://127.0.0.1:9/"  # the discard port: nobody listens


@dataclass
class Mirror:
    """A server of files by path, which remembers what it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def mirror(files: dict[str, bytes], headers: dict[str, str] | None = None, promised: int = 0) -> Iterator[Mirror]:
    """Serve `files`; promise so many more bytes than are sent."""
    served = Mirror("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            served.asked.append(name)
            body = files.get(name)
            self.send_response(200 if body is not None else 404)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body or b"") + promised))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def published_at(*mirrors: str) -> PublishedDataset:
    """Return a dataset of the format of MNIST."""
    files = tuple(
        RemoteFile(name, sha256_is(hashlib.sha256(content).hexdigest())) for name, content in CONTENTS.items()
    )
    edition = replace(MNIST.editions[0], files=files, mirrors=mirrors)
    return replace(MNIST, name="tiny", editions=(edition,))


def put(root: Path, files: dict[str, bytes] = COMPRESSED) -> Path:
    folder = root / "tiny"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the user's cache into a folder of the test and take the environment's data away."""
    from platformdirs import user_cache_path

    home = tmp_path / "home"
    for variable in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return user_cache_path("digits", appauthor=False)


def test_the_folder_given_comes_before_the_environments_and_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA_DIR", str(tmp_path / "env"))
    tiny, given, env = published_at(), tmp_path / "given", tmp_path / "env" / "tiny"
    assert search_folders(tiny, given) == (given / "tiny", env, cache / "tiny")
    assert locate(tiny, given) is None
    put(tmp_path / "env")
    put(given, dict(list(COMPRESSED.items())[:3]))  # incomplete
    assert locate(tiny, given) == (env, tiny.editions[0])
    (given / "tiny" / NAMES[3]).write_bytes(b"")
    assert locate(tiny, given) == (given / "tiny", tiny.editions[0])
    assert locate(tiny, None) == (env, tiny.editions[0])


@pytest.mark.parametrize("files", [COMPRESSED, PLAIN], ids=["compressed", "plain"])
def test_what_is_there_is_not_downloaded(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = put(tmp_path, files)
    copy = obtain(published_at(CLOSED), tmp_path)
    assert copy.folder == folder
    assert [content.data for content in copy.contents] == list(CONTENTS.values())


@pytest.mark.parametrize(
    "damage",
    [COMPRESSED[NAMES[0]], COMPRESSED[NAMES[1]][:-1], b""],
    ids=["another file", "truncated", "empty"],
)
def test_a_corrupt_file_is_named_with_what_to_do(tmp_path: Path, damage: bytes) -> None:
    (put(tmp_path) / NAMES[1]).write_bytes(damage)
    with pytest.raises(DigitsError, match=rf"{NAMES[1]}.*`digits data fetch tiny`$"):
        obtain(published_at(CLOSED), tmp_path)


def test_a_download_is_read_and_kept_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with mirror(COMPRESSED) as server:
        at_mirror = published_at(server.url)
        copy = obtain(at_mirror, tmp_path)
        assert server.asked == NAMES
        assert obtain(at_mirror, tmp_path).folder == copy.folder == tmp_path / "tiny"
        assert server.asked == NAMES
    train, test = copy.edition.parse(copy.contents)
    for raw, (images, labels) in ((train, TRAIN), (test, TEST)):
        np.testing.assert_array_equal(raw.images, images)
        np.testing.assert_array_equal(raw.labels, labels)
    assert names(copy.folder) == sorted(NAMES)
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


@pytest.mark.parametrize(
    ("files", "promised", "problem"),
    [
        ({}, 0, "404 Not Found"),
        ({name: gzip.compress(b"wrong", mtime=0) for name in NAMES}, 0, "SHA-256"),
        (dict.fromkeys(NAMES, b"<html>log in first</html>"), 0, "SHA-256"),
        ({name: data[:-9] for name, data in COMPRESSED.items()}, 0, "gzip"),
        (COMPRESSED, 100, "ChunkedEncodingError"),
    ],
    ids=["404", "wrong", "html", "damaged", "broken off"],
)
def test_a_bad_download_leaves_nothing_and_the_next_mirror_helps(
    tmp_path: Path, files: dict[str, bytes], promised: int, problem: str
) -> None:
    with mirror(files, promised=promised) as broken, mirror(COMPRESSED) as sound:
        with pytest.raises(DigitsError, match=problem):
            obtain(published_at(broken.url), tmp_path)
        assert names(tmp_path / "tiny") == []
        broken.asked.clear()
        copy = obtain(published_at(broken.url, sound.url), tmp_path)
        assert broken.asked == sound.asked == NAMES
    assert names(copy.folder) == sorted(NAMES)


def test_a_download_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_file: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with mirror(COMPRESSED) as server, pytest.raises(KeyboardInterrupt):
        obtain(published_at(server.url), tmp_path, interrupt)
    assert names(tmp_path / "tiny") == []


def test_offline_it_says_where_it_looked_and_what_to_do(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA_DIR", str(tmp_path / "env"))
    with pytest.raises(DigitsError) as raised:
        obtain(published_at(CLOSED, CLOSED), tmp_path / "given")
    line = str(raised.value)
    assert "\n" not in line
    for folder in (tmp_path / "given", tmp_path / "env", cache):
        assert str(folder / "tiny") in line
    for part in ("no connection", "DIGITS_DATA_DIR", "--data-dir", f"tiny/{NAMES[0]}", "--dataset uci"):
        assert part in line


def test_progress_ends_with_the_whole_of_every_file(tmp_path: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    def progress(file: str, done: int, total: int) -> None:
        told.setdefault(file, []).append((done, total))

    with mirror(COMPRESSED) as server:
        obtain(published_at(server.url), tmp_path, progress)
    assert list(told) == NAMES
    for name, steps in told.items():
        assert steps == sorted(steps)
        assert steps[-1] == (len(COMPRESSED[name]), len(COMPRESSED[name]))


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_server_that_lets_http_decompress_is_understood(tmp_path: Path, encoding: str) -> None:
    with mirror(COMPRESSED, {"Content-Encoding": encoding}) as server:
        copy = obtain(published_at(server.url), tmp_path)
        assert obtain(published_at(CLOSED), tmp_path).contents == copy.contents
    assert names(copy.folder) == sorted(PLAIN)


def test_only_what_is_missing_is_downloaded_into_the_cache_unless_a_folder_is_given(cache: Path) -> None:
    put(cache, dict(list(COMPRESSED.items())[1:]))
    with mirror(COMPRESSED) as server:
        assert obtain(published_at(server.url)).folder == cache / "tiny"
        assert server.asked == NAMES[:1]


def test_the_second_edition_is_for_when_the_first_is_not_to_be_had(tmp_path: Path) -> None:
    with mirror(PLAIN) as server:
        at_mirror = published_at(CLOSED)
        first = at_mirror.editions[0]
        files = tuple(replace(file, name=name) for file, name in zip(first.files, PLAIN, strict=True))
        second = replace(first, files=files, mirrors=(server.url,))
        copy = obtain(replace(at_mirror, editions=(first, second)), tmp_path)
    assert copy.edition == second
    assert names(copy.folder) == sorted(PLAIN)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    with pytest.raises(DigitsError, match="occupied/tiny"):
        obtain(published_at(CLOSED), occupied)
