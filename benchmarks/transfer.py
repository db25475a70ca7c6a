"""From MNIST to USPS without its labels, beside published figures: ``python benchmarks/transfer.py``."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.command import Benchmark, at_least, load_backend
from benchmarks.machine import Machine
from benchmarks.report import Finding, Report
from experiments.execution.progress import Progress
from experiments.models import MODELS
from experiments.tracking import Store, open_store, resolve_reference
from experiments.tracking.references import version_trained_with
from experiments.tracking.registry import registered_name
from experiments.transfer import ADAPTATIONS
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer.run import TransferOptions, transfer_networks

NETWORKS = ("mlp", "cnn", "cnn_norm")
ALIGNED = 0.973
ADAPTED = 0.982
SHOT_SECONDS = 180.0
METHOD = "shot"  # by which a network is judged; fixed in advance

# What others publish for this direction, and on which digits: their figures are not comparable with each other.
PUBLISHED = (
    ("source only", "75.2 to 84", "ADDA's sample of 1,800; 1,860 of a new division", "Tzeng et al. 2017; SHOT"),
    ("source only, both resized alike", "94.2", "USPS as torchvision has it", "criteo/pytorch-ada"),
    ("source only, augmented", "95.4 to 96.3", "the official 2,007", "French et al. 2018, table 1, from memory"),
    ("DANN", "77.1 to 93.8", "ADDA's sample; pytorch-ada", "Tzeng et al. 2017; criteo/pytorch-ada"),
    ("ADDA", "89.4", "ADDA's sample of 1,800", "Tzeng et al. 2017"),
    ("CDAN+E", "95.6", "the official 2,007", "Long et al. 2018"),
    ("SHOT", "97.9", "1,860 of a new division of all digits", "Liang et al. 2020"),
    ("self-ensembling", "98.3", "the official 2,007", "French et al. 2018"),
    ("RWOT", "98.5", "as published", "Xu et al. 2020"),
    ("DWT-MEC", "99.0", "1,860 of a new division of all digits", "Roy et al. 2019"),
)


@dataclass(frozen=True, eq=False)
class TransferPlan:
    """Networks and seeds to train and take to the target, and where they are kept.

    A store that holds some of it already, from before an interruption for instance, is gone on with.
    """

    networks: Sequence[str]
    seeds: Sequence[int]
    settings: Mapping[str, Any]
    limit: int | None
    source: str
    target: str
    store: Store
    say: Callable[[str], None]

    @cached_property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """What came of each network and seed: rows of the transfers, with `network` and `seed`."""
        done = [(name, seed, self._transferred(name, seed)) for name in self.networks for seed in self.seeds]
        return tuple({**row, "network": name, "seed": seed} for name, seed, rows in done for row in rows)

    def _transferred(self, name: str, seed: int) -> list[Mapping[str, Any]]:
        """Train a network, take it up the ladder, and adapt the one that learned from deskewed digits."""
        plain = self._trained(name, self.source, seed)
        deskewed = self._trained(name, f"{self.source}-deskewed", seed)
        return [
            *self._went(plain, TransferOptions((self.target,), ("align",), seed=seed)),
            *self._went(deskewed, TransferOptions((self.target,), tuple(ADAPTATIONS), seed=seed)),
        ]

    def _trained(self, name: str, dataset: str, seed: int) -> str:
        options = TrainOptions(name, dataset, None, {**self.settings, "seed": seed}, self.limit)
        wanted = {**options.recipe.params(), "limit": self.limit or "none"}
        found = version_trained_with(self.store, registered_name(dataset, name), wanted)
        if found:
            return found.text
        self.say(f"train {name} on {dataset}, seed {seed}")
        trained = train(self.store, options, Progress())
        return f"models:/{trained.registered_model}/{trained.version}"

    def _went(self, reference: str, options: TransferOptions) -> list[Mapping[str, Any]]:
        self.say(f"{reference} to {self.target}")
        rows = transfer_networks(self.store, [reference], options, Progress()).results
        training = self.store.client.get_run(str(resolve_reference(self.store, reference).run_id))
        return [{**row, "val_accuracy": training.data.metrics["best_val_accuracy"]} for row in rows]


def alignment(plan: TransferPlan) -> Report:
    """Compare the rungs of the ladder: what alignment alone brings."""
    accuracies: dict[str, dict[str, list[float]]] = {}
    for row in plan.rows:
        for rung in row.get("ladder", ()):
            accuracies.setdefault(row["network"], {}).setdefault(rung["alignment"], []).append(rung["accuracy"])
    rungs = list(dict.fromkeys(name for ladder in accuracies.values() for name in ladder))
    rows = tuple((name, *(_shown(ladder.get(rung, [])) for rung in rungs)) for name, ladder in accuracies.items())
    name = chosen(plan)
    value = float(np.mean([row["accuracy"] for row in plan.rows if row["network"] == name and row["adapt"] == "align"]))
    finding = Finding(f"{name}, alignment only: {value:.2%}", f"at least {ALIGNED:.1%}", value >= ALIGNED)
    return Report(f"{_title(plan)}: alignment, no training", ("network", *rungs), rows, (finding,), accuracies)


def adaptation(plan: TransferPlan) -> Report:
    """Compare the methods that use the target's unlabelled digits, on networks that learned from deskewed ones."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in plan.rows:
        if row["source"] != plan.source:
            found.setdefault(row["network"], {}).setdefault(row["adapt"], []).append(row["accuracy"])
    ways = ("none", *ADAPTATIONS)
    rows = tuple((name, *(_shown(values.get(way, [])) for way in ways)) for name, values in found.items())
    name = chosen(plan)
    value = float(np.mean(found[name][METHOD]))
    means = {(one, way): float(np.mean(values[way])) for one, values in found.items() for way in ADAPTATIONS
             if way in values}  # fmt: skip
    (best, way), most = max(means.items(), key=lambda pair: pair[1])
    findings = (
        Finding(f"{name} adapted by {METHOD}: {value:.2%}", f"at least {ADAPTED:.1%}", value >= ADAPTED),
        Finding(
            f"the best, looked up afterwards, {best} by {way}: {most:.2%}", f"at least {ADAPTED:.1%}", most >= ADAPTED
        ),
    )
    title = f"{_title(plan)}: adaptation without labels of networks trained on {plan.source}-deskewed"
    return Report(title, ("network", *ways), rows, findings, found)


def chosen(plan: TransferPlan) -> str:
    """Return the network with the highest mean validation accuracy on its source: no target label is looked at."""
    accuracies: dict[str, list[float]] = {}
    for row in plan.rows:
        if row["source"] == plan.source and row["adapt"] == "none":
            accuracies.setdefault(row["network"], []).append(row["val_accuracy"])
    return max(accuracies, key=lambda name: float(np.mean(accuracies[name])))


def cost(plan: TransferPlan) -> Report:
    """Tell what the methods cost."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for row in plan.rows:
        if row["adapt"] in ADAPTATIONS:
            seconds.setdefault((row["network"], row["adapt"]), []).append(row["seconds"])
    medians = {key: float(np.median(values)) for key, values in seconds.items()}
    names = list(dict.fromkeys(name for name, _ in seconds))
    rows = tuple(
        (name, *(f"{medians[name, way]:.0f}" if (name, way) in medians else "-" for way in ADAPTATIONS))
        for name in names
    )
    findings = tuple(
        Finding(f"shot on cnn: {value:.0f} s", f"at most {SHOT_SECONDS:.0f} s", value <= SHOT_SECONDS)
        for key, value in medians.items()
        if key == ("cnn", "shot")
    )
    numbers = {f"{name}, {way}": values for (name, way), values in seconds.items()}
    return Report(f"{_title(plan)}: seconds, medians", ("network", *ADAPTATIONS), rows, findings, numbers)


def published(_: TransferPlan) -> Report:
    """List what others publish, with the digits they measured on."""
    rows = tuple((name, figure, digits, source) for name, figure, digits, source in PUBLISHED)
    headers = ("method", "%", "measured on", "source")
    return Report("published for MNIST to USPS; other networks, other digits", headers, rows, (), {})


def _shown(values: Sequence[float]) -> str:
    if not values:
        return "-"
    spread = f" ± {100 * np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.2f}{spread}"


def _title(plan: TransferPlan) -> str:
    return f"{plan.source} to {plan.target}, means of {len(plan.seeds)} seeds"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--networks", nargs="+", choices=tuple(MODELS), default=NETWORKS, help="what to train")
    parser.add_argument("--seeds", type=at_least(1), default=3, help="how many")
    parser.add_argument("--source", default="mnist", help="mnist, usps or uci")
    parser.add_argument("--target", default="usps", help="as for digits transfer")
    parser.add_argument("--limit", type=at_least(100), help="train on so many digits")
    parser.add_argument("--epochs", type=at_least(1), help="of the training; by default the recipe's")
    parser.add_argument("--experiment", default="benchmark-transfer", help="MLflow experiment in the usual store")


def _plan(options: argparse.Namespace, _: Machine, say: Callable[[str], None], __: ExitStack) -> TransferPlan:
    load_backend()
    return TransferPlan(
        networks=options.networks,
        seeds=range(options.seeds),
        settings={} if options.epochs is None else {"epochs": options.epochs},
        limit=options.limit,
        source=options.source,
        target=options.target,
        store=open_store(options.experiment),
        say=say,
    )


BENCHMARK = Benchmark(
    "transfer.py",
    "Measure networks in a domain they never saw, aligned and adapted without labels, beside published figures.",
    {"alignment": alignment, "adaptation": adaptation, "cost": cost, "published": published},
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
