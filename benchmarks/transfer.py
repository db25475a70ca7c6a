"""From MNIST to USPS without target labels, compared with published figures: ``python benchmarks/transfer.py``."""

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
from experiments.tracking.registry import registered_name, version_uri
from experiments.transfer.adaptation import ADAPTATIONS
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer.run import TransferOptions, transfer

NETWORKS = ("mlp", "cnn", "cnn_norm")
ALIGNED = 0.973
ADAPTED = 0.982
SHOT_SECONDS = 180.0
METHOD = "shot"  # the reported method; fixed in advance

# Published figures for this direction, and the images they are measured on: they are not comparable with each other.
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
    """Networks and seeds to train and use on the target, and the store for them.

    Runs that the store already has, such as from before an interruption, are reused.
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
        """Results of `digits transfer` for each network and seed, with `network` and `seed`."""
        done = [(name, seed, self._transferred(name, seed)) for name in self.networks for seed in self.seeds]
        return tuple({**row, "network": name, "seed": seed} for name, seed, rows in done for row in rows)

    def _transferred(self, name: str, seed: int) -> list[Mapping[str, Any]]:
        """Train a network, measure all alignments, and adapt the one trained on deskewed images."""
        plain = self._trained(name, self.source, seed)
        deskewed = self._trained(name, f"{self.source}-deskewed", seed)
        return [
            *self._transfer(plain, TransferOptions((self.target,), ("align",), seed=seed)),
            *self._transfer(deskewed, TransferOptions((self.target,), tuple(ADAPTATIONS), seed=seed)),
        ]

    def _trained(self, name: str, dataset: str, seed: int) -> str:
        options = TrainOptions(name, dataset, None, {**self.settings, "seed": seed}, self.limit)
        wanted = {**options.recipe.params(), "limit": self.limit or "none"}
        found = version_trained_with(self.store, registered_name(dataset, name), wanted)
        if found:
            return found.text
        self.say(f"train {name} on {dataset}, seed {seed}")
        trained = train(self.store, options, Progress())
        return version_uri(trained.registered_model, trained.version)

    def _transfer(self, reference: str, options: TransferOptions) -> list[Mapping[str, Any]]:
        self.say(f"{reference} to {self.target}")
        rows = transfer(self.store, [reference], options, Progress()).to_json()["results"]
        training = self.store.client.get_run(str(resolve_reference(self.store, reference).run_id))
        return [{**row, "val_accuracy": training.data.metrics["best_val_accuracy"]} for row in rows]


def alignment(plan: TransferPlan) -> Report:
    """Compare the alignments, without training."""
    accuracies: dict[str, dict[str, list[float]]] = {}
    for row in plan.rows:
        for one in row.get("ladder", ()):
            accuracies.setdefault(row["network"], {}).setdefault(one["alignment"], []).append(one["accuracy"])
    names = list(dict.fromkeys(alignment for found in accuracies.values() for alignment in found))
    rows = tuple((name, *(_shown(found.get(one, [])) for one in names)) for name, found in accuracies.items())
    name = chosen(plan)
    value = float(np.mean([row["accuracy"] for row in plan.rows if row["network"] == name and row["adapt"] == "align"]))
    finding = Finding(f"{name}, alignment only: {value:.2%}", f"at least {ALIGNED:.1%}", value >= ALIGNED)
    return Report(f"{_title(plan)}: alignment, no training", ("network", *names), rows, (finding,), accuracies)


def adaptation(plan: TransferPlan) -> Report:
    """Compare the adaptation methods, on networks trained on deskewed images."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in plan.rows:
        if row["source"] != plan.source:
            found.setdefault(row["network"], {}).setdefault(row["adapt"], []).append(row["accuracy"])
    methods = ("none", *ADAPTATIONS)
    rows = tuple((name, *(_shown(values.get(method, [])) for method in methods)) for name, values in found.items())
    name = chosen(plan)
    value = float(np.mean(found[name][METHOD]))
    means = {(one, method): float(np.mean(values[method])) for one, values in found.items() for method in ADAPTATIONS
             if method in values}  # fmt: skip
    (best, method), most = max(means.items(), key=lambda pair: pair[1])
    findings = (
        Finding(f"{name} adapted by {METHOD}: {value:.2%}", f"at least {ADAPTED:.1%}", value >= ADAPTED),
        Finding(f"the best in hindsight, {best} by {method}: {most:.2%}", f"at least {ADAPTED:.1%}", most >= ADAPTED),
    )
    title = f"{_title(plan)}: adaptation without labels of networks trained on {plan.source}-deskewed"
    return Report(title, ("network", *methods), rows, findings, found)


def chosen(plan: TransferPlan) -> str:
    """Return the network with the highest mean validation accuracy on its source: no target label selects it."""
    accuracies: dict[str, list[float]] = {}
    for row in plan.rows:
        if row["source"] == plan.source and row["adapt"] == "none":
            accuracies.setdefault(row["network"], []).append(row["val_accuracy"])
    return max(accuracies, key=lambda name: float(np.mean(accuracies[name])))


def cost(plan: TransferPlan) -> Report:
    """Report the seconds of each method."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for row in plan.rows:
        if row["adapt"] in ADAPTATIONS:
            seconds.setdefault((row["network"], row["adapt"]), []).append(row["seconds"])
    medians = {key: float(np.median(values)) for key, values in seconds.items()}
    names = list(dict.fromkeys(name for name, _ in seconds))
    rows = tuple(
        (name, *(f"{medians[name, method]:.0f}" if (name, method) in medians else "-" for method in ADAPTATIONS))
        for name in names
    )
    findings = tuple(
        Finding(f"shot on cnn: {value:.0f} s", f"at most {SHOT_SECONDS:.0f} s", value <= SHOT_SECONDS)
        for key, value in medians.items()
        if key == ("cnn", "shot")
    )
    numbers = {f"{name}, {method}": values for (name, method), values in seconds.items()}
    return Report(f"{_title(plan)}: seconds, medians", ("network", *ADAPTATIONS), rows, findings, numbers)


def published(_: TransferPlan) -> Report:
    """List published figures with the images they are measured on."""
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
    "Measure networks in a new domain, aligned and adapted without labels, and list published figures.",
    {"alignment": alignment, "adaptation": adaptation, "cost": cost, "published": published},
    _add_options,
    _plan,
)
main = BENCHMARK.run

if __name__ == "__main__":
    main()
