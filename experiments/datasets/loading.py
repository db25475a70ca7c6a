"""The way in: a data set by its name or by the folder it lies in."""

from pathlib import Path

from experiments.datasets.corruptions import with_corrupted_test
from experiments.datasets.dataset import Dataset
from experiments.datasets.download import Progress, obtain
from experiments.datasets.folder import load_folder
from experiments.datasets.normalise import to_split
from experiments.datasets.sources import CORRUPTED_NAMES, DATASET_NAMES, SOURCES, UCI, Source
from experiments.datasets.uci import load_uci, uci_folder
from experiments.errors import UsageError, did_you_mean


def load(name_or_path: str, data_dir: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load a data set: find it, download it when it is missing, verify, parse, normalise.

    Parameters
    ----------
    name_or_path
        One of `DATASET_NAMES`; or a folder with IDX files (named as those of MNIST, QMNIST or EMNIST) or
        with pictures in ``0/`` to ``9/``. A name comes before a folder of that name: write ``./mnist``.
        ``<name>-c`` has the training digits of ``<name>``, and its test digits under each of the 15 corruptions
        of MNIST-C, one corruption after the other; see `experiments.datasets.corruptions`.
    data_dir
        A folder with ``mnist/`` or ``usps/``, looked in before ``$DIGITS_DATA_DIR`` and the user's cache.
        A download goes there if it is given, else to the cache.
    progress
        Told about downloads; see `Progress`.

    Raises
    ------
    UsageError
        When there is neither a data set nor a folder of that name.
    DigitsError
        When the data is corrupt, cannot be had or is not in order; the line says what to do.
    """
    if name_or_path in CORRUPTED_NAMES:
        return with_corrupted_test(load(CORRUPTED_NAMES[name_or_path], data_dir, progress))
    wanted = _resolve(name_or_path)
    if isinstance(wanted, Path):
        return load_folder(wanted)
    return load_uci() if wanted is UCI else load_source(wanted, data_dir, progress)


def fetch(name: str, data_dir: Path | None = None, progress: Progress | None = None) -> Path:
    """Make sure that a data set is on this machine and verified; return its folder.

    Nothing is downloaded when a verified copy is found; for ``<name>-c`` that is ``<name>``'s. Parameters and errors
    are those of `load`.
    """
    wanted = _resolve(CORRUPTED_NAMES.get(name, name))
    if isinstance(wanted, Path):
        load_folder(wanted)
        return wanted
    return uci_folder() if wanted is UCI else obtain(wanted, data_dir, progress).folder


def check_trainable(name: str) -> None:
    """Refuse data that is made for measuring networks only.

    Raises
    ------
    UsageError
        For ``<name>-c``, naming what to train on.
    """
    if name in CORRUPTED_NAMES:
        raise UsageError(
            f"{name} is for measuring networks, its training digits are those of {CORRUPTED_NAMES[name]}: train on that"
        )


def load_source(source: Source, data_dir: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load a data set from its description; see `load`."""
    copy = obtain(source, data_dir, progress)
    train, test = copy.edition.parse(copy.contents)
    return Dataset(source.name, to_split(train), to_split(test), copy.edition.transform, str(copy.folder))


def _resolve(name_or_path: str) -> Source | Path:
    if name_or_path in SOURCES:
        return SOURCES[name_or_path]
    folder = Path(name_or_path).expanduser()
    if name_or_path and folder.is_dir():
        return folder
    known = ", ".join(DATASET_NAMES)
    if folder.is_file():
        raise UsageError(f"{name_or_path} is a file: give the folder it lies in, or one of {known}")
    if len(folder.parts) > 1 or name_or_path.startswith("."):
        raise UsageError(f"there is no folder {name_or_path}: give a folder with digits, or one of {known}")
    hint = did_you_mean(name_or_path, DATASET_NAMES)
    raise UsageError(
        f"there is no data set or folder {name_or_path!r}{hint}: give a folder with digits, or one of {known}"
    )
