"""What is done for a network in a target domain, and what comes of it; nothing that was done is done again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments import analysis, datasets, tracking, transfer
from experiments.datasets import Dataset, Split, Unlabelled
from experiments.datasets.alignment import ALIGNMENTS
from experiments.datasets.strokes import match_stroke_width, stroke_width
from experiments.errors import UsageError
from experiments.execution import Cache, ProgressCallback, Stages, code_version
from experiments.execution.cache import Arrays
from experiments.execution.progress import Progress
from experiments.models.prediction import predict
from experiments.tracking import Store
from experiments.training import release_memory
from experiments.transfer import Domain, FewShot, Outcome, Rung
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer.domains import (
    DESKEW,
    DESKEWED_FORM,
    Source,
    digest_of,
    domain,
    is_corrupted,
    source,
)

if TYPE_CHECKING:
    import keras

NONE, ALIGN = "none", "align"
STROKE = "stroke"
WAYS = (NONE, ALIGN, *transfer.ADAPTATIONS)
MOST_COMPARED = 10_000  # digits of a domain whose features are compared and mapped
FORWARD_BATCH = 1000


@dataclass(frozen=True, eq=False)
class Pair:
    """A network and a domain that it is used in.

    Attributes
    ----------
    home
        The network and its own data.
    target, data
        The domain, and the data it was made of, whose labels few-shot learning needs.
    folder
        Where what is computed for the two is kept.
    """

    home: Source
    target: Domain
    data: Dataset | Unlabelled
    folder: Path
    stages: Stages
    seed: int


def unadapted(pair: Pair) -> Outcome:
    """Return what the network says of the target as it is."""

    def make(_: ProgressCallback) -> Arrays:
        return {"probabilities": transfer.predictions(pair.home.network, pair.target.images)}

    arrays = Cache(pair.folder, pair.stages).get_or_compute("predictions", {}, make)
    return transfer.outcome(pair.target, arrays["probabilities"], float(arrays["seconds"]))


def adapted(pair: Pair, method: str) -> "tuple[Outcome, keras.Model]":
    """Adapt the network without labels; return what it then says, and the network.

    Raises
    ------
    UsageError
        When the method does not apply to the network, saying why.
    DivergedError
        When the method does not converge.
    """

    def make(on_progress: ProgressCallback) -> Arrays:
        made = transfer.ADAPTATIONS[method](pair.home.network, pair.target.unlabelled, pair.seed, on_progress)
        weights = {f"weight/{i:04}": weight for i, weight in enumerate(made.model.get_weights())}
        curve = {f"curve/{name}": np.asarray(values) for name, values in made.curve.items()}
        said = transfer.predictions(made.model, pair.target.images)
        seconds = np.asarray(made.seconds)
        del made
        release_memory()
        return {"probabilities": said, "adapting": seconds, **curve, **weights}

    import keras

    code = code_version(transfer.ADAPTATIONS[method])
    parameters = {"seed": pair.seed, "code": code, **transfer.SETTINGS[method]}
    arrays = Cache(pair.folder, pair.stages).get_or_compute(method, parameters, make)
    network = keras.models.clone_model(pair.home.network)
    network.set_weights([arrays[name] for name in sorted(arrays) if name.startswith("weight/")])
    curve = {
        name.removeprefix("curve/"): tuple(values.tolist())
        for name, values in arrays.items()
        if name.startswith("curve/")
    }
    return transfer.outcome(pair.target, arrays["probabilities"], float(arrays["adapting"]), curve), network


def twin(store: Store, home: Source, data_dir: Path | None, progress: Progress, parent: str | None) -> Source:
    """Return the network trained by the same recipe and seed on deskewed digits; train it if there is none.

    Parameters
    ----------
    parent
        Id of the run that a training belongs under; None trains nothing.

    Raises
    ------
    UsageError
        For a bare file, data of which there is no deskewed form by name, or where nothing is to be trained.
    """
    if home.alignment == DESKEW:
        return home
    name = DESKEWED_FORM.format(home.data.name)
    if name not in datasets.DERIVED:
        raise UsageError(f"there is no {name} to train a network on")
    told = tracking.model_params(store, home.reference)
    limit = int(told["limit"]) if told.get("limit", "none") != "none" else None
    recipe = home.recipe(store).params()
    same = {**recipe, "limit": told.get("limit", "none")}
    reference = tracking.find_version(store, tracking.registered_name(name, home.architecture.name), same)
    if reference is None and parent is None:
        raise UsageError(f"none is registered that was trained on {name} by the same recipe")
    if reference is None:
        trained = train(store, TrainOptions(home.architecture.name, name, data_dir, recipe, limit), progress, parent)
        reference = tracking.resolve_reference(store, f"models:/{trained.registered_model}/{trained.version}")
    return source(store, reference, data_dir, progress)


def ladder(pair: Pair, deskewed: Source | None, data_dir: Path | None, progress: Progress) -> tuple[Rung, ...]:
    """Measure the network on the target under each alignment, from the plainest on.

    From ``deskew`` on it is the network trained on deskewed digits that is asked; without one the ladder ends before.
    Alignments that leave a target as the one before left it are left out.
    """
    rungs: list[Rung] = []
    seen: set[tuple[str, bytes]] = set()
    for alignment in (*ALIGNMENTS, STROKE):
        network = deskewed if alignment in (DESKEW, STROKE) else pair.home
        if network is None:
            continue
        aligned = _aligned(pair, network, alignment, data_dir, progress)
        if (content := (network.folder.name, aligned.images.tobytes())) in seen:
            continue
        seen.add(content)

        def make(_: ProgressCallback, network: Source = network, aligned: Domain = aligned) -> Arrays:
            return {
                "probabilities": transfer.predictions(network.network, aligned.images),
                "unlabelled": transfer.predictions(network.network, aligned.unlabelled),
            }

        parameters = {"network": network.folder.name, "images": digest_of(aligned.unlabelled, aligned.images)}
        arrays = Cache(pair.folder, pair.stages).get_or_compute(f"align {alignment}", parameters, make)
        found = transfer.outcome(pair.target, arrays["probabilities"], float(arrays["seconds"]))
        rungs.append(Rung(alignment, network.name, transfer.mean_entropy(arrays["unlabelled"]), found))
    return tuple(rungs)


def _aligned(pair: Pair, network: Source, alignment: str, data_dir: Path | None, progress: Progress) -> Domain:
    place = pair.data.name if pair.data.name in datasets.DATASET_NAMES else pair.data.source
    how = DESKEW if alignment == STROKE else alignment
    aligned = domain(datasets.load_target(place, data_dir, progress.download, how), data_dir, how)
    if alignment != STROKE:
        return aligned
    width = float(np.median(stroke_width(network.data.train.images)))
    unlabelled, images = (
        match_stroke_width(Split(each, np.zeros(len(each), np.int64)), width).images
        for each in (aligned.unlabelled, aligned.images)
    )
    return Domain(aligned.name, aligned.transform, unlabelled, images, aligned.labels, aligned.views)


def few_shot(pair: Pair, store: Store, per_class: Sequence[int | None], zero_shot: float) -> FewShot:
    """Fine-tune the network on few labelled digits, and train its like from scratch on the same.

    Raises
    ------
    UsageError
        For a bare file, or digits without labels.
    """
    if not isinstance(pair.data, Dataset):
        raise UsageError(f"few-shot learning needs labels, and the training digits of {pair.data.source} have none")
    if is_corrupted(pair.data):
        raise UsageError(f"the training digits of {pair.data.name} are not corrupted: there is nothing new to learn")
    architecture, recipe = pair.home.architecture, pair.home.recipe(store)
    weights, labelled, test = pair.home.network.get_weights(), pair.data.train, pair.data.test

    def accuracy(k: int | None, seed: int, start: Any) -> float:
        model = transfer.learn(architecture, recipe, transfer.draw(labelled, k, seed), start, seed)
        right = predict(model, test).argmax(axis=1) == test.labels
        del model
        release_memory()
        return float(right.mean())

    def both(k: int | None, seed: int, _: ProgressCallback) -> Arrays:
        return {"accuracies": np.array([accuracy(k, seed, weights), accuracy(k, seed, None)])}

    parameters = {"labels": digest_of(labelled.labels, test.labels), **recipe.params()}
    found = np.empty((2, len(per_class), transfer.SEEDS))
    for i, k in enumerate(per_class):
        for seed in range(transfer.SEEDS):
            stage = f"few-shot {k or 'all'} seed {seed}"
            arrays = Cache(pair.folder, pair.stages).get_or_compute(stage, parameters, partial(both, k, seed))
            found[:, i, seed] = arrays["accuracies"]
    digits = tuple(len(transfer.draw(labelled, k, 0)) for k in per_class)
    return FewShot(tuple(per_class), digits, found[0], found[1], zero_shot)


def baseline(store: Store, pair: Pair, data_dir: Path | None, progress: Progress) -> dict[str, float]:
    """Return how the network that corruption errors are relative to stands each corruption; nothing without it."""
    target, name = pair.target, tracking.registered_name(pair.home.data.name, transfer.BASELINE)
    if target.views == 1 or target.labels is None:
        return {}
    if name not in tracking.trained_names(store, transfer.BASELINE):
        progress.log(f"no mean corruption error: it is relative to {name}, which has not been trained")
        return {}
    other = source(store, tracking.resolve_reference(store, name), data_dir, progress)

    def make(_: ProgressCallback) -> Arrays:
        return {"probabilities": transfer.predictions(other.network, target.images)}

    arrays = Cache(other.folder / pair.folder.name, pair.stages).get_or_compute("baseline", {}, make)
    right = transfer.correct_by_corruption(target.labels, arrays["probabilities"].argmax(axis=1))
    return {corruption: float(one.mean()) for corruption, one in right.items()}


@dataclass(frozen=True, eq=False)
class Placed:
    """The target's digits on a map of the source's test digits, with the features of both.

    Attributes
    ----------
    reference, reference_labels
        Positions float32 (n, 3) of source digits, labels int64 (n,).
    positions, chosen
        Positions float32 (m, 3) of target test digits, and which ones these are, int64 (m,).
    """

    reference: NDArray[np.float32]
    reference_labels: NDArray[np.int64]
    positions: NDArray[np.float32]
    chosen: NDArray[np.int64]


def compared(pair: Pair) -> tuple[transfer.Shift, Placed]:
    """Measure how far the domains lie apart in the network's features, and place the target on the source's map.

    Raises
    ------
    UsageError
        For a network without features, or a single digit.
    """
    if len(pair.target.images) < 2:
        raise UsageError(f"{pair.target.name} has one digit, and a shift is one between many")
    extractor = analysis.feature_extractor(pair.home.network, pair.home.name)
    test, target = pair.home.data.test, pair.target
    mine, theirs = _compared_digits(pair)
    labels = None if target.labels is None else target.labels[theirs]
    with pair.stages("shift"):
        here, there = _features(extractor, test.images[mine]), _features(extractor, target.images[theirs])
        analysis.check_features(here, pair.home.name)
        found = transfer.shift(here, there, test.labels[mine], labels, pair.seed)

    def make(on_progress: ProgressCallback) -> Arrays:
        near = analysis.nearest(here, analysis.neighbors_needed(len(here)))
        reference = analysis.embed(here, near, on_step=on_progress).positions
        return {"reference": reference, "positions": transfer.place(reference, here, there)}

    arrays = Cache(pair.folder, pair.stages).get_or_compute(
        "map", {"most": MOST_COMPARED, "views": pair.target.views}, make
    )
    return found, Placed(arrays["reference"], test.labels[mine], arrays["positions"], theirs)


def _compared_digits(pair: Pair) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which test digits of source and target are compared.

    Of a digit that comes in several views one is taken, so that all are independent; and of every second digit alone,
    the source's being the others, for they may be views of the same.
    """
    test, target = pair.home.data.test, pair.target
    mine, rng = datasets.sample_indices(test, MOST_COMPARED), np.random.default_rng(0)
    if target.views == 1:
        return mine, np.sort(rng.permutation(len(target.images))[:MOST_COMPARED])
    digits = len(target.images) // target.views
    odd = np.arange(1, digits, 2)
    return mine[mine % 2 == 0], rng.integers(target.views, size=len(odd)) * digits + odd


def _features(extractor: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    batches = np.split(images, range(FORWARD_BATCH, len(images), FORWARD_BATCH))
    parts = [extractor.predict_on_batch(np.divide(batch[..., None], np.float32(255)))[0] for batch in batches]
    return np.ascontiguousarray(np.concatenate(parts), np.float32)
