"""The way in: a data set by its name or by the folder it lies in."""

from pathlib import Path

from experiments.datasets.alignment import DEFAULT, Alignment, alignment_called, to_split, transform_of
from experiments.datasets.dataset import Dataset, Unlabelled, joined
from experiments.datasets.derived import DATASET_NAMES, DERIVED
from experiments.datasets.deskewing import deskewed
from experiments.datasets.download import DownloadProgress, obtain
from experiments.datasets.folder import load_folder, load_target_folder
from experiments.datasets.sources import SOURCES, UCI, Source
from experiments.datasets.uci import load_uci, uci_folder
from experiments.errors import UsageError, did_you_mean


def load(
    name_or_path: str,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: str | None = None,
) -> Dataset:
    """Load a data set: find it, download it when it is missing, verify, parse, align.

    Parameters
    ----------
    name_or_path
        One of `DATASET_NAMES`; or a folder with IDX files (named as those of MNIST, QMNIST or EMNIST) or
        with pictures in ``0/`` to ``9/``. A name comes before a folder of that name: write ``./mnist``.
        ``<name>-c`` has the training digits of ``<name>``, and its test digits under each of the 15 corruptions
        of MNIST-C, one corruption after the other; see `experiments.datasets.corruptions`.
        ``<name>-deskewed`` has both under `deskew`.
    data_dir
        A folder with ``mnist/`` or ``usps/``, looked in before ``$DIGITS_DATA_DIR`` and the user's cache.
        A download goes there if it is given, else to the cache.
    progress
        Told about downloads; see `DownloadProgress`.
    alignment
        The one of `ALIGNMENTS` that brings the digits to 28x28; None for ``box``, MNIST's own procedure. Digits that
        are published at 28x28 have their frame and stay as they are, but for ``deskew``, which shears them. It is the
        last step, after the corruptions of ``<name>-c`` too: corrupted digits as a network that was trained on
        deskewed ones is given them.

    Raises
    ------
    UsageError
        When there is neither a data set nor a folder of that name, or no such alignment.
    DigitsError
        When the data is corrupt, cannot be had or is not in order; the line says what to do.
    """
    chosen = alignment_called(alignment)
    derived = DERIVED.get(name_or_path)
    wanted = derived.source if derived else _resolve(name_or_path)
    if isinstance(wanted, Path):
        data = load_folder(wanted, chosen)
    else:
        data = load_uci(chosen) if wanted is UCI else load_source(wanted, data_dir, progress, chosen)
    if derived:
        data = derived.make(data)
    return deskewed(data) if chosen.deskews else data


def load_target(
    name_or_path: str,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: str | None = None,
) -> Dataset | Unlabelled:
    """Load data to use networks on: as `load`, but a folder may have digits of one class, or without labels.

    Digits without labels are IDX images without the file of their labels, or pictures beside each other in place of in
    ``0/`` to ``9/``. Parameters and errors are those of `load`.
    """
    if name_or_path in DATASET_NAMES:
        return load(name_or_path, data_dir, progress, alignment)
    chosen = alignment_called(alignment)
    data = load_target_folder(_folder(name_or_path), chosen)
    return deskewed(data) if chosen.deskews else data


def fetch(name: str, data_dir: Path | None = None, progress: DownloadProgress | None = None) -> Path:
    """Make sure that a data set is on this machine and verified; return its folder.

    Nothing is downloaded when a verified copy is found; for ``<name>-c`` and ``<name>-deskewed`` that is ``<name>``'s.
    Parameters and errors are those of `load`.
    """
    wanted = DERIVED[name].source if name in DERIVED else _resolve(name)
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
    derived = DERIVED.get(name)
    if derived and not derived.derivation.trainable:
        raise UsageError(
            f"{name} is for measuring networks, its training digits are those of {derived.source.name}: train on that"
        )


def load_source(
    source: Source,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: Alignment = DEFAULT,
) -> Dataset:
    """Load a data set from its description, its digits fitted to 28x28; see `load`."""
    copy = obtain(source, data_dir, progress)
    train, test = copy.edition.parse(copy.contents)
    transform = joined(copy.edition.transform, transform_of(train.images, alignment))
    return Dataset(source.name, to_split(train, alignment), to_split(test, alignment), transform, str(copy.folder))


def _resolve(name_or_path: str) -> Source | Path:
    return SOURCES[name_or_path] if name_or_path in SOURCES else _folder(name_or_path)


def _folder(name_or_path: str) -> Path:
    """Return the folder of that path, and raise UsageError where there is none."""
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
