"""`digits analyze`."""

from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json
from digits_cli.options import DataDir, Experiment, Models

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.workflows.analyze import AnalyzeManyResult, AnalyzeResult

SHOWN = 5  # confusing digits of each split


def analyze(
    model: Models,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", "-d", help="Dataset to analyze.", show_default="the data the model was trained on"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Analyze a stratified sample of this many digits.", show_default="all")
    ] = None,
    components: Annotated[int, typer.Option(help="Dimensions of the t-SNE embedding.", metavar="2|3")] = 3,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - read by main
) -> None:
    """Analyze a network's feature space: a 3-D embedding, clusters, and the digits that confuse it.

    Several networks are analyzed on the same digits and compared.

    Example: digits analyze --model lenet
    """
    from experiments.workflows.analyze.run import AnalyzeOptions, analyze_many
    from experiments.workflows.analyze.run import analyze as analyze_one

    options = AnalyzeOptions(dataset, data_dir, limit, components)
    from digits_cli.console import Console, load_backend
    from experiments.tracking import open_store

    with Console(as_json) as console:
        store = open_store(experiment)
        load_backend()
        result: AnalyzeResult | AnalyzeManyResult
        if len(model) == 1:
            result = analyze_one(store, model[0], options, console)
            print_analysis(console, result)
        else:
            result = analyze_many(store, model, options, console)
            for one in result.models.values():
                print_analysis(console, one)
            console.prose(result.discussion)
        console.where(store, result.run_id)
        console.json(result.to_json())


def print_analysis(console: "Console", result: "AnalyzeResult") -> None:
    """Print the quality of the embedding, the clusters and the most confusing digits of one network."""
    from experiments.analysis.held_out import NETWORK

    embedding = result.embedding
    console.result(
        f"{result.model}, {result.n:,} digits of {result.dataset}: {embedding['components']}-D embedding with 10-NN "
        f"accuracy {embedding['knn_accuracy']:.4f} ({embedding['knn_accuracy_before']:.4f} in feature space), "
        f"trustworthiness {embedding['trustworthiness']:.4f}"
    )
    rows = [
        (name, grouping["k"], *(f"{grouping[key]:.4f}" for key in ("ari", "ami", "purity", "matched_accuracy")))
        for name, both in result.clusters.items()
        for grouping in ([both, both["chosen"]] if both["chosen"]["k"] != both["k"] else [both])
    ]
    console.table("Clusters against classes", ("method", "k", "ARI", "AMI", "purity", "matched"), rows)
    confusing = [
        tuple(row[key] for key in ("split", "index", "label", "predicted_unseen", "nearest_other_label", "ratio"))
        for row in result.confusing
        if row["rank"] <= SHOWN
    ]
    headers = ("split", "index", "label", "predicted", "nearest other", "ratio")
    console.table(
        f"Most confusing digits; those of train as seen by {NETWORK}, trained without them", headers, confusing
    )
