"""What is written of networks in target domains: numbers, tables, figures, words, and adapted networks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments import analysis, datasets, evaluation, reporting, tracking, transfer
from experiments.analysis import Section
from experiments.evaluation import Metrics
from experiments.models import CLASSES
from experiments.models.prediction import predict
from experiments.tracking import RegisteredVersion, Run
from experiments.transfer import Findings, Interval, Outcome, Rung, Transfer
from experiments.workflows.adapt import ALIGN, NONE, STROKE, Pair, Placed
from experiments.workflows.domains import DESKEW, DESKEWED_FORM

if TYPE_CHECKING:
    import keras

STATE = ("entropy", "confident")  # rows of an adaptation's curve that begin with the network as it came
MOST_PAIRS = 10  # of digits that are taken for each other, in the table
COLUMNS = ("adapt", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece", "seconds")


def numbers(target: transfer.Domain, found: Outcome) -> dict[str, float | None]:
    """Return accuracy with its 95 % interval, macro F1 and ECE; None where the target has no labels."""
    if found.metrics is None:
        return dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece"))
    accuracy, low, high = interval(target, found)
    metrics = found.metrics
    return {
        "accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": metrics.macro_f1,
        "ece": metrics.ece,
    }


def interval(target: transfer.Domain, found: Outcome) -> Interval:
    """Return accuracy and the ends of its 95 % interval, which is one over digits where these come in several views."""
    metrics = found.metrics
    if metrics is None or target.labels is None:
        return nan, nan, nan
    if target.views == 1:
        return metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high
    right = (found.probabilities.argmax(axis=1) == target.labels).reshape(target.views, -1)
    return (metrics.accuracy, *transfer.interval_over_views(right))


def ladder_rows(found: Findings) -> list[dict[str, Any]]:
    """Return the rungs of the ladder as rows of a table."""
    return [
        {
            "alignment": rung.alignment,
            "network": rung.network,
            **numbers(found.target, rung.outcome),
            "entropy_unlabelled": rung.entropy,
        }
        for rung in found.ladder
    ]


def record_method(run: Run, found: Findings, method: str) -> None:
    """Write one adaptation to its run: its curve step by step, and what it brought."""
    adapted, before = found.outcomes[method], numbers(found.target, found.outcomes[NONE])
    after = numbers(found.target, adapted)
    for step, values in _steps(_from_before(adapted.curve)):
        run.log_metrics(values, step=step)
    run.log_params({"model": found.name, "source": found.source, "target": found.target.name, "adapt": method})
    measured = {**{f"{name}_before": value for name, value in before.items()}, **after, "seconds": adapted.seconds}
    run.log_metrics({name: value for name, value in measured.items() if value is not None})
    run.log_text(reporting.csv_text(_predictions(found, adapted)), "predictions.csv")
    title = f"{found.name} on {found.target.name}: {method}"
    curves = reporting.adaptation_curve({method: _from_before(adapted.curve)}, title, _unit(method), first=0)
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
        **tracking.model_params(run.store, home.reference),
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
    run.log_metrics(_metrics(found), model_id=pair.home.reference.model_id)
    plain = found.outcomes[NONE]
    run.log_text(reporting.csv_text(_predictions(found, plain)), "predictions.csv")
    for file, figure in _figures(found, placed):
        run.log_figure(figure, f"figures/{file}.png")
    for file, rows in _tables(found).items():
        run.log_text(reporting.csv_text(rows), file)
    sections = _discussion([found])
    left_out = [f"`{way}` does not apply: {reason}." for way, reason in skipped.items()]
    table = reporting.markdown_table(COLUMNS, [tuple(map(_text, row.values())) for row in _ways(found)])
    text = "\n\n".join([table, *left_out, analysis.as_markdown(sections)])
    run.log_text(text, "discussion.md")
    run.log_json({"ways": _ways(found), "ladder": ladder_rows(found), "skipped": dict(skipped)}, "transfer.json")
    run.describe(f"**{found.name}**, trained on {found.source}, in the domain **{found.target.name}**.\n\n{text}")
    return sections


def comparison_name(findings: Sequence[Findings]) -> str:
    """Return what a comparison of networks or domains is called."""
    return f"transfer to {', '.join(dict.fromkeys(found.target.name for found in findings))}"


def record_comparison(run: Run, findings: Sequence[Findings]) -> tuple[Section, ...]:
    """Write what several networks and domains show together; return it in words."""
    networks, targets = (
        dict.fromkeys(found.name for found in findings),
        dict.fromkeys(found.target.name for found in findings),
    )
    run.log_params({"models": ", ".join(networks), "targets": ", ".join(targets)})
    run.log_figure(reporting.transfer_matrix(_matrix(findings), "Accuracy at home and abroad"), "figures/matrix.png")
    for target in targets:
        group = [found for found in findings if found.target.name == target]
        for file, figure in _compared(group, f"to {target}"):
            run.log_figure(figure, f"figures/{target}/{file}.png")
    rows = [{"model": found.name, "source": found.source, "target": found.target.name, **row}
            for found in findings for row in _ways(found)]  # fmt: skip
    run.log_text(reporting.csv_text(rows), "results.csv")
    run.log_json(rows, "results.json")
    sections = _discussion(findings)
    table = reporting.markdown_table(
        ("model", "source", "target", *COLUMNS), [tuple(map(_text, row.values())) for row in rows]
    )
    text = f"{table}\n\n{analysis.as_markdown(sections)}"
    run.log_text(text, "discussion.md")
    run.describe(f"{', '.join(networks)} in the domains {', '.join(targets)}.\n\n{text}")
    return sections


def _ways(found: Findings) -> list[dict[str, Any]]:
    return [
        {"adapt": way, **numbers(found.target, outcome), "seconds": round(outcome.seconds, 2)}
        for way, outcome in found.outcomes.items()
    ]


def _from_before(curve: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return the rows of a curve from the state before to the last step, NaN where nothing was measured.

    A row of the state is one value longer than what was descended, or has the states before and after alone.
    """
    last = max((len(values) for name, values in curve.items() if name not in STATE), default=1)
    rows = {}
    for name, values in curve.items():
        row = [nan] * (last + 1)
        if name not in STATE:
            row[1:] = values
        elif len(values) == last + 1:
            row = list(values)
        else:
            row[0], row[-1] = values[0], values[-1]
        rows[name] = row
    return rows


def _unit(method: str) -> str:
    return "step" if method == "tent" else "epoch"


def _steps(rows: Mapping[str, Sequence[float]]) -> Iterator[tuple[int, dict[str, float]]]:
    for step in range(max(map(len, rows.values()), default=0)):
        yield step, {name: values[step] for name, values in rows.items() if not isnan(values[step])}


def _predictions(found: Findings, outcome: Outcome) -> list[dict[str, Any]]:
    if found.target.labels is not None:
        return evaluation.predictions_table(found.target.labels, outcome.probabilities)
    digits, sure = outcome.probabilities.argmax(axis=1).tolist(), outcome.probabilities.max(axis=1).tolist()
    files = found.target.files or range(len(digits))
    column = "file" if found.target.files else "index"
    rows = zip(files, digits, sure, strict=True)
    return [{column: file, "predicted": digit, "probability": round(p, 6)} for file, digit, p in rows]


def _changed(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "the target has no labels to measure by"
    return f"accuracy {before:.4f} before, {after:.4f} after"


def _metrics(found: Findings) -> dict[str, float]:
    plain = found.outcomes[NONE]
    metrics: dict[str, float] = {"source_accuracy": found.at_home.accuracy}
    if plain.metrics:
        own = {name: value for name, value in numbers(found.target, plain).items() if value is not None}
        changes = {f"recall_change_{digit}": change for digit, change in enumerate(_changes(found))}
        metrics |= {**plain.metrics.scalars(), **own, **changes}
        metrics |= {f"adapt/{way}": outcome.metrics.accuracy for way, outcome in found.outcomes.items()
                    if outcome.metrics}  # fmt: skip
        metrics |= {f"alignment/{rung.alignment}": rung.outcome.metrics.accuracy for rung in found.ladder
                    if rung.outcome.metrics}  # fmt: skip
        metrics |= {f"corruption/{name}": accuracy for name, accuracy in corruptions(found).items()}
        if (error := corruption_error(found)) is not None:
            metrics["mean_corruption_error"] = error
    metrics |= {f"seconds/{way}": outcome.seconds for way, outcome in found.outcomes.items()}
    if found.shift:
        numbers_of = {name: value for name, value in asdict(found.shift).items() if name != "class_distances"}
        apart = {f"class_distance_{digit}": value for digit, value in enumerate(found.shift.class_distances)}
        metrics |= {f"shift/{name}": float(value) for name, value in {**numbers_of, **apart}.items()}
    if shots := found.few_shot:
        for i, k in enumerate(shots.per_class):
            metrics[f"few_shot/{k or 'all'}/fine_tuned"] = float(shots.fine_tuned[i].mean())
            metrics[f"few_shot/{k or 'all'}/scratch"] = float(shots.scratch[i].mean())
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def corruptions(found: Findings) -> dict[str, float]:
    """Return the accuracy under each corruption; empty where the target is not of corrupted digits."""
    if found.target.views == 1 or found.target.labels is None:
        return {}
    predicted = found.outcomes[NONE].probabilities.argmax(axis=1)
    right = transfer.correct_by_corruption(found.target.labels, predicted)
    return {name: float(one.mean()) for name, one in right.items()}


def corruption_error(found: Findings) -> float | None:
    """Return the mean corruption error; None without corruptions or without the network it is relative to."""
    if not found.baseline:
        return None
    return transfer.mean_corruption_error(corruptions(found), found.baseline)


def _changes(found: Findings) -> list[float]:
    """Return the change of each digit's recall from source to target, NaN for one that the target does not have."""
    there = found.outcomes[NONE].metrics
    if there is None:
        return [nan] * CLASSES
    both = zip(found.at_home.per_class, there.per_class, strict=True)
    return [new.recall - old.recall if new.support and old.support else nan for old, new in both]


def _tables(found: Findings) -> dict[str, list[dict[str, Any]]]:
    tables = {"ladder.csv": ladder_rows(found)} if found.ladder else {}
    metrics = found.outcomes[NONE].metrics
    if metrics:
        changes = _changes(found)
        tables["per_class.csv"] = [{**vars(one), "recall_change": changes[one.digit]} for one in metrics.per_class]
        tables["confused_pairs.csv"] = _confused(metrics)
    if rows := corruptions(found):
        tables["corruptions.csv"] = [
            {"corruption": name, "accuracy": accuracy, "baseline": (found.baseline or {}).get(name)}
            for name, accuracy in rows.items()
        ]
    if shots := found.few_shot:
        tables["few_shot.csv"] = [
            {"per_class": k or "all", "digits": shots.digits[i], "seed": seed,
             "fine_tuned": shots.fine_tuned[i, seed], "scratch": shots.scratch[i, seed]}
            for i, k in enumerate(shots.per_class)
            for seed in range(shots.fine_tuned.shape[1])
        ]  # fmt: skip
    return tables


def _confused(metrics: Metrics) -> list[dict[str, Any]]:
    """Return the pairs of true and predicted digit that occur most often."""
    counts = metrics.confusion.copy()
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = [divmod(int(place), CLASSES) for place in order]
    support = metrics.confusion.sum(axis=1)
    return [
        {
            "digit": true,
            "taken_for": taken,
            "count": int(counts[true, taken]),
            "share": float(counts[true, taken] / support[true]),
        }
        for true, taken in pairs
        if counts[true, taken]
    ]


def _figures(found: Findings, placed: Placed | None) -> Iterator[tuple[str, Any]]:
    title = f"{found.name} on {found.target.name}"
    plain = found.outcomes[NONE]
    if plain.metrics and found.target.labels is not None:
        images, labels = found.target.images, found.target.labels
        yield "confusion", reporting.confusion_heatmap(plain.metrics.confusion, False, f"{title}: confusion")
        normalised = f"{title}: confusion, % of each digit"
        yield "confusion_normalised", reporting.confusion_heatmap(plain.metrics.confusion, True, normalised)
        missed = evaluation.misclassified(labels, plain.probabilities)
        yield (
            "misclassified",
            reporting.misclassified_gallery(
                images, labels, plain.probabilities, missed, f"{title}: misclassified, most confident first"
            ),
        )
        calibrated = evaluation.calibration(labels, plain.probabilities)
        yield "reliability", reporting.reliability_diagram(calibrated, f"{title}: reliability")
        if placed:
            yield "map", _map(found, placed, labels, plain)
    methods = {way: _from_before(one.curve) for way, one in found.outcomes.items() if one.curve}
    if methods:
        named = f"{title}: adaptation without labels"
        yield "adaptation_curves", reporting.adaptation_curve(methods, named, "epoch (tent: step)", first=0)
    if shots := found.few_shot:
        ks: list[int | Literal["all"]] = [k or "all" for k in shots.per_class]
        yield (
            "few_shot",
            reporting.few_shot_curves(
                ks, shots.fine_tuned, shots.scratch, shots.zero_shot, f"{title}: learning from few labelled digits"
            ),
        )
    yield from _compared([found], f"to {found.target.name}")


def _map(found: Findings, placed: Placed, labels: Any, plain: Outcome) -> Any:
    wrong = plain.probabilities.argmax(axis=1) != labels
    return reporting.placed_map(
        placed.reference,
        placed.reference_labels,
        placed.positions,
        labels[placed.chosen],
        wrong[placed.chosen],
        f"{found.target.name} on the map that {found.name} makes of {found.source}",
    )


def _compared(group: Sequence[Findings], where: str) -> Iterator[tuple[str, Any]]:
    """Return the figures that show one network or several in one domain."""
    labelled = [found for found in group if found.target.labels is not None]
    if not labelled:
        return
    home = ", ".join(dict.fromkeys(found.source for found in group))
    route = f"From {home} {where}"
    changes = {found.name: _changes(found) for found in labelled}
    yield "class_changes", reporting.class_changes(changes, f"{route}: change of recall")
    ladders = {
        found.name: {rung.alignment: interval(found.target, rung.outcome) for rung in found.ladder}
        for found in labelled
        if found.ladder
    }
    if ladders:
        yield "alignment", reporting.alignment_ladder(ladders, f"{route}: alignment, no training")
    gains = [gain for found in labelled for gain in _gains(found)]
    if gains:
        yield "adaptation", reporting.adaptation_gains(gains, f"{route}: adaptation without labels")
    accuracies = {found.name: corruptions(found) for found in labelled if corruptions(found)}
    if accuracies:
        clean = {found.name: found.at_home.accuracy for found in labelled}
        errors = {found.name: error for found in labelled if (error := corruption_error(found)) is not None}
        yield "corruptions", reporting.corruption_heatmap(accuracies, clean, f"{route}: corruptions", errors)
    shifts = {found.name: _shift_row(found) for found in labelled if found.shift}
    if shifts:
        yield "shift", reporting.shift_chart(shifts, f"{route}: shift in feature space")


def _gains(found: Findings) -> Iterator[reporting.Gain]:
    plain = found.outcomes[NONE].metrics
    for way, outcome in found.outcomes.items():
        if way != NONE and plain:
            accuracy, low, high = interval(found.target, outcome)
            yield reporting.Gain(found.name, way, plain.accuracy, (accuracy, low, high))


def _shift_row(found: Findings) -> dict[str, float]:
    shift, metrics = found.shift, found.outcomes[NONE].metrics
    if shift is None or metrics is None:
        return {}
    return {
        "MMD²": shift.mmd,
        "CORAL distance": shift.coral,
        "proxy A-distance": shift.a_distance,
        "error in the target": 1 - metrics.accuracy,
    }


def _matrix(findings: Sequence[Findings]) -> dict[str, dict[str, Interval]]:
    matrix: dict[str, dict[str, Interval]] = {}
    for found in findings:
        row = matrix.setdefault(f"{found.name} on {found.source}", {})
        home = found.at_home
        row[found.source] = (home.accuracy, home.accuracy_low, home.accuracy_high)
        row[found.target.name] = interval(found.target, found.outcomes[NONE])
    return matrix


def _discussion(findings: Sequence[Findings]) -> tuple[Section, ...]:
    """Say what the numbers show, route by route."""
    routes: dict[tuple[str, str], list[Findings]] = {}
    for found in findings:
        routes.setdefault((found.source, found.target.name), []).append(found)
    sections: list[Section] = []
    for (home, target), group in routes.items():
        corrupted = {found.name: found for found in findings if found.source == home and _of_its_source(found)}
        known = [_transfer(found, corrupted.get(found.name)) for found in group if found.outcomes[NONE].metrics]
        sections += transfer.explain(known, home, target)
        if len(known) < len(group):
            sections.append(Section(target, ("It has no labels: what is right and wrong there cannot be told.",)))
    return tuple(sections)


def _of_its_source(found: Findings) -> bool:
    """Return whether the target is of the source's digits under corruptions, and labelled."""
    published = [datasets.DERIVED[name].source.name if name in datasets.DERIVED else name
                 for name in (found.source, found.target.name)]  # fmt: skip
    return published[0] == published[1] and bool(corruptions(found))


def _transfer(found: Findings, corrupted: Findings | None) -> Transfer:
    plain = found.outcomes[NONE].metrics
    assert plain is not None  # noqa: S101 - the caller has left those without out
    n = len(found.target.images)
    placed = [rung for rung in found.ladder if rung.alignment not in {DESKEW, STROKE}]
    return Transfer(
        name=found.name,
        source=found.at_home,
        target=plain,
        shift=found.shift,
        alignments=_accuracies(placed),
        alignment=next((rung.alignment for rung in found.ladder if _same(rung, found)), ""),
        deskewed=_deskewed(found),
        corruptions=corruptions(corrupted) if corrupted else {},
        adaptations={
            way: transfer.Adaptation(plain.accuracy, outcome.metrics.accuracy, n)
            for way, outcome in found.outcomes.items()
            if way not in (NONE, ALIGN) and outcome.metrics
        },
        right=found.outcomes[NONE].probabilities.argmax(axis=1) == found.target.labels,
        views=found.target.views,
    )


def _accuracies(rungs: Sequence[Rung]) -> dict[str, float]:
    return {rung.alignment: rung.outcome.metrics.accuracy for rung in rungs if rung.outcome.metrics}


def _same(rung: Rung, found: Findings) -> bool:
    """Return whether a rung is the network as it was used without any alignment being asked for."""
    plain = found.outcomes[NONE].probabilities
    return rung.network == found.name and np.array_equal(rung.outcome.probabilities, plain)


def _deskewed(found: Findings) -> transfer.Deskewed | None:
    rungs = [rung for rung in found.ladder if rung.alignment in {DESKEW, STROKE}]
    return transfer.Deskewed(rungs[0].network, _accuracies(rungs)) if rungs else None


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
