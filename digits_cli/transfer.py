"""`digits transfer`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digits_cli.options import DataDir, Debug, Experiment, Json, Models, flag
from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.published import PUBLISHED
from experiments.errors import UsageError

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.workflows.transfer.run import TransferResult

ALL = "all"
SUFFIXES = " or ".join(f"{suffix} ({made.description})" for suffix, made in DERIVATIONS.items())
LONGEST = 9  # digits of a number


def transfer(
    model: Models,
    target: Annotated[
        list[str],
        typer.Option(
            "--target",
            "-t",
            help=f"{', '.join(PUBLISHED)}, one of them with {SUFFIXES}, or a folder with digits, labelled or not; "
            "repeatable.",
        ),
    ],
    adapt: Annotated[
        list[str] | None,
        typer.Option(
            help="none, align (ladder of alignments, no training), adabn, tent, shot, self-training (no labels), "
            "or all; repeatable.",
            show_default="none",
        ),
    ] = None,
    few_shot: Annotated[
        str | None,
        typer.Option(
            metavar="K,...",
            help="Fine-tune on so many labelled digits of each class, five seeds each: for instance 1,5,10,50,all.",
        ),
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(help="Let align train the network once more, on deskewed digits, if there is none yet."),
    ] = True,
    seed: Annotated[int, typer.Option(help="Seed of the adaptations.")] = 0,
    register: Annotated[
        bool, flag("--register", "Register each adapted network as a version of TARGET-MODEL.")
    ] = False,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Measure trained networks in domains they have never seen, say why they fail there, and mend it without labels.

    A network trained on deskewed digits (digits train cnn --dataset mnist-deskewed) is given the target's deskewed too.

    Example: digits transfer --model cnn --model mlp --target usps --adapt align --adapt shot
    """
    from experiments.workflows.transfer.pipeline import WAYS
    from experiments.workflows.transfer.run import TransferOptions, transfer_networks

    ways = adapt or ["none"]
    options = TransferOptions(
        tuple(target),
        adapt=WAYS if ALL in ways else tuple(ways),
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
        result = transfer_networks(store, model, options, console)
        print_transfer(console, result)
        console.where(store, result.run_id)
        console.json(asdict(result))


def parse_few_shot(text: str | None) -> tuple[int | None, ...]:
    """Read ``1,5,10,all``: numbers of labelled digits of each class in ascending order, None for all.

    Raises
    ------
    UsageError
        For anything else.
    """
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(word == ALL or (word.isdecimal() and len(word) < LONGEST and int(word) > 0) for word in words):
        raise UsageError(f"--few-shot needs numbers of digits above 0 and all, such as 1,5,10,all, received {text!r}")
    numbers = sorted({int(word) for word in words if word != ALL})
    return (*numbers, None) if ALL in words else tuple(numbers)


def print_transfer(console: "Console", result: "TransferResult") -> None:
    """Show what each network achieves in each domain, the ladders, few-shot learning, and the words."""
    console.table(
        "Networks in new domains",
        ("model", "source", "target", "adapt", "accuracy", "95 % interval", "macro F1", "ECE", "seconds"),
        [
            (row["model"], row["source"], row["target"], row["adapt"], *_accuracy(row), f"{row['seconds']:.1f}")
            for row in result.results
        ],
    )
    rungs = [
        (
            *(row["model"], row["target"], rung["alignment"], *_accuracy(rung)[:2]),
            *(f"{rung['entropy_unlabelled']:.4f}", rung["network"]),
        )
        for row in result.results
        for rung in row.get("ladder", ())
    ]
    if rungs:
        headers = ("model", "target", "alignment", "accuracy", "95 % interval", "entropy, unlabelled", "network")
        console.table("Alignment, no training in the target domain", headers, rungs)
    if result.few_shot:
        console.table(
            "Few labelled digits, means of the seeds",
            ("model", "target", "a class", "digits", "fine-tuned", "from scratch"),
            [
                (
                    *(row["model"], row["target"], row["per_class"] or ALL, row["digits"]),
                    *(f"{sum(row[key]) / len(row[key]):.4f}" for key in ("fine_tuned", "scratch")),
                )
                for row in result.few_shot
            ],
        )
    for left_out in result.skipped:
        console.result(f"{left_out['adapt']} does not apply to {left_out['model']}: {left_out['reason']}")
    console.prose(f"\n{result.discussion}\n")


def _accuracy(row: Any) -> tuple[str, str, str, str]:
    if row["accuracy"] is None:
        return ("-",) * 4
    bounds = f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}"
    return f"{row['accuracy']:.4f}", bounds, f"{row['macro_f1']:.4f}", f"{row['ece']:.4f}"
