"""`digits evaluate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json, flag
from digits_cli.options import DataDir, Experiment, Models
from experiments import results
from experiments.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from digits_cli.console import Console


def evaluate(
    model: Models,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            "-d",
            help="Dataset to evaluate on.",
            show_default="the data the model was trained on",
        ),
    ] = None,
    ensemble: Annotated[
        bool,
        flag("--ensemble", "Evaluate their ensemble too: the mean of their probabilities."),
    ] = False,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Evaluate trained networks on a test split, and compare them if there are several.

    Example: digits evaluate --model lenet --model cnn

    Example: digits evaluate --ensemble --model models:/mnist-resnet/1 --model models:/mnist-resnet/2 --model cnn_norm
    """
    if ensemble and len(set(model)) < len(model):
        raise UsageError("an ensemble needs different networks: name each model once")
    from digits_cli.console import Console, load_backend
    from experiments.tracking import open_store
    from experiments.workflows.evaluate import EvaluateOptions
    from experiments.workflows.evaluate import evaluate as evaluate_models

    with Console(as_json) as console:
        store = open_store(experiment)
        load_backend()
        result = evaluate_models(
            store, {name: name for name in model}, EvaluateOptions(dataset, data_dir, ensemble), console
        )
        print_evaluation(console, result.table)
        console.where(store, result.run_id)
        console.json(result.to_json())


def print_evaluation(console: "Console", table: "pd.DataFrame") -> None:
    """Print the results of an evaluation: the models and, if there are several, the tests between them."""
    from experiments.workflows.evaluate.record import metrics_by_model, paired_tests

    models, tests = metrics_by_model(table), paired_tests(table)
    best_first = sorted(models.items(), key=lambda row: -row[1][results.ACCURACY])
    rows = [
        (
            name,
            f"{m[results.ACCURACY]:.4f}",
            f"{m[results.ACCURACY_LOW]:.4f} to {m[results.ACCURACY_HIGH]:.4f}",
            *(f"{m[key]:.4f}" for key in (results.MACRO_F1, results.TOP2, results.LOSS, results.ECE)),
            f"{m[results.LATENCY_MS]:.2f}",
        )
        for name, m in best_first
    ]
    headers = ("model", "accuracy", "95 % interval", "macro F1", "top-2", "loss", "ECE", "ms per image")
    console.table(f"{table['target'].iloc[0]}, {best_first[0][1]['n']:,} test digits", headers, rows)
    if tests:
        pairs = [
            (f"{t['a']} / {t['b']}", t["only_a"], t["only_b"], f"{t['p_value']:.2g}", f"{t['p_holm']:.2g}")
            for t in tests
        ]
        columns = ("pair", "only the first right", "only the second", "p", "p (Holm)")
        console.table("Exact McNemar tests", columns, pairs)
        console.result(
            f"{results.value(table, results.MISCLASSIFIED_BY_ALL) or 0:.0f} digits are misclassified by all of them"
        )
    for name, m in models.items():
        if results.MEMBERS_ACCURACY in m:
            console.result(
                f"{name} of {len(models) - 1}: accuracy {m[results.ACCURACY]:.4f}, by majority vote "
                f"{m[results.VOTE_ACCURACY]:.4f}; its members alone {m[results.MEMBERS_ACCURACY]:.4f} +- "
                f"{m[results.MEMBERS_ACCURACY_STD]:.4f}"
            )
