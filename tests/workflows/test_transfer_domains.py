"""Target domains: invalid ones, and images without labels."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Trained
from mlflow.artifacts import load_text
from numpy.typing import NDArray
from PIL import Image

from experiments import datasets
from experiments.datasets import Unlabelled
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.deskewing import deskew
from experiments.errors import UsageError
from experiments.execution.cache import Cache, Stages
from experiments.execution.progress import Progress
from experiments.results import VAL_ACCURACY
from experiments.tracking import Reference, Store, resolve_reference
from experiments.transfer.domain import check_new_domain, to_domain
from experiments.transfer.domain_result import method_result, reported_alignment
from experiments.transfer.predictions import predict_images
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer import TransferOptions, transfer
from experiments.workflows.transfer.pipeline import few_shot_stages, measure_alignments
from experiments.workflows.transfer.tasks import SourceModel, TransferTask, digest_of, load_domain, load_source

UCI = datasets.load("uci")
MANY = 60


def trained_on(name: str, network: Any = None) -> SourceModel:
    """Return a network, by default one that is never asked, that was trained on a data set."""
    data = datasets.load(name)
    alignment = "deskew" if "deskew" in data.transform else None
    return SourceModel("lenet", Reference("lenet", "nowhere", "lenet"), network, data, alignment, Path())


def write(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> Path:
    """Write pictures beside each other, or in class folders."""
    for number, image in enumerate(images):
        place = folder if labels is None else folder / str(labels[number])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:04}.png")
    return folder


def shifted(n: int = MANY) -> NDArray[np.uint8]:
    """Return the first test digits of ``uci``, moved: other digits than its own."""
    return np.roll(UCI.test.images[:n], (1, 2), (1, 2))


def load(name: object, home: SourceModel) -> Any:
    where, data = load_domain(str(name), home.alignment, None, Progress())
    check_new_domain(home.name, home.data, str(name), data)
    return where, data


@pytest.mark.parametrize(
    ("trained", "name"), [("uci", "uci"), ("uci-deskewed", "uci"), ("uci-deskewed", "uci-deskewed")]
)
def test_the_networks_own_data_is_refused(trained: str, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not a new domain for lenet: its images are those of {trained},"):
        load(name, trained_on(trained))


def test_deskewed_digits_are_new_to_a_network_that_has_seen_plain_ones() -> None:
    where, data = load("uci-deskewed", trained_on("uci"))
    assert (where.name, where.transform) == ("uci-deskewed", "mnist-procedure+deskew")
    assert data.digest == datasets.load("uci-deskewed").digest


@pytest.mark.parametrize("trained", ["uci", "uci-deskewed"])
def test_corrupted_digits_are_new_to_a_network_that_has_seen_clean_ones(trained: str) -> None:
    where, _ = load("uci-c", trained_on(trained))
    assert where.variants == 15
    assert ("deskew" in where.transform) == (trained == "uci-deskewed")


@pytest.mark.parametrize("labels", [UCI.test.labels, None], ids=["labelled", "unlabelled"])
def test_the_same_digits_elsewhere_are_refused(tmp_path: Path, labels: NDArray[np.int64] | None) -> None:
    write(tmp_path / "copy", UCI.test.images, labels)
    write(tmp_path / "paper", np.invert(UCI.train.images[:200]), None if labels is None else UCI.train.labels[:200])
    for name in ("copy", "paper"):
        for home in (trained_on("uci"), trained_on("uci-deskewed")):
            with pytest.raises(UsageError, match=f"{name} is not a new domain for lenet: its images are those of uci"):
                load(tmp_path / name, home)


def test_a_few_of_the_networks_digits_are_not_its_domain(tmp_path: Path) -> None:
    write(tmp_path, np.concatenate([shifted(), UCI.test.images[: MANY - 1]]))
    where, _ = load(tmp_path, trained_on("uci"))
    assert len(where.images) == 2 * MANY - 1


def test_digits_without_labels_are_a_domain(tmp_path: Path) -> None:
    where, data = load(write(tmp_path / "Mine", shifted()), trained_on("uci"))
    assert isinstance(data, Unlabelled)
    assert (where.name, where.transform, where.labels, where.variants) == ("mine", "none", None, 1)
    np.testing.assert_array_equal(where.images, shifted())
    np.testing.assert_array_equal(where.unlabelled, shifted())


def test_known_labels_of_test_digits_are_used(tmp_path: Path) -> None:
    write(tmp_path / "train", shifted()[:10])
    write(tmp_path / "test", shifted()[10:20], UCI.test.labels[10:20])
    where, _ = load(tmp_path, trained_on("uci"))
    assert where.labels is not None
    assert where.labels.tolist() == sorted(UCI.test.labels[10:20])
    np.testing.assert_array_equal(where.unlabelled, shifted()[:10])


@pytest.fixture
def paired(trained: Trained, tmp_path: Path) -> Callable[[Path], TransferTask]:
    """Return a function that pairs the trained lenet with a folder."""
    home = load_source(trained.store, resolve_reference(trained.store, "lenet"), None, Progress())

    def pair(folder: Path) -> TransferTask:
        where, data = load(folder, home)
        return TransferTask(home, where, data, Cache(tmp_path / "kept", Stages(Progress(), "pair")), 0)

    return pair


def test_few_shot_learning_needs_labels(
    trained: Trained, tmp_path: Path, paired: Callable[[Path], TransferTask]
) -> None:
    folder = write(tmp_path / "mine", shifted(20))
    with pytest.raises(UsageError, match=f"few-shot learning needs labels, and the training images of {folder} have"):
        few_shot_stages(trained.store, paired(folder), (1,))


def test_the_ladder_needs_no_labels(tmp_path: Path, paired: Callable[[Path], TransferTask]) -> None:
    rows = np.pad(shifted(20), ((0, 0), (3, 0), (0, 9)))  # of another size: every rung is another picture
    pair = paired(write(tmp_path / "mine", rows))
    found = measure_alignments(pair, None, None, Progress())
    assert [one.alignment for one in found] == ["resize", "frame", "centre", "box"]
    assert all(one.result.metrics is None and one.result.probabilities.shape == (20, 10) for one in found)
    assert reported_alignment(found).alignment == "box"


def test_one_class_can_be_measured(tmp_path: Path, paired: Callable[[Path], TransferTask]) -> None:
    sevens = np.roll(UCI.test.images[UCI.test.labels == 7], 1, axis=2)
    pair = paired(write(tmp_path / "mine", sevens, np.full(len(sevens), 7)))
    found = method_result(pair.target, predict_images(pair.source.network, pair.target.images)).metrics
    assert found is not None
    assert [one.support > 0 for one in found.per_class] == [digit == 7 for digit in range(10)]
    assert all(np.isfinite(result.value) for result in found.results())


def test_corrupted_training_digits_of_a_domain_have_other_random_numbers() -> None:
    where = to_domain(datasets.load("uci-c"), None, None)
    assert len(where.unlabelled) == 15 * 500
    assert where.labels is not None


@pytest.mark.parametrize("alignment", ["resize", "box", "deskew"])
def test_what_is_adapted_to_is_aligned_and_corrupted_as_the_test_digits_are(alignment: str) -> None:
    before = None if alignment == "deskew" else alignment
    where = to_domain(datasets.load("uci-c", alignment=alignment), None, alignment)
    for images, clean, seed in (
        (where.unlabelled, datasets.sample(datasets.load("uci", alignment=before).train, 500), 1),
        (where.images, datasets.load("uci", alignment=before).test, 0),
    ):
        expected = corrupt(clean, next(iter(CORRUPTIONS)), seed).images
        expected = deskew(expected) if alignment == "deskew" else expected
        assert np.array_equal(images[: len(clean)], expected)


def test_digests_tell_shapes_and_parts_apart() -> None:
    images = np.arange(12, dtype=np.uint8)
    digests = {digest_of(images), digest_of(images[:5], images[5:]), digest_of(images[:6], images[6:])}
    assert len(digests | {digest_of(images.reshape(3, 4)), digest_of(images.astype(np.int8))}) == 5


def test_a_ladder_is_of_the_pictures_as_they_are(tmp_path: Path, paired: Callable[[Path], TransferTask]) -> None:
    rows = shifted(20)
    found = [
        measure_alignments(
            paired(write(tmp_path / name, np.pad(rows, ((0, 0), (wide, wide), (wide, wide))))), None, None, Progress()
        )
        for name, wide in (("tight", 0), ("wide", 20))
    ]
    plain, framed = (one[0].result.probabilities for one in found)
    assert not np.array_equal(plain, framed)


@pytest.mark.usefixtures("trained")
def test_corrupted_training_digits_are_not_there_to_learn_from(trained: Trained, tmp_path: Path) -> None:
    home = load_source(trained.store, resolve_reference(trained.store, "mlp_small"), None, Progress())
    where, data = load("uci-c", home)
    task = TransferTask(home, where, data, Cache(tmp_path, Stages(Progress(), "pair")), 0)
    with pytest.raises(UsageError, match="the training images of uci-c are not corrupted"):
        few_shot_stages(trained.store, task, (1,))


def test_a_target_is_loaded_once_for_several_networks(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, load_target = [], datasets.load_target

    def counted(name: str, *rest: Any) -> Any:
        loaded.append(name)
        return load_target(name, *rest)

    monkeypatch.setattr(datasets, "load_target", counted)
    transfer(trained.store, ["lenet", "mlp_small"], TransferOptions(("uci-c",)))
    assert loaded == ["uci-c"]


@pytest.mark.slow
def test_pictures_without_labels_are_predicted_and_adapted_to(store: Store, tmp_path: Path) -> None:
    train(store, TrainOptions("mlp_small", "uci", settings={"epochs": 1, "precision": "float32"}, limit=300))
    folder = write(tmp_path / "mine", shifted())
    options = TransferOptions((str(folder),), ("shot",), few_shot=(1,), register=True)
    result = transfer(store, ["mlp_small"], options)
    value = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert [row["adapt"] for row in value["results"]] == ["none", "shot"]
    for row in value["results"]:
        assert row["n"] == MANY
        assert {row[name] for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece")} == {None}
        assert row["source_accuracy"] > 0
    assert value["few_shot"] == []
    assert [one["adapt"] for one in value["skipped"]] == ["few-shot"]
    run = store.client.get_run(result.run_id)
    assert "accuracy" not in run.data.metrics
    rows = list(csv.DictReader(io.StringIO(str(load_text(f"{run.info.artifact_uri}/predictions.csv")))))
    assert len(rows) == MANY
    assert all(0 <= int(row["predicted"]) < 10 and 0 < float(row["probability"]) <= 1 for row in rows)
    figures = {Path(file.path).name for file in store.client.list_artifacts(result.run_id, "figures")}
    assert "adaptation_curves.png" in figures
    assert figures.isdisjoint({"confusion.png", "misclassified.png", "reliability.png"})
    adapted = value["results"][1]
    assert adapted["registered_model"] == "mine-mlp_small"
    version = store.client.get_model_version(adapted["registered_model"], str(adapted["version"]))
    assert VAL_ACCURACY not in version.tags
