"""What is written to MLflow of networks in target domains, and adapted networks among it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments import analysis, datasets, reporting, tracking, transfer
from experiments.analysis import Section
from experiments.models.prediction import predict
from experiments.tracking import RegisteredVersion, Run
from experiments.tracking.references import model_params
from experiments.transfer import Findings
from experiments.workflows.transfer.domains import DESKEWED_FORM
from experiments.workflows.transfer.figures import compared_figures, figures, matrix
from experiments.workflows.transfer.numbers import (
    from_before,
    ladder_rows,
    metrics_of,
    numbers,
    predictions,
    steps,
    tables,
    unit,
    ways,
)
from experiments.workflows.transfer.pipeline import ALIGN, NONE, Pair, Placed
from experiments.workflows.transfer.words import discussion

if TYPE_CHECKING:
    import keras

NAMED = 3  # networks in the name of a comparison
COLUMNS = ("adapt", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece", "seconds")


def record_method(run: Run, found: Findings, method: str, seed: int) -> None:
    """Write one adaptation to its run: its curve step by step, and what it brought."""
    adapted, before = found.outcomes[method], numbers(found.target, found.outcomes[NONE])
    after = numbers(found.target, adapted)
    for step, values in steps(from_before(adapted.curve)):
        run.log_metrics(values, step=step)
    settings = {"seed": seed, **transfer.SETTINGS[method]}
    about = {"model": found.name, "source": found.source, "target": found.target.name, "adapt": method}
    run.log_params({**about, **settings})
    measured = {**{f"{name}_before": value for name, value in before.items()}, **after, "seconds": adapted.seconds}
    run.log_metrics({name: value for name, value in measured.items() if value is not None})
    run.log_text(reporting.csv_text(predictions(found, adapted)), "predictions.csv")
    title = f"{found.name} on {found.target.name}: {method}"
    curves = reporting.adaptation_curve({method: from_before(adapted.curve)}, title, unit(method), first=0)
    run.log_figure(curves, "figures/curve.png")
    run.describe(
        f"**{found.name}** adapted to **{found.target.name}** by `{method}`, with {len(found.target.unlabelled):,} "
        f"digits and none of their labels: {_changed(before['accuracy'], after['accuracy'])}."
    )


def register_adapted(run: Run, pair: Pair, method: str, network: "keras.Model") -> RegisteredVersion:
    """Keep an adapted network as a version of ``<target>-<model>``, with where it comes from.

    Where the target has labels its score is the accuracy on its validation digits, those that networks trained on the
    target are chosen by: the champion among all of them stays comparable.

    Raises
    ------
    UsageError
        For a bare file, which does not tell its architecture.
    """
    home, data = pair.home, pair.data
    deskewed = DESKEWED_FORM.format(data.name)
    name = deskewed if home.alignment and deskewed in datasets.DERIVED else data.name
    origin = home.reference.version or home.reference.text
    params = {
        **model_params(run.store, home.reference),
        "model": home.architecture.name,
        "dataset": name,
        "data": name if data.name in datasets.DATASET_NAMES else data.source,
        "transform": data.transform,
        "adapted_from": origin,
        "adaptation": method,
    }
    example = data.test.take(range(1)).as_float()
    model_id = tracking.log_model(run, network, f"{name}-{home.architecture.name}-{method}", params, example)
    score = None
    if isinstance(data, datasets.Dataset):
        _, validation = datasets.split_validation(data.train, home.architecture.recipe.validation)
        score = float((predict(network, validation).argmax(axis=1) == validation.labels).mean())
    run.set_tags({"digits.adapted_from": origin, "digits.adaptation": method})
    described = f"{origin} adapted to {name} by {method} without labels, in run `{run.id}`."
    return tracking.register(
        run,
        model_id,
        dataset=name,
        architecture=home.architecture.name,
        score=score,
        description=described,
        adapted_from=origin,
    )


def record_pair(
    run: Run, pair: Pair, found: Findings, placed: Placed | None, skipped: Mapping[str, str]
) -> tuple[Section, ...]:
    """Write all that was found of one network in one domain; return it in words."""
    run.log_params(
        {
            "model": found.name,
            "source": found.source,
            "target": found.target.name,
            "transform": found.target.transform,
            "unlabelled": len(found.target.unlabelled),
            "n": len(found.target.images),
            "adapt": ", ".join(found.outcomes),
            "seed": pair.seed,
        }
    )
    run.log_metrics(metrics_of(found), model_id=pair.home.reference.model_id)
    plain = found.outcomes[NONE]
    run.log_text(reporting.csv_text(predictions(found, plain)), "predictions.csv")
    if aligned := found.outcomes.get(ALIGN):
        run.log_text(reporting.csv_text(predictions(found, aligned)), "predictions_align.csv")
    for file, figure in figures(found, placed):
        run.log_figure(figure, f"figures/{file}.png")
    for file, rows in tables(found).items():
        run.log_text(reporting.csv_text(rows), file)
    sections = discussion([found])
    left_out = [f"`{way}` does not apply: {reason}." for way, reason in skipped.items()]
    table = reporting.markdown_table(COLUMNS, [tuple(map(_text, row.values())) for row in ways(found)])
    text = "\n\n".join([table, *left_out, analysis.as_markdown(sections)])
    run.log_text(text, "discussion.md")
    run.log_json({"ways": ways(found), "ladder": ladder_rows(found), "skipped": dict(skipped)}, "transfer.json")
    run.describe(f"**{found.name}**, trained on {found.source}, in the domain **{found.target.name}**.\n\n{text}")
    return sections


def comparison_name(findings: Sequence[Findings]) -> str:
    """Return what a comparison of networks or domains is called: by the networks where they are few."""
    networks = dict.fromkeys(found.name for found in findings)
    which = f"{len(networks)} networks" if len(networks) > NAMED else ", ".join(networks)
    return f"transfer {which} to {', '.join(dict.fromkeys(found.target.name for found in findings))}"


def record_comparison(run: Run, findings: Sequence[Findings]) -> tuple[Section, ...]:
    """Write what several networks and domains show together; return it in words."""
    networks, targets = (
        dict.fromkeys(found.name for found in findings),
        dict.fromkeys(found.target.name for found in findings),
    )
    run.log_params({"models": ", ".join(networks), "targets": ", ".join(targets)})
    run.log_figure(
        reporting.transfer_matrix(matrix(findings), "Accuracy in source and target domains"), "figures/matrix.png"
    )
    for target in targets:
        group = [found for found in findings if found.target.name == target]
        for file, figure in compared_figures(group, f"to {target}"):
            run.log_figure(figure, f"figures/{target}/{file}.png")
    rows = [{"model": found.name, "source": found.source, "target": found.target.name, **row}
            for found in findings for row in ways(found)]  # fmt: skip
    run.log_text(reporting.csv_text(rows), "results.csv")
    run.log_json(rows, "results.json")
    sections = discussion(findings)
    table = reporting.markdown_table(
        ("model", "source", "target", *COLUMNS), [tuple(map(_text, row.values())) for row in rows]
    )
    text = f"{table}\n\n{analysis.as_markdown(sections)}"
    run.log_text(text, "discussion.md")
    run.describe(f"{', '.join(networks)} in the domains {', '.join(targets)}.\n\n{text}")
    return sections


def _changed(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "the target has no labels to measure by"
    return f"accuracy {before:.4f} before, {after:.4f} after"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
