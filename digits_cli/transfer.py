"""`digits transfer`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digits_cli.flags import Debug, Json, flag
from digits_cli.options import DataDir, Experiment, Models
from experiments import results
from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.published import PUBLISHED
from experiments.errors import UsageError
from experiments.transfer.adaptation import ADAPTATIONS

if TYPE_CHECKING:
    from digits_cli.console import Console

ALL = "all"
SUFFIXES = " or ".join(f"{suffix} ({made.description})" for suffix, made in DERIVATIONS.items())
MAX_DIGITS = 9  # of a number


def transfer(
    model: Models,
    target: Annotated[
        list[str],
        typer.Option(
            "--target",
            "-t",
            help=f"{', '.join(PUBLISHED)}, one of them with {SUFFIXES}, or a folder with digits, labeled or not; "
            "repeatable.",
        ),
    ],
    adapt: Annotated[
        list[str] | None,
        typer.Option(
            help=f"none, align (target aligned with the source in several ways, no training), {', '.join(ADAPTATIONS)} "
            "(no labels), or all; repeatable.",
            show_default="none",
        ),
    ] = None,
    few_shot: Annotated[
        str | None,
        typer.Option(
            metavar="K,...",
            help="Fine-tune on K labeled images of each class, five seeds each, such as 1,5,10,50,all.",
        ),
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(help="Let align train the model on deskewed images if no such model is registered."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the adaptations.")] = 0,
    register: Annotated[bool, flag("--register", "Register each adapted model as a version of TARGET-MODEL.")] = False,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Measure trained models in new domains, explain their losses, and adapt them without labels.

    A model trained on deskewed images (digits train cnn --dataset mnist-deskewed) is used on the deskewed target.

    Example: digits transfer --model cnn --model mlp --target usps --adapt align --adapt shot
    """
    from experiments.workflows import transfer as workflow
    from experiments.workflows.transfer.run import method_names

    methods = adapt or ["none"]
    options = workflow.TransferOptions(
        tuple(target),
        adapt=method_names() if ALL in methods else tuple(methods),
        few_shot=parse_few_shot(few_shot),
        seed=seed,
        retrain=retrain,
        register=register,
        data_dir=data_dir,
    )
    from digits_cli.console import Console, load_backend
    from experiments.tracking import open_store

    with Console(as_json) as console:
        store = open_store(experiment)
        load_backend()
        result = workflow.transfer(store, model, options, console)
        print_transfer(console, result.to_json())
        console.where(store, result.run_id)
        console.json(result.to_json())


def parse_few_shot(text: str | None) -> tuple[int | None, ...]:
    """Parse ``1,5,10,all``: numbers of labeled images of each class in ascending order, None for all.

    Raises
    ------
    UsageError
        If the text is anything else.
    """
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(word == ALL or (word.isdecimal() and len(word) < MAX_DIGITS and int(word) > 0) for word in words):
        raise UsageError(f"--few-shot needs positive numbers of images, or all, such as 1,5,10,all, received {text!r}")
    numbers = sorted({int(word) for word in words if word != ALL})
    return (*numbers, None) if ALL in words else tuple(numbers)


def print_transfer(console: "Console", result: Mapping[str, Any]) -> None:
    """Print the results of all methods, the alignments, few-shot learning and the discussion."""
    from experiments.transfer.result_rows import ENTROPY_UNLABELLED

    rows = result["results"]
    console.table(
        "Networks in new domains",
        ("model", "source", "target", "adapt", "accuracy", "95 % interval", "macro F1", "ECE", "seconds"),
        [
            (row["model"], row["source"], row["target"], row["adapt"], *_scores(row), f"{row['seconds']:.1f}")
            for row in rows
        ],
    )
    aligned = [(row["model"], row["target"], one) for row in rows for one in row.get("ladder", ())]
    if aligned:
        console.table(
            "Alignment, no training in the target domain",
            ("model", "target", "alignment", "accuracy", "95 % interval", "entropy, unlabeled", "network"),
            [
                (model, target, one["alignment"], *_scores(one)[:2], f"{one[ENTROPY_UNLABELLED]:.4f}", one["network"])
                for model, target, one in aligned
            ],
        )
    if result["few_shot"]:
        console.table(
            "Few labeled images, means of the seeds",
            ("model", "target", "per class", "images", "fine-tuned", "from scratch"),
            [
                (row["model"], row["target"], row["per_class"] or ALL, row["digits"], *_means(row))
                for row in result["few_shot"]
            ],
        )
    for part in result["skipped"]:
        console.result(f"{part['adapt']} is skipped for {part['model']}: {part['reason']}")
    console.prose(f"\n{result['discussion']}\n")


def _means(row: Mapping[str, Any]) -> tuple[str, ...]:
    from experiments.transfer.result_rows import FINE_TUNED, SCRATCH

    return tuple(f"{sum(row[key]) / len(row[key]):.4f}" for key in (FINE_TUNED, SCRATCH))


def _scores(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    if row[results.ACCURACY] is None:
        return ("-",) * 4
    interval = f"{row[results.ACCURACY_LOW]:.4f} to {row[results.ACCURACY_HIGH]:.4f}"
    return f"{row[results.ACCURACY]:.4f}", interval, f"{row[results.MACRO_F1]:.4f}", f"{row[results.ECE]:.4f}"
