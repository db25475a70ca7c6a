"""What is said of transfers whose truth is known, and what is not said where there is no evidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.evaluation import Metrics, measure
from experiments.transfer.comparison_summary import summarize_models
from experiments.transfer.explanation_input import AdaptationEffect, DeskewedModel, ExplanationInput
from experiments.transfer.shift import Shift

NO_CLASSES = (math.nan,) * 10


def metrics(
    accuracy: float | Mapping[int, float], a_class: int = 200, taken_for: Mapping[int, int] | None = None
) -> Metrics:
    """Return metrics with this accuracy in each digit of so many images; mistakes go round, or to one digit."""
    by_digit = accuracy if isinstance(accuracy, Mapping) else dict.fromkeys(range(10), accuracy)
    labels, said = [], []
    for digit, share in by_digit.items():
        right = round(share * a_class)
        others = [other for other in range(10) if other != digit]
        wrong = [(taken_for or {}).get(digit, others[i % 9]) for i in range(a_class - right)]
        labels += [digit] * a_class
        said += [digit] * right + wrong
    return measure(np.array(labels), np.eye(10)[said])


def moved(p_value: float = 0.001, **changes: Any) -> Shift:
    numbers = {"mmd": 0.12, "mmd_chance": 0.001, "coral": 0.04, "coral_chance": 0.001, "a_distance": 1.8}
    return Shift(**{**numbers, "mmd_p_value": p_value, "class_distances": NO_CLASSES, "sample": 2000, **changes})


def sentences(transfers: Sequence[ExplanationInput]) -> list[str]:
    return [sentence for section in summarize_models(transfers, "MNIST", "USPS") for sentence in section.sentences]


def said(*transfers: ExplanationInput) -> str:
    return " ".join(sentences(transfers))


def right(metrics: Metrics, seed: int) -> NDArray[np.bool_]:
    """Return which images a network gets right, in an order of its own."""
    return np.random.default_rng(seed).permutation(metrics.n) < round(metrics.accuracy * metrics.n)


def test_a_loss_is_told_with_its_intervals() -> None:
    text = said(ExplanationInput("mlp", metrics(0.98, 1000), metrics(0.70)))
    assert "mlp classifies 98.0% of MNIST correctly (97.7% to 98.3%) and 70.0% of USPS (68.0% to 72.0%)" in text
    # Newcombe's interval, as by hand: 0.28 - hypot(0.0029, 0.0197) to 0.28 + hypot(0.0026, 0.0204).
    assert "it loses 28.0 points (95 % interval 26.0 to 30.1), which is significant (p = " in text


def test_a_gain_is_told_as_one() -> None:
    text = said(ExplanationInput("mlp", metrics(0.90), metrics({**dict.fromkeys(range(10), 0.97), 4: 1.0})))
    assert "it gains 7.3 points (95 % interval 5.8 to 8.8), which is significant" in text
    assert "lose" not in text
    assert "By class, 4 (from 90.0% to 100.0%) gains significantly; for the others no gain is significant." in text


def test_of_no_difference_nothing_is_made() -> None:
    one = metrics(0.97, 1000)
    found = sentences([ExplanationInput("mlp", one, one, moved(0.4, mmd=0.0004))])
    assert len(found) == 3
    assert "the difference is not significant (p = 1)" in found[0]
    assert "keep" in found[1]
    assert found[2].startswith("The shift in its feature space is not significant (squared MMD 0.0004")


def test_digits_that_suffer_are_named_and_no_others() -> None:
    target = metrics({**dict.fromkeys(range(10), 0.98), 9: 0.5, 7: 0.7}, taken_for={9: 7, 7: 1})
    text = said(ExplanationInput("mlp", metrics(0.98, 1000), target))
    named = "9 (from 98.0% to 50.0%) and 7 (from 98.0% to 70.0%)"
    assert f"By class, {named} lose significantly; for the others no loss is significant." in text
    assert "Significantly more often than on MNIST, it misclassifies 9 as 7 (50.0%, there 0." in text
    assert "and 7 as 1 (30.0%, there 0." in text
    assert "not occur" not in text


def test_of_many_digits_the_worst_are_named() -> None:
    target = metrics({digit: 0.9 - 0.05 * digit for digit in range(10)})
    text = said(ExplanationInput("mlp", metrics(0.99, 1000), target))
    assert (
        "10 of 10 classes lose significantly, most of all 9 (from 99.0% to 45.0%), 8 (from 99.0% to 50.0%) and 7"
        in text
    )


def test_only_what_hardly_can_have_lost_is_said_to_be_kept() -> None:
    many = said(ExplanationInput("mlp", metrics(0.98, 2000), metrics({0: 0.98, 1: 0.6}, 2000)))
    assert "0 keeps its accuracy: the loss is at most 5.0 points (95 % confidence" in many
    few = said(ExplanationInput("mlp", metrics(0.98, 2000), metrics({0: 0.96, 1: 0.6}, 25)))
    assert "keeps its accuracy" not in few
    bad = said(ExplanationInput("mlp", metrics({0: 0.5, 1: 0.98}, 20_000), metrics({0: 0.5, 1: 0.6}, 20_000)))
    assert "keeps its accuracy" not in bad
    scarce = said(ExplanationInput("mlp", metrics({0: 1.0}, 5_000), metrics({0: 1.0}, 300), variants=15))
    assert "keeps its accuracy" not in scarce


def test_digits_missing_in_the_target_are_told_and_never_judged() -> None:
    target = metrics(dict.fromkeys(range(8), 0.5), taken_for={0: 9})
    text = said(ExplanationInput("mlp", metrics(0.98), target, moved(class_distances=(1.0,) * 8 + (math.nan,) * 2)))
    assert "8 and 9 do not occur in USPS" in text
    assert "0 as 9 (50.0%" in text
    assert "9 (98.0%" not in text
    (one,) = (x for x in sentences([ExplanationInput("mlp", metrics(0.98), metrics({3: 0.98}))]) if "not occur" in x)
    assert one.startswith("0, 1, 2, 4, 5, 6, 7, 8 and 9 do not occur")


def test_a_shift_is_told_with_what_chance_gives() -> None:
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.7), moved()))
    assert (
        "The domains differ significantly in its feature space (squared MMD 0.12, 95 % of permutations below 0.001)."
        in text
    )
    assert "recognizes the domain of about 95% of the images, against 50% by guessing (A-distance 1.80 of 2)." in text
    assert "CORAL distance is about 40 times its mean between two samples of the source" in text
    assert "CORAL" not in said(ExplanationInput("mlp", metrics(0.98), metrics(0.7), moved(coral=0.006)))
    assert "Kendall" not in text


@pytest.mark.parametrize(("sign", "word"), [(1, "more"), (-1, "less")])
def test_classes_that_move_and_lose_together_are_told(sign: int, word: str) -> None:
    target = metrics({digit: 0.95 - 0.05 * digit for digit in range(10)})
    distances = tuple(1 + sign * 0.05 * digit for digit in range(10))
    text = said(ExplanationInput("mlp", metrics(0.98), target, moved(class_distances=distances)))
    assert (
        f"of a class moves in feature space, the {word} it loses (Kendall's rank correlation {sign}.00 over 10 classes)"
        in text
    )


def hits(share: float, n: int = 2000, seed: int | None = None) -> NDArray[np.bool_]:
    """Return that many right ones: each larger share has those of the smaller, or they are any that a seed draws."""
    order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    return np.asarray(order < round(share * n))


def ladder(**shares: float) -> dict[str, NDArray[np.bool_]]:
    return {name: hits(share) for name, share in shares.items()}


def test_alignment_closes_part_of_the_gap() -> None:
    source, target = metrics(0.98, 1000), metrics(0.70)
    text = said(
        ExplanationInput("mlp", source, target, alignments=ladder(resize=0.7, centre=0.8, box=0.91, frame=0.65))
    )
    assert (
        "With alignment resize it classifies 70.0% of USPS correctly, with box 91.0%, "
        "significantly more by 21.0 points: "
        "about 75%" in text
    )
    assert "about 75% of the gap of 28.0 points; the rest, 7.0 points, is significant." in text
    assert (
        "Compared with resize (70.0%), centre raises it to 80.0% and frame lowers it to 65.0%, significantly." in text
    )
    assert "The best alignment in hindsight, by the test labels, is box (91.0%)." in text
    assert "All of the above" not in text
    assert "no change" not in text
    whole = said(ExplanationInput("mlp", source, target, alignments=ladder(resize=0.7, box=0.985)))
    assert "significantly more by 28.5 points: about all of the gap of 28.0 points." in whole
    nearly = said(ExplanationInput("mlp", source, target, alignments=ladder(resize=0.7, box=0.975)))
    assert "the rest, 0.5 points, is not significant." in nearly
    gained = said(ExplanationInput("mlp", metrics(0.9), metrics(0.95), alignments=ladder(resize=0.95, box=0.99)))
    assert "with box 99.0%, significantly more by 4.0 points." in gained


def test_the_headline_is_of_box_and_not_of_what_labels_chose() -> None:
    text = said(
        ExplanationInput("mlp", metrics(0.98), metrics(0.7), alignments=ladder(resize=0.7, frame=0.95, box=0.8))
    )
    assert "with box 80.0%, significantly more by 10.0 points" in text
    assert "Compared with resize (70.0%), frame raises it to 95.0%, significantly." in text
    assert "in hindsight, by the test labels, is frame (95.0%)" in text
    same = said(ExplanationInput("mlp", metrics(0.98), metrics(0.7), alignments=ladder(resize=0.7, frame=0.95)))
    assert "With alignment" not in same
    assert "frame raises it to 95.0%" in same


def test_alignments_that_lower_the_accuracy_are_said_to() -> None:
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.70), alignments=ladder(resize=0.7, bad=0.6, box=0.5)))
    assert (
        "With alignment resize it classifies 70.0% of USPS correctly, with box 50.0%, "
        "significantly less by 20.0 points." in text
    )
    assert "bad lowers it to 60.0%, significantly" in text


def test_what_is_not_shown_of_an_alignment_is_not_said_to_be_absent() -> None:
    found = {
        name: hits(share, seed=i) for i, (name, share) in enumerate((("resize", 0.7), ("frame", 0.71), ("box", 0.7)))
    }
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.70), alignments=found))
    assert "it classifies 70.0% of USPS correctly, with box 70.0%: the difference is not significant." in text
    assert "For frame no change is significant." in text
    assert "does not" not in text


def test_the_same_digits_tell_what_shares_of_different_ones_do_not() -> None:
    # 42.0 % against 51.3 %, each of 300 digits in 15 views: by Fisher's test on 300, p is 0.03.
    rng = np.random.default_rng(0)
    ease = rng.beta(0.5, 0.6, 300)
    before, after = ((rng.random((15, 300)) < np.clip(ease + more, 0, 1)).ravel() for more in (0, 0.06))
    one = in_views("mlp", before)
    text = said(
        replace(one, alignments={"resize": before, "box": after}, adaptations={"shot": AdaptationEffect(before, after)})
    )
    assert "significantly more by" in text
    assert "Adaptation by shot raises its accuracy significantly, from" in text


def test_views_make_no_false_findings_of_alignments_and_adaptations() -> None:
    rng = np.random.default_rng(3)
    found = [" ".join(alone_sentences(rng)) for _ in range(200)]
    assert all("For adabn and tent no change is significant" in text for text in found if "Adaptation by" not in text)
    for word in (
        "significantly less",
        "significantly more by",
        "Compared with",
        "Adaptation by",
        "points, significantly",
    ):
        assert np.mean([word in text for text in found]) < 0.03


def alone_sentences(rng: np.random.Generator) -> list[str]:
    """Return what is said where no alignment or adaptation changes how easy any digit is."""
    ease = rng.beta(1.6, 0.4, 200)
    plain, *others = ((rng.random((15, 200)) < ease).ravel() for _ in range(6))
    return sentences(
        [
            replace(
                in_views("mlp", plain),
                alignments=dict(zip(("resize", "frame", "box"), (plain, *others[:2]), strict=True)),
                deskewed=DeskewedModel("upright", {"deskew": others[2]}),
                adaptations={"adabn": AdaptationEffect(plain, others[3]), "tent": AdaptationEffect(plain, others[4])},
            )
        ]
    )


def test_the_alignment_that_all_else_is_measured_with_is_told() -> None:
    one = ExplanationInput(
        "mlp", metrics(0.98), metrics(0.91), alignments=ladder(resize=0.70, box=0.91), alignment="box"
    )
    assert "All of the above is with USPS aligned by box. With alignment resize it classifies 70.0%" in said(one)


def deskewed(name: str = "upright", **shares: float) -> ExplanationInput:
    upright = DeskewedModel(name, ladder(**shares))
    return ExplanationInput(
        "mlp", metrics(0.98), metrics(0.91), alignments=ladder(resize=0.7, box=0.91), deskewed=upright
    )


def test_what_deskewing_both_domains_adds_is_told_apart_from_alignment() -> None:
    text = said(deskewed(deskew=0.94, stroke=0.96))
    assert "With alignment resize it classifies 70.0% of USPS correctly, with box 91.0%" in text
    assert "upright, trained and used on deskewed images, has 94.0% with deskew and 96.0% with stroke: " in text
    assert (
        "compared with box (91.0%), deskew adds 3.0 points and stroke adds 5.0 points, significantly; the variation"
        in text
    )
    assert "in hindsight, by the test labels, is stroke (96.0%)." in text
    assert "deskew loses 9.0 points, significantly" in said(deskewed(deskew=0.82))
    alike = said(deskewed(deskew=0.9105))
    assert "has 91.0% with deskew; with box mlp has 91.0%. For deskew no change is significant." in alike
    partly = said(deskewed(deskew=0.91, stroke=0.96))
    assert "stroke adds 5.0 points, significantly; the variation" in partly
    assert "are box" not in partly
    assert "For deskew no change" in partly
    assert "deskew" not in said(deskewed())


def test_without_box_deskewing_is_compared_with_the_last_alignment() -> None:
    upright = DeskewedModel("upright", ladder(deskew=0.94))
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.7), alignments=ladder(resize=0.7), deskewed=upright))
    assert "compared with resize (70.0%), deskew adds 24.0 points, significantly" in text
    assert "With alignment" not in text


def test_a_network_that_was_trained_on_deskewed_digits_is_no_other_one() -> None:
    text = said(deskewed("mlp", deskew=0.94))
    assert "On deskewed images, as it was trained, it has 94.0% with deskew: compared with box (91.0%), deskew" in text
    assert "between two trainings" not in text
    assert "; with box it has 91.0%. For deskew" in said(deskewed("mlp", deskew=0.91))
    assert "The best alignment in hindsight, by the test labels, are box and deskew (91.0%)." in said(
        deskewed(deskew=0.91)
    )


@pytest.mark.parametrize("shares", [{}, {"resize": 0.7}])
def test_a_ladder_without_two_rungs_is_passed_over(shares: dict[str, float]) -> None:
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.70), alignments=ladder(**shares)))
    assert "align" not in text.lower()
    assert "hindsight" not in text


def test_corruptions_that_hurt_are_named_and_fit_what_alignment_mends() -> None:
    corruptions = {"translate": 0.4, "scale": 0.8, "fog": 0.979, "motion_blur": 0.9, "shot_noise": math.nan}
    source, target = metrics(0.98, 1000), metrics(0.70)
    alone = said(ExplanationInput("mlp", source, target, corruptions=corruptions))
    assert (
        "3 of 4 corruptions of MNIST lower its accuracy significantly: translate (to 40.0%), scale (to 80.0%) and"
        in alone
    )
    assert "motion blur (to 90.0%)" in alone
    assert "consistent with" not in alone
    one = ExplanationInput("mlp", source, target, corruptions=corruptions, alignments=ladder(resize=0.7, box=0.9))
    mended = said(one)
    assert "The loss under translate and scale is consistent with the gain of alignment: box, which moves" in mended
    assert "scales images, closes at least half of the gap (99 % confidence)." in mended
    for little in (0.8, 0.85):  # 36 % and 54 %, the latter not beyond chance half or more
        assert "consistent with" not in said(replace(one, alignments=ladder(resize=0.7, box=little)))
    assert "consistent with" not in said(replace(one, alignments=ladder(resize=0.7, frame=0.95)))
    upright = DeskewedModel("upright", ladder(deskew=0.97))
    another = said(replace(one, alignments=ladder(resize=0.7), deskewed=upright))
    assert "deskew adds 27.0 points" in another
    assert "consistent with" not in another
    assert "consistent with" not in said(replace(one, corruptions={"rotate": 0.4, "shear": 0.8}))


def test_adaptations_are_told_apart_by_what_they_change() -> None:
    start, few = hits(0.70, 2007), hits(0.7, 20)
    methods = {
        "batch norm": AdaptationEffect(start, hits(0.85, 2007)),
        "coral": AdaptationEffect(hits(0.7, 2007, seed=0), hits(0.71, 2007, seed=1)),
        "few": AdaptationEffect(few, hits(0.8, 20)),
        "bad": AdaptationEffect(start, hits(0.40, 2007)),
    }
    text = said(ExplanationInput("mlp", metrics(0.98), metrics(0.70), adaptations=methods))
    assert "Adaptation by batch norm raises its accuracy significantly, from 70.0% to 85.0% of 2,007 images." in text
    assert "Adaptation by bad lowers its accuracy significantly, from 70.0% to 40.0%" in text
    assert "For coral and few no change is significant." in text


def test_two_networks_are_told_apart() -> None:
    source, worse, better = metrics(0.98, 1000), metrics({**dict.fromkeys(range(10), 0.8), 9: 0.4}), metrics(0.94)
    rights = [right(worse, 0), right(better, 1)]
    corruptions = {"translate": 0.5, "fog": 0.9, "zigzag": 0.8}
    mlp = ExplanationInput("mlp", source, worse, moved(), corruptions=corruptions, correct=rights[0])
    cnn = ExplanationInput(
        "cnn",
        source,
        better,
        moved(a_distance=1.2),
        corruptions={"translate": 0.9, "fog": 0.7, "other": 0.1, "zigzag": 0.8},
        correct=rights[1],
    )
    for pair in ((mlp, cnn), (cnn, mlp)):
        text = said(*pair)
        assert "In comparison, cnn loses 4.0 points and mlp loses 22.0 points" in text
        assert "; cnn loses significantly less than mlp." in text
        assert f"{(rights[1] & ~rights[0]).sum()} images of USPS are classified correctly by cnn alone, " in text
        assert f", {(rights[0] & ~rights[1]).sum()} by mlp alone (significant by McNemar's test)." in text
        assert "On USPS, cnn recognizes 9 (94.0% against 40.0%), " in text
        assert "cnn withstands translate (90.0% against 50.0%) better than mlp." in text
        assert "mlp withstands fog (90.0% against 70.0%) better than cnn." in text
        assert "The features of cnn shift less, too (A-distance about 1.20 against 1.80)." in text
        assert "Over the" not in text


def test_a_smaller_loss_under_a_larger_shift_is_not_laid_to_the_shift() -> None:
    source = metrics(0.98, 1000)
    text = said(
        ExplanationInput("mlp", source, metrics(0.7), moved(a_distance=1.2)),
        ExplanationInput("cnn", source, metrics(0.95), moved()),
    )
    assert "The features of cnn shift more nevertheless (A-distance about 1.80 against 1.20)." in text


def test_networks_that_are_alike_are_not_told_apart() -> None:
    source = metrics(0.98, 1000)
    text = said(ExplanationInput("mlp", source, metrics(0.9)), ExplanationInput("cnn", source, metrics(0.905)))
    assert "; the difference between cnn and mlp is not significant." in text
    for word in ("recognizes", "stands", "cnn alone", "loses significantly"):
        assert word not in text


def test_networks_whose_losses_do_not_tell_may_differ_image_by_image() -> None:
    source, n = metrics(0.98, 1000), 2000
    nets = [ExplanationInput(name, source, metrics(x), correct=hits(x, n)) for name, x in (("mlp", 0.9), ("cnn", 0.91))]
    text = said(*nets)
    assert "; the difference between cnn and mlp is not significant." in text
    assert (
        "20 images of USPS are classified correctly by cnn alone, 0 by mlp alone (significant by McNemar's test)."
        in text
    )


def test_of_several_networks_those_beaten_are_named() -> None:
    source = metrics(0.98, 1000)
    losing = [ExplanationInput(f"net{i}", source, metrics(0.9 - 0.1 * i), moved(mmd=0.1 + 0.1 * i)) for i in range(7)]
    near = ExplanationInput("near", source, metrics(0.895))
    text = said(*losing, near)
    assert "net0 loses significantly less than net1, net2, net3, net4, net5 and net6." in text
    assert "Over the 7 models, the farther features shift, the more is lost (Kendall's rank correlation 1.00)" in text


def seen(rng: np.random.Generator, accuracy: float, digits: int = 200, views: int = 15) -> NDArray[np.bool_]:
    """Return which views of digits are recognised, all digits in the first view first; some digits are easier."""
    ease = rng.beta(2 * accuracy, 2 * (1 - accuracy), digits)
    return (rng.random((views, digits)) < ease).ravel()


def in_views(name: str, right: NDArray[np.bool_], views: int = 15, known: bool = True) -> ExplanationInput:
    """Return a network at home with 80 % and in a domain of views; its mistakes are spread over the digits."""
    labels = np.tile(np.arange(len(right) // views) % 10, views)
    wrong = (labels + 1 + np.arange(len(right)) // 10 % 9) % 10
    target = measure(labels, np.eye(10)[np.where(right, labels, wrong)])
    return ExplanationInput(name, metrics(0.8), target, correct=right if known else None, variants=views)


@pytest.mark.parametrize("known", [True, False])
def test_views_of_the_same_digits_make_no_false_findings(known: bool) -> None:
    rng = np.random.default_rng(0)
    texts = [said(in_views("mlp", seen(rng, 0.8), known=known)) for _ in range(100)]
    found = [
        any(
            word in text
            for word in (
                "lose significantly",
                "loses significantly",
                "gain significantly",
                "gains significantly",
                "which is significant",
                "more often",
            )
        )
        for text in texts
    ]
    assert np.mean(found) < 0.05


def test_views_make_no_false_findings_between_networks() -> None:
    rng = np.random.default_rng(1)
    pairs = [[in_views(name, seen(rng, 0.8)) for name in ("mlp", "cnn")] for _ in range(100)]
    false = [summarize_models(pair)[-1].sentences for pair in pairs]
    assert np.mean(["significant" in " ".join(x).replace("not significant", "") for x in false]) < 0.05


def test_views_are_told_by_their_true_numbers() -> None:
    rng = np.random.default_rng(2)
    worse, better = (in_views(name, seen(rng, share)) for name, share in (("mlp", 0.3), ("cnn", 0.7)))
    text = said(worse)
    assert f"and {worse.target.accuracy:.1%} of USPS (" in text
    assert "The 3,000 images of USPS are 15 variants of each of 200: together they count as " in text
    assert "independent images (200 in comparisons by class)." in text
    assert "together they count as 200 independent images." in said(in_views("mlp", seen(rng, 0.3), known=False))
    assert "variants of" not in said(in_views("mlp", seen(rng, 0.3), views=1))
    both = [one.correct.reshape(15, -1).sum(axis=0) for one in (better, worse) if one.correct is not None]
    more, less = int((both[0] > both[1]).sum()), int((both[0] < both[1]).sum())
    assert (
        f"Of 200 images, cnn classifies {more} correctly in more of their 15 variants, mlp {less} (significant"
        in said(worse, better)
    )


def test_each_network_has_a_section_and_all_have_one() -> None:
    networks = [ExplanationInput(name, metrics(0.98), metrics(0.7)) for name in ("mlp", "cnn")]
    headings = [section.heading for section in summarize_models(networks, "MNIST", "USPS")]
    assert headings == ["mlp on USPS", "cnn on USPS", "Comparison, from MNIST to USPS"]


def test_one_network_is_explained_alone_and_none_not_at_all() -> None:
    assert summarize_models([]) == ()
    assert "In comparison" not in said(ExplanationInput("mlp", metrics(0.98), metrics(0.7)))


def test_a_shift_that_is_not_a_number_is_passed_over() -> None:
    nothing = moved(math.nan, mmd=math.nan, mmd_chance=math.nan, coral=math.nan, a_distance=math.nan)
    one = ExplanationInput("mlp", metrics(0.98), metrics(0.7), nothing)
    assert summarize_models([one]) == summarize_models([ExplanationInput("mlp", one.source, one.target)])
    text = said(one, ExplanationInput("cnn", one.source, metrics(0.95), moved(coral=math.nan, a_distance=math.nan)))
    assert "nan" not in text
    assert "A-distance" not in text


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_of_two_samples_of_the_same_digits_little_is_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = (measure(labels, np.eye(10)[guess(labels, rng)]) for labels in rng.integers(0, 10, (2, 800)))
    said = sentences([ExplanationInput("a", source, target), ExplanationInput("b", target, source)])
    no_findings = ("not significant", "no change is significant", "which is significant (p")  # the last: of the loss
    found = [x for x in said if "significant" in x and not any(text in x for text in no_findings)]
    assert len(found) <= 2  # at 1 % a test, one chance finding is rare, and one turned round with it


def guess(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    wrong = rng.random(len(labels)) < 0.1
    return np.where(wrong, rng.integers(0, 10, len(labels)), labels)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=1),
    st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=1),
    st.dictionaries(st.sampled_from(["a", "translate", "c_d"]), st.floats(0, 1) | st.just(math.nan)),
)
def test_any_numbers_make_sentences(
    before: dict[int, float], after: dict[int, float], shares: dict[str, float]
) -> None:
    n = 20 * len(after)
    found = {name: hits(share, n) for name, share in shares.items() if math.isfinite(share)}
    adaptations = {name: AdaptationEffect(hits(0.5, n, seed=0), right) for name, right in found.items()}
    one = ExplanationInput(
        "a",
        metrics(before, 30),
        metrics(after, 20),
        moved(),
        found,
        "a",
        DeskewedModel("c", found),
        shares,
        adaptations,
    )
    other = ExplanationInput("b", metrics(after, 20), metrics(before, 30), variants=2)
    for sentence in sentences([one, other, one]):
        assert sentence.endswith(".")
        assert "nan" not in sentence
        assert "  " not in sentence
