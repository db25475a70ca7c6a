"""Order and caching of the computations for a model in a target domain."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import product, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import analysis, datasets, tracking
from experiments.datasets import Dataset
from experiments.datasets.strokes import stroke_width
from experiments.errors import UsageError
from experiments.evaluation import measure
from experiments.evaluation.arguments import check_probabilities
from experiments.execution.cache import Arrays, Cache
from experiments.execution.progress import Progress, ProgressCallback
from experiments.execution.versions import code_version
from experiments.models.prediction import predict
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.tracking import Store
from experiments.tracking.references import model_params, version_trained_with
from experiments.tracking.registry import registered_name, trained_names, version_uri
from experiments.training import DivergedError
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.transfer.adaptation.adaptation import adapt_and_predict
from experiments.transfer.alignments import ALIGNMENT_ORDER, DESKEW, DESKEWED_ALIGNMENTS, STROKE
from experiments.transfer.domain import Domain, is_corrupted, with_stroke_width
from experiments.transfer.domain_result import (
    AlignmentResult,
    DomainResult,
    MethodResult,
    corruption_accuracies,
    method_result,
    reported_alignment,
)
from experiments.transfer.feature_space import SharedMap, compared_indices, embed_domains, extract_features
from experiments.transfer.few_shot import SEEDS, FewShot, draw, learn
from experiments.transfer.predictions import mean_entropy, predict_sets
from experiments.transfer.robustness import BASELINE
from experiments.transfer.shift import Shift, shift
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer.tasks import SourceModel, TransferTask, digest_of, load_domain, load_source

if TYPE_CHECKING:
    import keras

    from experiments.workflows.transfer.run import TransferOptions

DESKEWED_NAME = "{}-deskewed"  # of a dataset

CachedStage = tuple[str, Mapping[str, Any], Callable[[ProgressCallback], Arrays]]
"""Arguments of `Cache.get_or_compute`."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything that was computed for a task.

    Attributes
    ----------
    shared_map
        Source and target on one map, if the model has features.
    skipped
        Parts that do not apply or diverged, with the reason.
    """

    result: DomainResult
    shared_map: SharedMap | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)


def measure_task(
    store: Store, task: TransferTask, options: "TransferOptions", progress: Progress, run_id: str
) -> Measured:
    """Compute everything that the options ask for.

    Parameters
    ----------
    run_id
        Parent run of a deskewed model that is trained.
    """
    source, skipped = task.source, dict[str, str]()
    predicted = predict(source.network, source.data.test)
    check_probabilities(predicted, source.reference.text)
    methods = {SOURCE_ONLY: _source_only(task)}
    baseline = _baseline(store, task, options.data_dir, progress)
    found_shift = shared_map = deskewed = few_shot = None
    alignments: tuple[AlignmentResult, ...] = ()
    with _skipping("features", source, skipped, progress):
        found_shift, shared_map = compare_domains(task)
    if ALIGN in options.adapt:
        with _skipping(DESKEW, source, skipped, progress):
            deskewed = deskewed_model(store, source, options.data_dir, progress, run_id if options.retrain else None)
        alignments = measure_alignments(task, deskewed, options.data_dir, progress)
        methods[ALIGN] = reported_alignment(alignments).result
    if options.few_shot:
        with _skipping("few-shot", source, skipped, progress):
            stages = few_shot_stages(store, task, options.few_shot)
            arrays = [*starmap(task.cache.get_or_compute, stages)]
            few_shot = _few_shot(task, options.few_shot, arrays, methods[SOURCE_ONLY])
    for method in options.methods:
        with _skipping(method, source, skipped, progress):
            methods[method] = _adapted(task, method)
    source_metrics = measure(source.data.test.labels, predicted)
    about = (source.reference.label, source.name, source.data.name, task.target, source_metrics)
    return Measured(DomainResult(*about, methods, alignments, found_shift, few_shot, baseline), shared_map, skipped)


@contextmanager
def _skipping(part: str, source: SourceModel, skipped: dict[str, str], progress: Progress) -> Iterator[None]:
    """Skip a part that does not apply to the model or diverges, and log the reason."""
    try:
        yield
    except (UsageError, DivergedError) as error:
        skipped[part] = str(error)
        failed = "diverged on" if isinstance(error, DivergedError) else "is skipped for"
        progress.log(f"{part} {failed} {source.name}: {error}")


def _source_only(task: TransferTask) -> MethodResult:
    compute = partial(predict_sets, task.source.network, {"probabilities": task.target.images})
    arrays = task.cache.get_or_compute("predictions", {}, compute)
    return method_result(task.target, arrays["probabilities"], float(arrays["seconds"]))


def adapted_arrays(task: TransferTask, method: str) -> Arrays:
    """Adapt the model by a method; see `adapt_and_predict`.

    Raises
    ------
    UsageError
        If the method does not apply to the model.
    DivergedError
        If it diverges.
    """
    adaptation, target = ADAPTATIONS[method], task.target
    compute = partial(
        adapt_and_predict, adaptation.adapt, task.source.network, target.unlabelled, target.images, task.seed
    )
    return task.cache.get_or_compute(method, {"seed": task.seed, **adaptation.settings}, compute)


def adapted_model(task: TransferTask, method: str) -> "keras.Model":
    """Build the model adapted by a method."""
    import keras

    arrays = adapted_arrays(task, method)
    model = keras.models.clone_model(task.source.network)
    model.set_weights([arrays[name] for name in sorted(arrays) if name.startswith("weight/")])
    return model


def _adapted(task: TransferTask, method: str) -> MethodResult:
    arrays = adapted_arrays(task, method)
    curve = {
        name.removeprefix("curve/"): tuple(values.tolist())
        for name, values in arrays.items()
        if name.startswith("curve/")
    }
    return method_result(task.target, arrays["probabilities"], float(arrays["adapting"]), curve)


def deskewed_model(
    store: Store, source: SourceModel, data_dir: Path | None, progress: Progress, parent: str | None
) -> SourceModel:
    """Return the model trained with the same recipe and seed on the deskewed source.

    Parameters
    ----------
    parent
        Parent run of a training if no such model is registered; None trains nothing.

    Raises
    ------
    UsageError
        If the model is a bare file, its data has no deskewed form, or no such model is registered and none is to be
        trained.
    """
    if source.alignment == DESKEW:
        return source
    name = DESKEWED_NAME.format(source.data.name)
    if name not in datasets.DERIVED:
        raise UsageError(f"there is no dataset {name} to train a model on")
    params = model_params(store, source.reference)
    limit = int(params["limit"]) if params.get("limit", "none") != "none" else None
    recipe = source.recipe(store).params()
    same = {**recipe, "limit": params.get("limit", "none")}
    reference = version_trained_with(store, registered_name(name, source.architecture.name), same)
    if reference is None and parent is None:
        raise UsageError(f"no model trained on {name} with the same recipe is registered; --retrain trains one")
    if reference is None:
        trained = train(store, TrainOptions(source.architecture.name, name, data_dir, recipe, limit), progress, parent)
        reference = tracking.resolve_reference(store, version_uri(trained.registered_model, trained.version))
    return load_source(store, reference, data_dir, progress)


def measure_alignments(
    task: TransferTask, deskewed: SourceModel | None, data_dir: Path | None, progress: Progress
) -> tuple[AlignmentResult, ...]:
    """Measure the model on the target under each alignment, in order.

    From ``deskew`` on the deskewed model is used; without one these alignments are left out, as are alignments that
    leave all images as an earlier one did.
    """
    found: list[AlignmentResult] = []
    seen: set[tuple[str, bytes]] = set()
    for alignment in ALIGNMENT_ORDER:
        model = deskewed if alignment in DESKEWED_ALIGNMENTS else task.source
        if model is None:
            continue
        aligned = _aligned(task, model, alignment, data_dir, progress)
        if (content := (model.folder.name, aligned.images.tobytes())) in seen:
            continue
        seen.add(content)
        compute = partial(
            predict_sets, model.network, {"probabilities": aligned.images, "unlabelled": aligned.unlabelled}
        )
        parameters = {"model": model.folder.name, "images": digest_of(aligned.unlabelled, aligned.images)}
        arrays = task.cache.get_or_compute(f"align {alignment}", parameters, compute)
        result = method_result(task.target, arrays["probabilities"], float(arrays["seconds"]))
        found.append(AlignmentResult(alignment, model.name, mean_entropy(arrays["unlabelled"]), result))
    return tuple(found)


def _aligned(
    task: TransferTask, model: SourceModel, alignment: str, data_dir: Path | None, progress: Progress
) -> Domain:
    """Load the target with an alignment."""
    name = task.data.name if task.data.name in datasets.DATASET_NAMES else task.data.source
    domain, _ = load_domain(name, DESKEW if alignment == STROKE else alignment, data_dir, progress)
    if alignment != STROKE:
        return domain
    return with_stroke_width(domain, float(np.median(stroke_width(model.data.train.images))))


def few_shot_stages(store: Store, task: TransferTask, per_class: Sequence[int | None]) -> list[CachedStage]:
    """Return the cached stages of few-shot learning: for each number of labelled images, one per seed.

    Raises
    ------
    UsageError
        If the model is a bare file, or the target has no labelled training images of its own.
    """
    source, data = task.source, task.data
    if not isinstance(data, Dataset):
        raise UsageError(f"few-shot learning needs labels, and the training images of {data.source} have none")
    if is_corrupted(data):
        raise UsageError(f"the training images of {data.name} are not corrupted: there is nothing new to learn")
    network, recipe, weights = source.architecture, source.recipe(store), source.network.get_weights()
    labels = digest_of(data.train.labels, data.test.labels)
    parameters = {"labels": labels, "network": code_version(network.build), **recipe.params()}
    return [
        (
            f"few-shot {k or 'all'} seed {seed}",
            parameters,
            partial(learn, network, recipe, weights, draw(data.train, k, seed), data.test, seed),
        )
        for k, seed in product(per_class, range(SEEDS))
    ]


def _few_shot(
    task: TransferTask, per_class: Sequence[int | None], arrays: Sequence[Arrays], plain: MethodResult
) -> FewShot:
    accuracies = np.array([one["accuracies"] for one in arrays]).reshape(len(per_class), -1, 2)
    assert isinstance(task.data, Dataset)  # noqa: S101 - checked by few_shot_stages
    images = tuple(len(draw(task.data.train, k, 0)) for k in per_class)
    zero_shot = plain.metrics.accuracy if plain.metrics else float("nan")
    return FewShot(tuple(per_class), images, accuracies[..., 0], accuracies[..., 1], zero_shot)


def _baseline(store: Store, task: TransferTask, data_dir: Path | None, progress: Progress) -> dict[str, float]:
    """Compute the baseline's accuracy under each corruption; empty without corruptions or without the baseline."""
    target, name = task.target, registered_name(task.source.data.name, BASELINE)
    if target.variants == 1 or target.labels is None:
        return {}
    if name not in trained_names(store, BASELINE):
        progress.log(f"no mean corruption error: it is relative to {name}, which has not been trained")
        return {}
    baseline = load_source(store, tracking.resolve_reference(store, name), data_dir, progress)
    cache = Cache(baseline.folder / task.cache.folder.name, task.cache.stages)
    arrays = cache.get_or_compute(
        "baseline", {}, partial(predict_sets, baseline.network, {"probabilities": target.images})
    )
    return corruption_accuracies(target.labels, arrays["probabilities"])


def compare_domains(task: TransferTask) -> tuple[Shift, SharedMap]:
    """Measure the shift between the domains in the model's feature space, and embed the target in the source's map.

    Raises
    ------
    UsageError
        If the model has no features, or the target a single image.
    """
    source, target = task.source, task.target
    if len(target.images) < 2:
        raise UsageError(f"{target.name} has a single image, and a shift needs several")
    extractor = analysis.feature_extractor(source.network, source.name)
    test, (mine, theirs) = source.data.test, compared_indices(source.data.test, target)
    labels = None if target.labels is None else target.labels[theirs]
    with task.cache.stages("shift"):
        here, there = extract_features(extractor, test.images[mine]), extract_features(extractor, target.images[theirs])
        analysis.check_features(here, source.name)
        found = shift(here, there, test.labels[mine], labels, task.seed)
    arrays = task.cache.get_or_compute("map", {"variants": target.variants}, partial(embed_domains, here, there))
    return found, SharedMap(arrays["source"], test.labels[mine], arrays["target"], theirs)
