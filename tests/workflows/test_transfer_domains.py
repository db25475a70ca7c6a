"""Target domains: which are refused, what they are adapted to, and images without labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_writer import put_digits

from experiments import datasets
from experiments.datasets import Unlabelled
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.deskewing import deskew
from experiments.errors import UsageError
from experiments.execution.cache import Cache, Stages
from experiments.execution.progress import Progress
from experiments.models import MODELS
from experiments.tracking import Reference
from experiments.transfer.domain import check_new_domain, to_domain
from experiments.transfer.domain_result import reported_alignment
from experiments.workflows.transfer import TransferOptions
from experiments.workflows.transfer.pipeline import few_shot_stages, measure_alignments
from experiments.workflows.transfer.tasks import SourceModel, TransferTask, digest_of, load_domain, load_tasks

UCI = datasets.load("uci")
MANY = 60


def trained_on(name: str, network: Any = None) -> SourceModel:
    """Return a network, by default one that is never asked, that was trained on a dataset."""
    data = datasets.load(name)
    alignment = "deskew" if "deskew" in data.transform else None
    return SourceModel("lenet", Reference("lenet", "nowhere", "lenet"), network, data, alignment, Path())


def shifted(n: int = MANY) -> NDArray[np.uint8]:
    """Return the first test digits of ``uci``, moved: other digits than its own."""
    return np.roll(UCI.test.images[:n], (1, 2), (1, 2))


def load(name: object, source: SourceModel) -> Any:
    domain, data = load_domain(str(name), source.alignment, None, Progress())
    check_new_domain(source.name, source.data, str(name), data)
    return domain, data


def task(name: object, source: SourceModel, folder: Path) -> TransferTask:
    domain, data = load(name, source)
    return TransferTask(source, domain, data, Cache(folder / "kept", Stages(Progress(), "task")), 0)


@pytest.mark.parametrize(
    ("trained", "name"), [("uci", "uci"), ("uci-deskewed", "uci"), ("uci-deskewed", "uci-deskewed")]
)
def test_the_network_s_own_data_is_refused(trained: str, name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} .* lenet.* {trained}, .*digits evaluate"):
        load(name, trained_on(trained))


@pytest.mark.parametrize("labels", [UCI.test.labels, None], ids=["labeled", "unlabeled"])
def test_the_same_digits_elsewhere_are_refused(tmp_path: Path, labels: NDArray[np.int64] | None) -> None:
    put_digits(tmp_path / "copy", UCI.test.images, labels)
    put_digits(
        tmp_path / "paper", np.invert(UCI.train.images[:200]), None if labels is None else UCI.train.labels[:200]
    )
    for name in ("copy", "paper"):
        for source in (trained_on("uci"), trained_on("uci-deskewed")):
            with pytest.raises(UsageError, match=f"{name} .* uci"):
                load(tmp_path / name, source)


def test_a_few_of_the_network_s_digits_are_not_its_domain(tmp_path: Path) -> None:
    put_digits(tmp_path, np.concatenate([shifted(), UCI.test.images[: MANY - 1]]))
    assert len(load(tmp_path, trained_on("uci"))[0].images) == 2 * MANY - 1


def test_deskewed_digits_are_new_to_a_network_that_has_seen_plain_ones() -> None:
    domain, data = load("uci-deskewed", trained_on("uci"))
    assert (domain.name, domain.transform) == ("uci-deskewed", "mnist-procedure+deskew")
    assert data.digest == datasets.load("uci-deskewed").digest


@pytest.mark.parametrize("trained", ["uci", "uci-deskewed"])
def test_corrupted_digits_are_new_to_a_network_that_has_seen_clean_ones(trained: str, tmp_path: Path) -> None:
    one = task("uci-c", trained_on(trained), tmp_path)
    assert one.target.variants == 15
    assert ("deskew" in one.target.transform) == (trained == "uci-deskewed")
    with pytest.raises(UsageError, match="uci-c"):  # its training images are not corrupted
        few_shot_stages(None, one, (1,))  # type: ignore[arg-type]


def test_digits_without_labels_are_a_domain(tmp_path: Path) -> None:
    one = task(put_digits(tmp_path / "Mine", shifted()), trained_on("uci"), tmp_path)
    domain = one.target
    assert isinstance(one.data, Unlabelled)
    assert (domain.name, domain.transform, domain.labels, domain.variants) == ("mine", "none", None, 1)
    np.testing.assert_array_equal(domain.images, shifted())
    np.testing.assert_array_equal(domain.unlabelled, shifted())
    with pytest.raises(UsageError, match=str(tmp_path / "Mine")):
        few_shot_stages(None, one, (1,))  # type: ignore[arg-type]


def test_known_labels_of_test_digits_are_used(tmp_path: Path) -> None:
    put_digits(tmp_path / "train", shifted()[:10])
    put_digits(tmp_path / "test", shifted()[10:20], UCI.test.labels[10:20])
    domain, _ = load(tmp_path, trained_on("uci"))
    assert domain.labels is not None
    assert domain.labels.tolist() == sorted(UCI.test.labels[10:20])
    np.testing.assert_array_equal(domain.unlabelled, shifted()[:10])


@pytest.mark.parametrize("alignment", ["resize", "box", "deskew"])
def test_what_is_adapted_to_is_aligned_and_corrupted_as_the_test_digits_are(alignment: str) -> None:
    before = None if alignment == "deskew" else alignment
    domain = to_domain(datasets.load("uci-c", alignment=alignment), None, alignment)
    assert len(domain.unlabelled) == 15 * 500
    for images, clean, seed in (
        (domain.unlabelled, datasets.sample(datasets.load("uci", alignment=before).train, 500), 1),
        (domain.images, datasets.load("uci", alignment=before).test, 0),
    ):
        expected = corrupt(clean, next(iter(CORRUPTIONS)), seed).images
        expected = deskew(expected) if alignment == "deskew" else expected
        assert np.array_equal(images[: len(clean)], expected)


def test_alignments_are_of_the_pictures_as_they_are_and_need_no_labels(tmp_path: Path) -> None:
    network = MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)
    names, plain = [], []
    for name, frame in {"tight": ((3, 0), (0, 9)), "wide": ((20, 20), (20, 20))}.items():
        folder = put_digits(tmp_path / name, np.pad(shifted(20), ((0, 0), *frame)))
        found = measure_alignments(task(folder, trained_on("uci", network), tmp_path), None, None, Progress())
        assert all(one.result.metrics is None and one.result.probabilities.shape == (20, 10) for one in found)
        assert reported_alignment(found).alignment == "box"
        names.append([one.alignment for one in found])
        plain.append(found[0].result.probabilities)
    # An alignment that leaves all images as an earlier one did is left out.
    assert names == [["resize", "frame", "centre", "box"], ["resize", "frame", "box"]]
    assert (plain[0] != plain[1]).any()


def test_digests_tell_shapes_and_parts_apart() -> None:
    images = np.arange(12, dtype=np.uint8)
    digests = {digest_of(images), digest_of(images[:5], images[5:]), digest_of(images[:6], images[6:])}
    assert len(digests | {digest_of(images.reshape(3, 4)), digest_of(images.astype(np.int8))}) == 5


def test_a_target_is_loaded_once_for_several_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded, load_target = list[tuple[str, Any]](), datasets.load_target

    def counted(name: str, data_dir: Any, on_progress: Any, alignment: Any) -> Any:
        loaded.append((Path(name).name, alignment))
        return load_target(name, data_dir, on_progress, alignment)

    monkeypatch.setattr(datasets, "load_target", counted)
    images = np.random.default_rng(0).integers(0, 256, (9, 28, 28), dtype=np.uint8)
    folders = tuple(str(put_digits(tmp_path / name, images)) for name in ("one", "two"))
    sources = [trained_on(name) for name in ("uci", "uci", "uci-deskewed")]
    tasks = load_tasks(sources, TransferOptions(folders), Progress())
    assert [one.target.name for one in tasks] == ["one", "two"] * 3
    assert sorted(loaded, key=str) == [(name, alignment) for name in ("one", "two") for alignment in ("deskew", None)]
