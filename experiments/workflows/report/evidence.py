"""What the tracking store knows of the networks: for each its runs, the latest of each kind that ended well."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from experiments import tracking
from experiments.tracking import PastRun, Store
from experiments.tracking.registry import BestVersion, best_versions

PUBLISHED = ("mnist", "usps", "uci")  # come first, in this order


@dataclass(frozen=True)
class Network:
    """A registered model's best version, and the runs about it.

    Attributes
    ----------
    version, training
        The version, and the run that made it.
    evaluation, analysis
        The latest on the data that it was trained on, if there are any.
    transfers
        By target domain, the latest first: one run may have tried what another has not.
    """

    version: BestVersion
    training: PastRun
    evaluation: PastRun | None
    analysis: PastRun | None
    transfers: Mapping[str, tuple[PastRun, ...]]

    @property
    def name(self) -> str:
        """The name of its architecture."""
        return self.version.architecture

    @property
    def text(self) -> str:
        """What the other commands call it."""
        return f"{self.version.registered_model} v{self.version.version}"


@dataclass(frozen=True)
class Member:
    """A network of an ensemble, called as its version is: the run that made it, if it is known, and its latest test."""

    text: str
    training: PastRun | None
    evaluation: PastRun


@dataclass(frozen=True)
class Evidence:
    """All that a report tells of networks trained on one set of data.

    Attributes
    ----------
    comparison
        The evaluation of the most of them beside each other.
    ensembles
        The latest evaluation of each set of members together.
    members
        Of these ensembles, each once.
    contrast
        The analysis of several networks beside each other.
    transfers
        By target domains, the comparisons of networks in them: of the most networks first, then what has others.
    searches
        The latest of each study.
    """

    dataset: str
    networks: tuple[Network, ...]
    comparison: PastRun | None
    ensembles: tuple[PastRun, ...]
    members: tuple[Member, ...]
    contrast: PastRun | None
    transfers: Mapping[str, tuple[PastRun, ...]]
    searches: tuple[PastRun, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The domains that its networks were used in, other digits before corrupted ones."""
        named = dict.fromkeys(target for network in self.networks for target in network.transfers)
        return tuple(sorted(named, key=lambda target: (self.corrupts(target), target)))

    def corrupts(self, target: str) -> bool:
        """Return whether a domain is this data's own digits under corruptions."""
        return target == f"{self.dataset}-c"


def gather(store: Store) -> tuple[Evidence, ...]:
    """Return what there is to tell of each set of data that networks were trained on."""
    evaluations, analyses = tracking.past_runs(store, "evaluate"), tracking.past_runs(store, "analyze")
    transfers, searches = tracking.past_runs(store, "transfer"), tracking.past_runs(store, "tune")
    trainings = {run.id: run for run in tracking.past_runs(store, "train")}
    networks = _networks(store, trainings, evaluations, analyses, transfers)
    names = dict.fromkeys(network.version.dataset for network in networks)
    searched = dict.fromkeys(name for run in searches if (name := run.tags.get("digits.dataset")))
    order = [name for name in PUBLISHED if name in names | searched]
    return tuple(
        _evidence(
            dataset,
            tuple(network for network in networks if network.version.dataset == dataset),
            trainings,
            *(_of(runs, dataset) for runs in (evaluations, analyses, transfers, searches)),
        )
        for dataset in dict.fromkeys([*order, *names, *searched])
    )


def _evidence(
    dataset: str,
    networks: tuple[Network, ...],
    trainings: Mapping[str, PastRun],
    evaluations: Sequence[PastRun],
    analyses: Sequence[PastRun],
    transfers: Sequence[PastRun],
    searches: Sequence[PastRun],
) -> Evidence:
    shown = {network.text for network in networks}
    ensembles = _by_members(evaluations)
    return Evidence(
        dataset=dataset,
        networks=networks,
        comparison=next(iter(_covering(evaluations, "versions", shown)), None),
        ensembles=ensembles,
        members=_members(ensembles, evaluations, trainings),
        contrast=_most(analyses),
        transfers=_by_target(transfers, shown),
        searches=_by_study(searches),
    )


def _networks(
    store: Store,
    trainings: Mapping[str, PastRun],
    evaluations: Iterable[PastRun],
    analyses: Iterable[PastRun],
    transfers: Iterable[PastRun],
) -> list[Network]:
    """Return the best versions that were trained in this experiment, the smallest dataset's name first."""
    found = []
    for version in best_versions(store):
        if version.run_id not in trainings:
            continue
        own = [run for run in transfers if run.parent == version.run_id]
        targets = dict.fromkeys(run.tags.get("digits.target", "") for run in own)
        found.append(
            Network(
                version,
                trainings[version.run_id],
                evaluation=next(iter(_under(evaluations, version)), None),
                analysis=_fullest(_under(analyses, version)),
                transfers={
                    target: tuple(run for run in own if run.tags.get("digits.target") == target) for target in targets
                },
            )
        )
    return found


def _under(runs: Iterable[PastRun], version: BestVersion) -> list[PastRun]:
    """Return the runs about a version on the data that it was trained on."""
    return [run for run in _of(runs, version.dataset) if run.parent == version.run_id]


def _fullest(analyses: Iterable[PastRun]) -> PastRun | None:
    """Return the analysis of the most digits, in three dimensions rather than two, the latest of equals."""
    return max(analyses, key=lambda run: (int(run.params["digits"]), int(run.params["components"])), default=None)


def _of(runs: Iterable[PastRun], dataset: str) -> list[PastRun]:
    return [run for run in runs if run.tags.get("digits.dataset") == dataset]


def _most(analyses: Iterable[PastRun]) -> PastRun | None:
    """Return the run that compares the most networks, the latest of equals; None where none compares any."""
    comparing = [run for run in analyses if "models" in run.params]
    return max(comparing, key=lambda run: len(run.params["models"].split(", ")), default=None)


def _covering(runs: Sequence[PastRun], param: str, shown: Set[str]) -> tuple[PastRun, ...]:
    """Return comparisons that have all of the shown networks that any has.

    That of the most networks comes first, the latest of equals; those that add none are left out.

    Parameters
    ----------
    param
        Of the comparisons, that names their networks.
    shown
        The networks that the report is about, as `Network.text`.
    """
    has = {run.id: shown & set(run.params[param].split(", ")) for run in runs if param in run.params}
    chosen: list[PastRun] = []
    known: set[str] = set()
    for run in sorted((run for run in runs if run.id in has), key=lambda run: -len(has[run.id])):
        if not has[run.id] <= known:
            chosen.append(run)
            known |= has[run.id]
    return tuple(chosen)


def _by_members(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    latest: dict[str, PastRun] = {}
    for run in runs:
        if "members" in run.params:
            latest.setdefault(run.params["members"], run)
    return tuple(latest.values())


def _members(
    ensembles: Iterable[PastRun], evaluations: Iterable[PastRun], trainings: Mapping[str, PastRun]
) -> tuple[Member, ...]:
    latest: dict[str, PastRun] = {}
    for run in evaluations:
        latest.setdefault(run.params.get("model", ""), run)
    names = dict.fromkeys(name for run in ensembles for name in run.params["members"].split(", "))
    return tuple(
        Member(name, trainings.get(latest[name].parent or ""), latest[name]) for name in names if name in latest
    )


def _by_target(runs: Sequence[PastRun], shown: Set[str]) -> dict[str, tuple[PastRun, ...]]:
    comparing = [run for run in runs if "targets" in run.params]
    targets = dict.fromkeys(run.params["targets"] for run in comparing)
    return {
        target: _covering([run for run in comparing if run.params["targets"] == target], "models", shown)
        for target in targets
    }


def _by_study(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    """Return the latest search of each study, and of each network in a suite: every suite has studies of its own."""
    latest: dict[tuple[str, ...], PastRun] = {}
    for run in runs:
        study = run.tags.get("digits.study", run.id)
        latest.setdefault(("suite", run.tags.get("digits.model", "")) if run.parent else (study,), run)
    return tuple(latest.values())
