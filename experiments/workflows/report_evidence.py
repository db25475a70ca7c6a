"""What the tracking store knows of the networks: for each its runs, the latest of each kind that ended well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from experiments import tracking
from experiments.tracking import BestVersion, PastRun, Store

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
class Evidence:
    """All that a report tells of networks trained on one set of data.

    Attributes
    ----------
    comparison
        The evaluation of the most networks beside each other.
    ensembles
        The latest evaluation of each set of members together.
    contrast
        The analysis of several networks beside each other.
    transfers
        By target domains, the comparison of the most networks in them.
    searches
        The latest of each study.
    """

    dataset: str
    networks: tuple[Network, ...]
    comparison: PastRun | None
    ensembles: tuple[PastRun, ...]
    contrast: PastRun | None
    transfers: Mapping[str, PastRun]
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
    networks = _networks(store, evaluations, analyses, transfers)
    names = dict.fromkeys(network.version.dataset for network in networks)
    searched = dict.fromkeys(run.tags.get("digits.dataset", "") for run in searches)
    order = [name for name in PUBLISHED if name in names | searched]
    return tuple(
        Evidence(
            dataset=dataset,
            networks=tuple(network for network in networks if network.version.dataset == dataset),
            comparison=_most(_of(evaluations, dataset)),
            ensembles=_by_members(_of(evaluations, dataset)),
            contrast=_most(_of(analyses, dataset)),
            transfers=_by_target(_of(transfers, dataset)),
            searches=_by_study(_of(searches, dataset)),
        )
        for dataset in dict.fromkeys([*order, *names])
    )


def _networks(
    store: Store, evaluations: Iterable[PastRun], analyses: Iterable[PastRun], transfers: Iterable[PastRun]
) -> list[Network]:
    """Return the best versions that were trained in this experiment, the smallest dataset's name first."""
    trainings = {run.id: run for run in tracking.past_runs(store, "train")}
    found = []
    for version in tracking.best_versions(store):
        if version.run_id not in trainings:
            continue
        own = [run for run in transfers if run.parent == version.run_id]
        targets = dict.fromkeys(run.tags.get("digits.target", "") for run in own)
        found.append(
            Network(
                version,
                trainings[version.run_id],
                evaluation=next(iter(_under(evaluations, version)), None),
                analysis=next(iter(_under(analyses, version)), None),
                transfers={
                    target: tuple(run for run in own if run.tags.get("digits.target") == target) for target in targets
                },
            )
        )
    return found


def _under(runs: Iterable[PastRun], version: BestVersion) -> list[PastRun]:
    """Return the runs about a version on the data that it was trained on."""
    return [run for run in _of(runs, version.dataset) if run.parent == version.run_id]


def _of(runs: Iterable[PastRun], dataset: str) -> list[PastRun]:
    return [run for run in runs if run.tags.get("digits.dataset") == dataset]


def _most(runs: Iterable[PastRun]) -> PastRun | None:
    """Return the run that compares the most networks, the latest of equals; None where none compares any."""
    comparing = [run for run in runs if "models" in run.params]
    return max(comparing, key=lambda run: len(run.params["models"].split(", ")), default=None)


def _by_members(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    latest: dict[str, PastRun] = {}
    for run in runs:
        if "members" in run.params:
            latest.setdefault(run.params["members"], run)
    return tuple(latest.values())


def _by_target(runs: Iterable[PastRun]) -> dict[str, PastRun]:
    comparing = [run for run in runs if "targets" in run.params]
    targets = dict.fromkeys(run.params["targets"] for run in comparing)
    chosen = {target: _most(run for run in comparing if run.params["targets"] == target) for target in targets}
    return {target: run for target, run in chosen.items() if run}


def _by_study(runs: Iterable[PastRun]) -> tuple[PastRun, ...]:
    latest: dict[str, PastRun] = {}
    for run in runs:
        latest.setdefault(run.tags.get("digits.study", run.id), run)
    return tuple(latest.values())
