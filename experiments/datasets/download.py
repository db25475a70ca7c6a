"""Downloads that result in a verified file or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.datasets.content import content_name, unpack
from experiments.datasets.local import LocalCopy, locate, read_verified, search_folders, user_cache
from experiments.datasets.published.published_dataset import Edition, PublishedDataset, RemoteFile
from experiments.errors import DigitsError

DownloadProgress = Callable[[str, int, int], None]
"""Called with the name of a file, the bytes received and the total bytes (0 if the server does not give them)."""

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 10


def obtain(
    published: PublishedDataset, data_dir: Path | None = None, progress: DownloadProgress | None = None
) -> LocalCopy:
    """Find a dataset on this machine or download it, and verify it.

    A download goes to `data_dir` if it is given, otherwise to the user's cache.

    Raises
    ------
    DigitsError
        If the files found are corrupt, or none are found and all mirrors fail.
    """
    found = locate(published, data_dir)
    if found:
        return read_verified(*found)
    folder = (data_dir or user_cache()).expanduser() / published.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DigitsError(f"{folder} cannot be made for the download of {published.name}: {error.strerror}") from error
    return _download(published, folder, progress, looked_in=search_folders(published, data_dir))


def _download(
    published: PublishedDataset, folder: Path, progress: DownloadProgress | None, looked_in: Sequence[Path]
) -> LocalCopy:
    """Download the first available edition."""
    failures: list[str] = []
    for edition in published.editions:
        problems = _complete(folder, edition, progress)
        if not problems:
            return read_verified(folder, edition)
        failures += problems
    wanted = ", ".join(f"{published.name}/{file.name}" for file in published.editions[0].files)
    raise DigitsError(
        f"{published.name} is not in {', '.join(map(str, looked_in))} and could not be downloaded "
        f"({'; '.join(failures)}): set DIGITS_DATA_DIR or --data-dir to a folder with {wanted}, "
        "or use --dataset uci, which needs no download"
    )


def _complete(folder: Path, edition: Edition, progress: DownloadProgress | None) -> list[str]:
    """Download the missing files of an edition; return the failures of the first file that all mirrors failed for."""
    for file in edition.files:
        problems = [] if file.find(folder) else _try_mirrors(file, edition.mirrors, folder, progress)
        if problems:
            return problems
    return []


def _try_mirrors(
    file: RemoteFile, mirrors: Sequence[str], folder: Path, progress: DownloadProgress | None
) -> list[str]:
    """Download one file from the first mirror that has it; return the failures of all mirrors if none has."""
    problems = []
    for mirror in mirrors:
        url = mirror + file.name
        try:
            _transfer(url, file, folder, progress)
        except (OSError, DigitsError) as error:
            problems.append(f"{url}: {_reason(error)}")
        else:
            return []
    return problems


def _transfer(url: str, file: RemoteFile, folder: Path, progress: DownloadProgress | None) -> None:
    """Download into a temporary folder and move the file to its place once it is verified."""
    from pooch import HTTPDownloader

    bar = _Bar(file.name, progress) if progress else False
    download = HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_SECONDS)
    with TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
        received = Path(scratch) / file.name
        download(url, str(received), None)
        raw = received.read_bytes()
        name = content_name(file.name, raw)
        file.check(unpack(Path(name), raw))
        received.replace(folder / name)


def _reason(error: Exception) -> str:
    """Describe in a few words why a mirror failed: the messages of `requests` are paragraphs."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason}"
    if isinstance(error, DigitsError):
        return str(error)
    kind = type(error).__name__
    return {
        "ConnectionError": "no connection",
        "ConnectTimeout": "timed out",
        "ReadTimeout": "timed out",
    }.get(kind, f"{kind} {getattr(error, 'strerror', None) or ''}".strip())


@dataclass
class _Bar:
    """The progress bar that pooch expects, which calls a `DownloadProgress`. Pooch sets `total`."""

    file: str
    progress: DownloadProgress
    total: int = 0
    done: int = 0

    def update(self, size: int) -> None:
        # Pooch adds whole chunks, even for the last one, and finally the total once more.
        self.done = min(self.done + size, self.total) if self.total else self.done + size
        self.progress(self.file, self.done, self.total)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass
