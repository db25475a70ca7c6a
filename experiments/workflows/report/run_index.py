"""The runs of the tracking store by dataset and network: the latest successful run of each kind."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from experiments import tracking
from experiments.datasets.published import PUBLISHED
from experiments.results import tuned_label
from experiments.tracking import PastRun, Store
from experiments.tracking.registry import BestVersion, best_versions, version_text
from experiments.tracking.runs import Kind
from experiments.tracking.tags import DATASET, MODEL, RESULTS_VERSION, STUDY, TARGET

NAMED = 5  # runs in a message
VERSION = re.compile(r"(?P<name>\S+) v(?P<version>\d+)")
KINDS: tuple[Kind, ...] = ("train", "evaluate", "analyze", "transfer", "tune")


@dataclass(frozen=True)
class NetworkRuns:
    """The best version of a registered model and its runs.

    Attributes
    ----------
    version, training
        The version, and the run that trained it.
    evaluation, analysis
        The latest runs on its training dataset, or None.
    transfers
        Runs by target domain, the latest first. They may have tried different methods.
    """

    version: BestVersion
    training: PastRun
    evaluation: PastRun | None
    analysis: PastRun | None
    transfers: Mapping[str, tuple[PastRun, ...]]

    @property
    def runs(self) -> tuple[PastRun, ...]:
        """All its runs."""
        own = (self.training, self.evaluation, self.analysis)
        return (*(run for run in own if run), *(run for tried in self.transfers.values() for run in tried))

    @property
    def architecture(self) -> str:
        """The name of its architecture."""
        return self.version.architecture

    @property
    def label(self) -> str:
        """Its name in tables and captions."""
        return network_label(self.version.architecture, self.training)

    @property
    def text(self) -> str:
        """Its version as other commands record it: ``mnist-lenet v3``."""
        return version_text(self.version.registered_model, self.version.version)


@dataclass(frozen=True)
class MemberRuns:
    """A member of an ensemble: its version, the run that trained it if known, and its latest evaluation."""

    text: str
    training: PastRun | None
    evaluation: PastRun

    @property
    def label(self) -> str:
        """Its name in tables."""
        return network_label(self.evaluation.tags.get(MODEL, self.text), self.training)


@dataclass(frozen=True)
class RunIndex:
    """The runs of a report about networks trained on one dataset.

    Attributes
    ----------
    comparison
        The evaluation that compares the most networks.
    ensembles
        The latest evaluation of each ensemble.
    members
        The distinct members of these ensembles.
    analysis_comparison
        The analysis that compares the most networks.
    transfer_comparisons
        Comparisons by target domains, that of the most networks first; each adds networks to those before.
    searches
        The latest run of each study.
    """

    dataset: str
    networks: tuple[NetworkRuns, ...]
    comparison: PastRun | None
    ensembles: tuple[PastRun, ...]
    members: tuple[MemberRuns, ...]
    analysis_comparison: PastRun | None
    transfer_comparisons: Mapping[str, tuple[PastRun, ...]]
    searches: tuple[PastRun, ...]

    @property
    def runs(self) -> tuple[PastRun, ...]:
        """All runs of the index; some occur more than once."""
        members = (run for member in self.members for run in (member.training, member.evaluation) if run)
        comparisons = (run for runs in self.transfer_comparisons.values() for run in runs)
        single = (run for run in (self.comparison, self.analysis_comparison) if run)
        networks = (run for network in self.networks for run in network.runs)
        return (*networks, *single, *self.ensembles, *members, *comparisons, *self.searches)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target domains of its networks, with the corrupted dataset last."""
        named = dict.fromkeys(target for network in self.networks for target in network.transfers)
        return tuple(sorted(named, key=lambda target: (self.is_corrupted(target), target)))

    def is_corrupted(self, target: str) -> bool:
        """Return whether a target is the corrupted version of this dataset."""
        return target == f"{self.dataset}-c"


@dataclass(frozen=True)
class _Runs:
    """The runs by kind. `outdated` are those without a table of results that have not been repeated since."""

    trainings: Mapping[str, PastRun]
    evaluations: Sequence[PastRun]
    analyses: Sequence[PastRun]
    transfers: Sequence[PastRun]
    searches: Sequence[PastRun]
    outdated: tuple[PastRun, ...]


def index_runs(store: Store, until: datetime | None = None) -> tuple[tuple[RunIndex, ...], tuple[PastRun, ...]]:
    """Return the index of each training dataset, and the runs of older versions, which are left out.

    Parameters
    ----------
    until
        Leave out runs that ended later.
    """
    runs = _read(store, until)
    networks = _networks(store, runs)
    names = dict.fromkeys(network.version.dataset for network in networks)
    searched = dict.fromkeys(name for run in runs.searches if (name := run.tags.get(DATASET)))
    order = [name for name in PUBLISHED if name in names | searched]
    indices = (_index(dataset, networks, runs) for dataset in dict.fromkeys([*order, *names, *searched]))
    return tuple(indices), runs.outdated


def network_label(architecture: str, training: PastRun | None) -> str:
    """Return the name of a network in tables: a tuned one is ``NAME (tuned)``."""
    return tuned_label(architecture) if training and training.tuned else architecture


def named_runs(what: str, runs: Iterable[PastRun]) -> str:
    """Name runs in one line, with the commands that make them again; empty if there are none."""
    runs = tuple(runs)
    if not runs:
        return ""
    names = [*dict.fromkeys(run.name for run in runs)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    commands = "; ".join(dict.fromkeys(map(repeat_command, runs)))
    return f"{what} ({', '.join(names[:NAMED])}{more}); make them again with: {commands}"


def repeat_command(run: PastRun) -> str:
    """Return the command that makes a run again.

    A suite would find that the step was done: for one of its evaluations, analyses and transfers of a single network it
    is the command of the step, else the suite has to do all steps again.
    """
    if not run.command.startswith("digits run"):
        return run.command or f"digits {run.kind}"
    model = VERSION.fullmatch(run.params.get("model", ""))
    if model and run.kind in {"evaluate", "analyze", "transfer"}:
        target = f" --target {run.tags[TARGET]}" if TARGET in run.tags else ""
        return f"digits {run.kind} --model models:/{model['name']}/{model['version']}{target}"
    return f"{run.command} --again"


def _read(store: Store, until: datetime | None) -> _Runs:
    found: dict[Kind, list[PastRun]] = {
        kind: [run for run in tracking.past_runs(store, kind) if until is None or (run.ended and run.ended <= until)]
        for kind in KINDS
    }
    trained = {run.id for run in found["train"]}
    # Below a transfer run there is a run for each adaptation method, which the report does not read.
    found["transfer"] = [run for run in found["transfer"] if run.parent in trained or "targets" in run.params]
    current = {kind: [run for run in runs if RESULTS_VERSION in run.tags] for kind, runs in found.items()}
    repeated = {(run.kind, run.name) for runs in current.values() for run in runs}
    return _Runs(
        trainings={run.id: run for run in current["train"]},
        evaluations=current["evaluate"],
        analyses=current["analyze"],
        transfers=current["transfer"],
        searches=current["tune"],
        outdated=tuple(
            run
            for runs in found.values()
            for run in runs
            if RESULTS_VERSION not in run.tags and (run.kind, run.name) not in repeated
        ),
    )


def _index(dataset: str, networks: Iterable[NetworkRuns], runs: _Runs) -> RunIndex:
    own = tuple(network for network in networks if network.version.dataset == dataset)
    shown = {network.text for network in own}
    evaluations = _of(runs.evaluations, dataset)
    ensembles = _latest_ensembles(evaluations)
    return RunIndex(
        dataset=dataset,
        networks=own,
        comparison=next(iter(_covering(evaluations, "versions", shown)), None),
        ensembles=ensembles,
        members=_members(ensembles, evaluations, runs.trainings),
        analysis_comparison=_largest_comparison(_of(runs.analyses, dataset)),
        transfer_comparisons=_by_targets(_of(runs.transfers, dataset), shown),
        searches=_latest_searches(_of(runs.searches, dataset)),
    )


def _networks(store: Store, runs: _Runs) -> list[NetworkRuns]:
    """Return the best versions that were trained in this experiment."""
    found = []
    for version in best_versions(store, runs.trainings):
        transfers: dict[str, list[PastRun]] = {}
        for run in runs.transfers:
            if run.parent == version.run_id:
                transfers.setdefault(run.tags.get(TARGET, ""), []).append(run)
        found.append(
            NetworkRuns(
                version,
                runs.trainings[version.run_id],
                evaluation=next(iter(_about(runs.evaluations, version)), None),
                analysis=_most_complete(_about(runs.analyses, version)),
                transfers={target: tuple(tried) for target, tried in transfers.items()},
            )
        )
    return found


def _about(runs: Iterable[PastRun], version: BestVersion) -> list[PastRun]:
    """Return the runs about a version on its training dataset."""
    return [run for run in _of(runs, version.dataset) if run.parent == version.run_id]


def _most_complete(analyses: Iterable[PastRun]) -> PastRun | None:
    """Return the analysis of the most digits, with three dimensions rather than two; the latest if several."""
    return max(analyses, key=lambda run: (int(run.params["digits"]), int(run.params["components"])), default=None)


def _of(runs: Iterable[PastRun], dataset: str) -> list[PastRun]:
    return [run for run in runs if run.tags.get(DATASET) == dataset]


def _largest_comparison(analyses: Iterable[PastRun]) -> PastRun | None:
    """Return the run that compares the most networks; the latest if several."""
    comparing = [run for run in analyses if "models" in run.params]
    return max(comparing, key=lambda run: len(run.params["models"].split(", ")), default=None)


def _covering(runs: Sequence[PastRun], param: str, shown: Set[str]) -> tuple[PastRun, ...]:
    """Return comparisons that together have all of the shown networks that any has.

    That of the most networks comes first, the latest if several; those that add none are left out.

    Parameters
    ----------
    param
        Parameter of a comparison that lists its networks.
    shown
        The networks of the report, as `NetworkRuns.text`.
    """
    has = {run.id: shown & set(run.params[param].split(", ")) for run in runs if param in run.params}
    chosen: list[PastRun] = []
    known: set[str] = set()
    for run in sorted((run for run in runs if run.id in has), key=lambda run: -len(has[run.id])):
        if not has[run.id] <= known:
            chosen.append(run)
            known |= has[run.id]
    return tuple(chosen)


def _latest_ensembles(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    latest: dict[str, PastRun] = {}
    for run in runs:
        if "members" in run.params:
            latest.setdefault(run.params["members"], run)
    return tuple(latest.values())


def _members(
    ensembles: Iterable[PastRun], evaluations: Iterable[PastRun], trainings: Mapping[str, PastRun]
) -> tuple[MemberRuns, ...]:
    latest: dict[str, PastRun] = {}
    for run in evaluations:
        latest.setdefault(run.params.get("model", ""), run)
    names = dict.fromkeys(name for run in ensembles for name in run.params["members"].split(", "))
    return tuple(
        MemberRuns(name, trainings.get(latest[name].parent or ""), latest[name]) for name in names if name in latest
    )


def _by_targets(runs: Sequence[PastRun], shown: Set[str]) -> dict[str, tuple[PastRun, ...]]:
    comparing = [run for run in runs if "targets" in run.params]
    targets = dict.fromkeys(run.params["targets"] for run in comparing)
    return {
        target: _covering([run for run in comparing if run.params["targets"] == target], "models", shown)
        for target in targets
    }


def _latest_searches(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    """Return the latest run of each study, and of each network within suites, as every suite has its own studies."""
    latest: dict[tuple[str, ...], PastRun] = {}
    for run in runs:
        study = run.tags.get(STUDY, run.id)
        latest.setdefault(("suite", run.tags.get(MODEL, "")) if run.parent else (study,), run)
    return tuple(latest.values())
