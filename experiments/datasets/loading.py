"""Loading of a dataset by its name or by the folder that holds it."""

from pathlib import Path

from experiments.datasets.alignment import DEFAULT, Alignment, get_alignment, to_split, transform_of
from experiments.datasets.dataset import Dataset, Unlabelled, joined
from experiments.datasets.derivations import DATASET_NAMES, DERIVED
from experiments.datasets.deskewing import deskewed
from experiments.datasets.download import DownloadProgress, obtain
from experiments.datasets.folder import load_folder, load_target_folder
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.published_dataset import PublishedDataset
from experiments.datasets.splits import hold_out_test
from experiments.errors import UsageError, did_you_mean


def load(
    name_or_path: str,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: str | None = None,
) -> Dataset:
    """Load a dataset: find it, download it if it is missing, verify, parse, align.

    Parameters
    ----------
    name_or_path
        One of `DATASET_NAMES`, or a folder with IDX files (named as those of MNIST, QMNIST or EMNIST) or with pictures
        in ``0/`` to ``9/``. A name takes precedence over a folder of that name: write ``./mnist`` for the folder.
        ``<name>-c`` has the training digits of ``<name>``, and its test digits under each of the corruptions of
        MNIST-C, one corruption after the other; see `experiments.datasets.corruptions`. ``<name>-deskewed`` has both
        splits of ``<name>`` under `deskew`.
    data_dir
        Folder with ``mnist/`` or ``usps/``, searched before ``$DIGITS_DATA_DIR`` and the user's cache. A download goes
        there if it is given, otherwise to the cache.
    progress
        Called during downloads; see `DownloadProgress`.
    alignment
        Member of `ALIGNMENTS` that brings the digits to 28x28; None for ``box``, MNIST's own procedure. Digits that are
        published at 28x28 stay unchanged, except by ``deskew``. Deskewing is the last step, after the corruptions of
        ``<name>-c`` too, as for a network that was trained on deskewed digits.

    Raises
    ------
    UsageError
        If there is neither a dataset nor a folder of that name, or no such alignment.
    DigitsError
        If the data is corrupt, unavailable or malformed; the message says what to do.
    """
    chosen = get_alignment(alignment)
    derived = DERIVED.get(name_or_path)
    wanted = derived.source if derived else _resolve(name_or_path)
    if isinstance(wanted, Path):
        data = load_folder(wanted, chosen)
    else:
        data = load_published(wanted, data_dir, progress, chosen)
    if derived:
        data = derived.make(data)
    return deskewed(data) if chosen.deskews else data


def load_target(
    name_or_path: str,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: str | None = None,
) -> Dataset | Unlabelled:
    """Load data to apply networks to: as `load`, but a folder may have digits of one class, or without labels.

    Digits without labels are IDX images without a file of labels, or pictures beside each other instead of in ``0/`` to
    ``9/``. Parameters and errors are those of `load`.
    """
    if name_or_path in DATASET_NAMES:
        return load(name_or_path, data_dir, progress, alignment)
    chosen = get_alignment(alignment)
    data = load_target_folder(_folder(name_or_path), chosen)
    return deskewed(data) if chosen.deskews else data


def fetch(name: str, data_dir: Path | None = None, progress: DownloadProgress | None = None) -> Path:
    """Download and verify a dataset unless it is on this machine already, and return its folder.

    The folder of a derived dataset is that of its source. Parameters and errors are those of `load`.
    """
    wanted = DERIVED[name].source if name in DERIVED else _resolve(name)
    if isinstance(wanted, Path):
        load_folder(wanted)
        return wanted
    return wanted.bundle.folder() if wanted.bundle else obtain(wanted, data_dir, progress).folder


def check_trainable(name: str) -> None:
    """Check that a dataset is not made for evaluation only.

    Raises
    ------
    UsageError
        For ``<name>-c``, naming the dataset to train on.
    """
    derived = DERIVED.get(name)
    if derived and not derived.derivation.trainable:
        raise UsageError(
            f"{name} is for evaluating networks; its training digits are those of {derived.source.name}: train on that"
        )


def load_published(
    published: PublishedDataset,
    data_dir: Path | None = None,
    progress: DownloadProgress | None = None,
    alignment: Alignment = DEFAULT,
) -> Dataset:
    """Load a dataset from its definition, its digits fitted to 28x28; see `load`.

    Of a bundled one, a fixed stratified fifth becomes the test split.
    """
    if published.bundle:
        whole, library = published.bundle.read(), published.bundle.library
        held = hold_out_test(to_split(whole, alignment), library)
        return Dataset(published.name, *held, transform_of(whole.images, alignment), library)
    copy = obtain(published, data_dir, progress)
    train, test = copy.edition.parse(copy.contents)
    transform = joined(copy.edition.transform, transform_of(train.images, alignment))
    return Dataset(published.name, to_split(train, alignment), to_split(test, alignment), transform, str(copy.folder))


def _resolve(name_or_path: str) -> PublishedDataset | Path:
    return PUBLISHED[name_or_path] if name_or_path in PUBLISHED else _folder(name_or_path)


def _folder(name_or_path: str) -> Path:
    """Return the folder at that path; raise UsageError if there is none."""
    folder = Path(name_or_path).expanduser()
    if name_or_path and folder.is_dir():
        return folder
    known = ", ".join(DATASET_NAMES)
    if folder.is_file():
        raise UsageError(f"{name_or_path} is a file: give the folder that holds it, or one of {known}")
    if len(folder.parts) > 1 or name_or_path.startswith("."):
        raise UsageError(f"there is no folder {name_or_path}: give a folder with digits, or one of {known}")
    hint = did_you_mean(name_or_path, DATASET_NAMES)
    raise UsageError(
        f"there is no dataset or folder {name_or_path!r}{hint}: give a folder with digits, or one of {known}"
    )
