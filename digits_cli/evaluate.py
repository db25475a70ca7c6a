"""`digits evaluate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.options import DataDir, Debug, Experiment, Json, Models, flag
from experiments.errors import UsageError

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.workflows.evaluate.run import EvaluateResult


def evaluate(
    model: Models,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", "-d", help="Whose test split.", show_default="the data the model was trained on"),
    ] = None,
    ensemble: Annotated[
        bool,
        flag("--ensemble", "Measure also the mean of what all of them say; they may be versions of one network."),
    ] = False,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Measure trained networks on a test split; compare them where there are several.

    Example: digits evaluate --model lenet --model cnn

    Example: digits evaluate --ensemble --model models:/mnist-resnet/1 --model models:/mnist-resnet/2 --model cnn_norm
    """
    if ensemble and len(set(model)) < len(model):
        raise UsageError("an ensemble needs different networks: name each model once")
    from digits_cli.console import Console, load_backend
    from experiments.tracking import open_store
    from experiments.workflows.evaluate import EvaluateOptions
    from experiments.workflows.evaluate import evaluate as work

    with Console(as_json) as console:
        store = open_store(experiment)
        load_backend()
        result = work(store, {name: name for name in model}, EvaluateOptions(dataset, data_dir, ensemble), console)
        print_evaluation(console, result)
        console.where(store, result.run_id)
        console.json(result.to_json())


def print_evaluation(console: "Console", result: "EvaluateResult") -> None:
    """Show the table of networks and, where there are several, of pairs."""
    best_first = sorted(result.models.items(), key=lambda row: -row[1]["accuracy"])
    rows = [
        (
            name,
            f"{m['accuracy']:.4f}",
            f"{m['accuracy_low']:.4f} to {m['accuracy_high']:.4f}",
            *(f"{m[key]:.4f}" for key in ("macro_f1", "top2", "loss", "ece")),
            f"{m['latency_ms']:.2f}",
        )
        for name, m in best_first
    ]
    n = best_first[0][1]["n"]
    headers = ("model", "accuracy", "95 % interval", "macro F1", "top-2", "loss", "ECE", "ms an image")
    console.table(f"{result.dataset}, {n:,} test digits", headers, rows)
    if result.pairs:
        pairs = [
            (f"{p['a']} / {p['b']}", p["only_a"], p["only_b"], f"{p['p_value']:.2g}", f"{p['p_holm']:.2g}")
            for p in result.pairs
        ]
        console.table(
            "Exact McNemar tests", ("pair", "only the first right", "only the second", "p", "p (Holm)"), pairs
        )
        console.result(f"{len(result.misclassified_by_all)} digits are misclassified by all of them")
    for name, m in result.models.items():
        if "members" in m:
            console.result(
                f"{name} of {len(m['members'])}: accuracy {m['accuracy']:.4f}, by majority vote "
                f"{m['vote_accuracy']:.4f}; its members alone {m['members_accuracy']:.4f} +- "
                f"{m['members_accuracy_std']:.4f}"
            )
