"""Use trained networks in domains they have never seen, and mend what can be mended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from experiments import analysis, evaluation, tracking, transfer
from experiments.analysis import Section
from experiments.errors import UsageError, unknown
from experiments.evaluation.arguments import check_probabilities
from experiments.execution.cache import Stages
from experiments.execution.progress import Progress
from experiments.execution.resume import ResumeState, resume_state
from experiments.models.prediction import predict
from experiments.tracking import Reference, RegisteredVersion, Run, Store
from experiments.training import DivergedError, require_tensorflow
from experiments.transfer import Findings, Outcome
from experiments.workflows.transfer import record
from experiments.workflows.transfer.domains import DESKEW, Source, check_new, digest_of, source, target
from experiments.workflows.transfer.numbers import details, ladder_rows, numbers
from experiments.workflows.transfer.pipeline import (
    ALIGN,
    NONE,
    WAYS,
    Pair,
    Placed,
    adapted,
    baseline,
    compared,
    few_shot,
    ladder,
    twin,
    unadapted,
)


@dataclass(frozen=True)
class TransferOptions:
    """What to measure and what to try.

    Attributes
    ----------
    targets
        Domains, each as `experiments.datasets.load_target` takes it.
    adapt
        Of `WAYS`; ``none`` is always done.
    few_shot
        Labelled digits of each class to fine-tune on; None for all. Empty: not tried.
    seed
        Of the adaptations.
    retrain
        Whether ``align`` may train a network once more, on deskewed digits, where no such network is registered;
        else its ladder ends before, at the digits fitted to the box.
    register
        Whether adapted networks are registered as versions of ``<target>-<model>``.
    data_dir
        As for `experiments.datasets.load`.

    Raises
    ------
    UsageError
        For no target, an unknown way, a method without TensorFlow, numbers below 1, or `register` without a method.
    """

    targets: tuple[str, ...]
    adapt: tuple[str, ...] = (NONE,)
    few_shot: tuple[int | None, ...] = ()
    seed: int = 0
    register: bool = False
    data_dir: Path | None = None
    retrain: bool = True

    def __post_init__(self) -> None:
        if not self.targets:
            raise UsageError("name at least one target")
        for way in self.adapt:
            if way not in WAYS:
                raise unknown("method", way, WAYS)
        if self.methods:
            require_tensorflow(f"adapting a network without labels ({self.methods[0]})")
        if any(k is not None and k < 1 for k in self.few_shot):
            raise UsageError("few-shot needs at least 1 labelled digit of each class")
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"seed must be in [0, 2**31), received {self.seed}")
        if self.register and not self.methods:
            raise UsageError(f"--register keeps an adapted network; choose a method: {', '.join(transfer.ADAPTATIONS)}")

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of adaptation among the ways, each once, in the order they are listed in."""
        return tuple(way for way in transfer.ADAPTATIONS if way in self.adapt)


@dataclass(frozen=True)
class TransferResult:
    """What became of each network in each target domain.

    Attributes
    ----------
    run_id
        The comparison's run where there are several pairs, else the pair's.
    results
        For each network, target and way: `model`, `source`, `target`, `adapt`, `accuracy` with its 95 % interval,
        `n`, `seconds`, `macro_f1`, `ece`, `source_accuracy`, `run_id`; ``align`` has the rungs of its ladder, an
        adaptation its `registered_model` and `version`, if it was registered. What labels are needed for is null
        where there are none.
    few_shot
        For each network and target and number of labelled digits, the accuracies of all seeds.
    skipped
        Methods that do not apply, with the reason.
    discussion
        What the numbers say: a paragraph on each network, then one on several, under a line each.
    """

    run_id: str
    results: tuple[Mapping[str, Any], ...]
    few_shot: tuple[Mapping[str, Any], ...]
    skipped: tuple[Mapping[str, Any], ...]
    discussion: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Done:
    """One pair, done: where it is recorded, and all that the comparison and the result need."""

    run_id: str
    findings: Findings
    versions: Mapping[str, RegisteredVersion]
    skipped: Mapping[str, str]
    sections: tuple[Section, ...]


def transfer_networks(
    store: Store,
    models: Sequence[str],
    options: TransferOptions,
    progress: Progress | None = None,
    parent: str | None = None,
) -> TransferResult:
    """Measure each network in each target domain, do what was asked for to mend it, and compare.

    Parameters
    ----------
    models
        References, as `experiments.tracking.resolve_reference` takes them.
    parent
        Id of the run that a comparison belongs under; what concerns one network belongs under its training.

    Raises
    ------
    UsageError
        For a target that is the network's own data, or a network that does not recognise digits.
    DigitsError
        When a reference or data does not exist.
    """
    progress = progress or Progress()
    references = tracking.resolve_references(store, {name: name for name in models}, progress.log)
    _check_registrable(references.values(), options)
    homes = [source(store, reference, options.data_dir, progress) for reference in _different(references.values())]
    pairs = _pairs(homes, options, progress)
    _check_names(pairs)
    done = [_transfer(store, pair, options, progress, parent) for pair in pairs]
    if len(done) == 1:
        return _result(done[0].run_id, done, done[0].sections)
    findings = [passage.findings for passage in done]
    with tracking.open_run(store, "transfer", record.comparison_name(findings), parent=parent, tags=_tags(done)) as run:
        sections = record.record_comparison(run, findings)
        run.log_json([passage.run_id for passage in done], "transfers.json")
    return _result(run.id, done, sections)


def _check_registrable(references: Iterable[Reference], options: TransferOptions) -> None:
    """Refuse to register what comes from a bare file, which does not tell its architecture.

    Raises
    ------
    UsageError
        Naming the file.
    """
    for reference in references:
        if options.register and reference.architecture is None:
            raise UsageError(f"{reference.text} does not tell what to register it as; name a registered model")


def _different(references: Iterable[Reference]) -> list[Reference]:
    """Return the references without those to a network that another is to."""
    return list({reference.location: reference for reference in references}.values())


def _check_names(pairs: Sequence[Pair]) -> None:
    """Refuse networks and targets that could not be told apart.

    Raises
    ------
    UsageError
        Naming what two of them are called.
    """
    networks = {pair.home.name: pair.home.reference.location for pair in pairs}
    targets = {pair.target.name: pair.data.source for pair in pairs}
    for pair in pairs:
        if networks[pair.home.name] != pair.home.reference.location:
            raise UsageError(f"two of the networks are called {pair.home.name}: rename a file")
        if targets[pair.target.name] != pair.data.source:
            raise UsageError(f"two of the targets are called {pair.target.name}: rename a folder")


def _pairs(homes: Sequence[Source], options: TransferOptions, progress: Progress) -> list[Pair]:
    """Return each network with each target, which is loaded once for all networks that need it alike."""
    names, alignments = dict.fromkeys(options.targets), dict.fromkeys(home.alignment for home in homes)
    loaded = {(name, how): target(name, how, options.data_dir, progress) for name, how in product(names, alignments)}
    pairs = []
    for home, name in product(homes, names):
        where, data = loaded[name, home.alignment]
        check_new(home, name, data)
        folder = home.folder / f"transfer-{digest_of(where.unlabelled, where.images)}"
        pairs.append(Pair(home, where, data, folder, Stages(progress, f"{home.name} on {where.name}"), options.seed))
    return pairs


def _transfer(store: Store, pair: Pair, options: TransferOptions, progress: Progress, parent: str | None) -> _Done:
    """Do all that was asked for one network in one domain, in a run of its own."""
    home, where = pair.home, pair.target
    name = f"{home.reference.architecture or home.name} on {where.name}"
    tags = {
        "digits.model": home.reference.architecture or home.name,
        "digits.dataset": home.data.name,
        "digits.target": where.name,
        "digits.data_digest": pair.data.digest,
    }
    identity = {"pair": str(pair.folder), "adapt": options.adapt, "few_shot": options.few_shot, "seed": options.seed}
    identity |= {"retrain": options.retrain}
    with (
        resume_state(store, f"transfer {name}", {**identity, "register": options.register}) as saved,
        tracking.open_run(
            store,
            "transfer",
            f"transfer {name}",
            parent=home.reference.run_id or parent,
            tags=tags,
            resume=saved.load("run"),
        ) as run,
    ):
        saved.save("run", run.id)
        run.log_dataset(where.name, pair.data.source, pair.data.digest, "target", len(where.images))
        run.log_dataset(home.data.name, home.data.source, home.data.digest, "source", len(home.data.test))
        if home.reference.model_id:
            run.log_used_model(home.reference.model_id)
        skipped: dict[str, str] = {}
        findings, placed = _findings(store, pair, options, progress, run.id, skipped)
        versions: dict[str, RegisteredVersion] = {}
        for method in options.methods:
            with _applying(method, pair, skipped, progress):
                found, network = adapted(pair, method)
                findings = replace(findings, outcomes={**findings.outcomes, method: found})
                with _method_run(store, pair, method, run.id, saved) as one:
                    record.record_method(one, findings, method, pair.seed)
                    if options.register:
                        versions[method] = record.register_adapted(one, pair, method, network)
        sections = record.record_pair(run, pair, findings, placed, skipped)
        run.log_metrics({f"seconds/{stage}": seconds for stage, seconds in pair.stages.seconds.items()})
    return _Done(run.id, findings, versions, skipped, sections)


def _findings(
    store: Store, pair: Pair, options: TransferOptions, progress: Progress, run_id: str, skipped: dict[str, str]
) -> tuple[Findings, Placed | None]:
    """Return what is found without changing the network, and the map with the target's digits on it."""
    home = pair.home
    at_home = predict(home.network, home.data.test)
    check_probabilities(at_home, home.reference.text)
    plain = unadapted(pair)
    found = Findings(
        home.name, home.data.name, pair.target, evaluation.measure(home.data.test.labels, at_home), {NONE: plain}
    )
    found = replace(found, baseline=baseline(store, pair, options.data_dir, progress))
    placed = None
    with _applying("features", pair, skipped, progress):
        shift, placed = compared(pair)
        found = replace(found, shift=shift)
    if ALIGN in options.adapt:
        deskewed = None
        with _applying(DESKEW, pair, skipped, progress):
            deskewed = twin(store, home, options.data_dir, progress, run_id if options.retrain else None)
        rungs = ladder(pair, deskewed, options.data_dir, progress)
        aligned = transfer.fixed_rung(rungs).outcome
        found = replace(found, ladder=rungs, outcomes={**found.outcomes, ALIGN: aligned})
    if options.few_shot:
        with _applying("few-shot", pair, skipped, progress):
            accuracy = plain.metrics.accuracy if plain.metrics else float("nan")
            found = replace(found, few_shot=few_shot(pair, store, options.few_shot, accuracy))
    return found, placed


@contextmanager
def _applying(what: str, pair: Pair, skipped: dict[str, str], progress: Progress) -> Iterator[None]:
    """Let a method that does not apply to the network, or does not converge, be left out with a line that says why."""
    try:
        yield
    except (UsageError, DivergedError) as error:
        skipped[what] = str(error)
        failed = "diverged on" if isinstance(error, DivergedError) else "does not apply to"
        progress.log(f"{what} {failed} {pair.home.name}: {error}")


@contextmanager
def _method_run(store: Store, pair: Pair, method: str, parent: str, saved: ResumeState) -> Iterator[Run]:
    """Open the run of one adaptation, the same one after an interruption."""
    model = pair.home.reference.architecture or pair.home.name
    tags = {"digits.model": model, "digits.dataset": pair.home.data.name, "digits.target": pair.target.name}
    name = f"{method}: {model} on {pair.target.name}"
    resume = saved.load(f"run-{method}")
    with tracking.open_run(store, "transfer", name, parent=parent, tags=tags, resume=resume) as run:
        saved.save(f"run-{method}", run.id)
        yield run


def _tags(done: Sequence[_Done]) -> dict[str, str]:
    findings = [passage.findings for passage in done]
    return {
        "digits.model": ", ".join(dict.fromkeys(one.name for one in findings)),
        "digits.dataset": ", ".join(dict.fromkeys(one.source for one in findings)),
        "digits.target": ", ".join(dict.fromkeys(one.target.name for one in findings)),
    }


def _result(run_id: str, done: Sequence[_Done], sections: Sequence[Section]) -> TransferResult:
    rows = [_row(passage, way, found) for passage in done for way, found in passage.findings.outcomes.items()]
    few = [
        {
            "model": passage.findings.name,
            "source": passage.findings.source,
            "target": passage.findings.target.name,
            "per_class": k,
            "digits": digits,
            "fine_tuned": fine_tuned.tolist(),
            "scratch": scratch.tolist(),
        }
        for passage in done
        if (shots := passage.findings.few_shot)
        for k, digits, fine_tuned, scratch in zip(
            shots.per_class, shots.digits, shots.fine_tuned, shots.scratch, strict=True
        )
    ]
    skipped = [
        {"model": passage.findings.name, "target": passage.findings.target.name, "adapt": way, "reason": reason}
        for passage in done
        for way, reason in passage.skipped.items()
    ]
    return TransferResult(run_id, tuple(rows), tuple(few), tuple(skipped), analysis.as_text(sections))


def _row(passage: _Done, way: str, found: Outcome) -> dict[str, Any]:
    findings, version = passage.findings, passage.versions.get(way)
    row: dict[str, Any] = {
        "model": findings.name,
        "source": findings.source,
        "target": findings.target.name,
        "adapt": way,
        **numbers(findings.target, found),
        "n": len(findings.target.images),
        "seconds": found.seconds,
        "source_accuracy": findings.at_home.accuracy,
        "run_id": passage.run_id,
    }
    if way == ALIGN:
        row["alignment"] = transfer.fixed_rung(findings.ladder).alignment
        row["ladder"] = ladder_rows(findings)
    if way == NONE:
        row |= details(findings)
    if version:
        row |= {"registered_model": version.registered_model, "version": version.version}
    return row
