"""The verdicts on transfers whose truth is known, and no false alarms where there is no effect."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.datasets.corruptions import CORRUPTIONS
from experiments.evaluation import measure
from experiments.evaluation.effects import Effect, Topic, from_json, to_json
from experiments.reporting.discussion.text import to_markdown
from experiments.reporting.discussion.transfer import TEMPLATES
from experiments.transfer.discussion import discuss
from experiments.transfer.domain import Domain
from experiments.transfer.domain_result import AlignmentResult, DomainResult, MethodResult, method_result
from experiments.transfer.shift import Shift

Digits = NDArray[np.int64]
Correct = NDArray[np.bool_]

NO_IMAGES = np.zeros((0, 28, 28), np.uint8)
VARIANTS = 15
REST = "box against mnist"
WINNER = "cnn against mlp"
CHANGE, IMAGES, DISTANCE = "change of accuracy", "number of images classified better than by the other", "A-distance"
FOUND = {"higher", "lower", "significant"}


def digits(
    accuracy: float | Mapping[int, float], a_class: int = 200, taken_for: Mapping[int, int] | None = None
) -> tuple[Digits, Digits]:
    """Return labels and predictions with this accuracy in each class; mistakes go round, or to one digit."""
    by_digit = accuracy if isinstance(accuracy, Mapping) else dict.fromkeys(range(10), accuracy)
    labels, predicted = [], []
    for digit, share in by_digit.items():
        right = round(share * a_class)
        others = [other for other in range(10) if other != digit]
        labels += [digit] * a_class
        predicted += [digit] * right + [(taken_for or {}).get(digit, others[i % 9]) for i in range(a_class - right)]
    return np.array(labels), np.array(predicted)


def result(
    source: tuple[Digits, Digits],
    target: tuple[Digits, Digits],
    model: str = "mlp",
    variants: int = 1,
    shift: Shift | None = None,
    names: tuple[str, str] = ("mnist", "usps"),
) -> DomainResult:
    domain = Domain(names[1], "as published", NO_IMAGES, NO_IMAGES, target[0], variants)
    plain = method_result(domain, one_hot(target[1]))
    return DomainResult(
        model, model, names[0], domain, measure(source[0], one_hot(source[1])), {"none": plain}, (), shift
    )


def one_hot(predicted: Digits) -> NDArray[np.float32]:
    return np.eye(10, dtype=np.float32)[predicted]


def hits(share: float, n: int = 2000, seed: int | None = None) -> Correct:
    """Return that many correct ones: each larger share has those of the smaller, or they are any that a seed draws."""
    order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    return np.asarray(order < round(share * n))


def of(correct: Correct, **about: Any) -> DomainResult:
    """Return a model with 98 % in the source, and with these correct images in the target."""
    variants = about.get("variants", 1)
    labels = np.tile(np.arange(len(correct) // variants) % 10, variants)
    return result(digits(about.pop("source", 0.98), 1000), (labels, predictions(labels, correct)), **about)


def predictions(labels: Digits, correct: Correct) -> Digits:
    """Return predictions with mistakes that are spread over the digits."""
    return np.where(correct, labels, (labels + 1 + np.arange(len(correct)) // 10 % 9) % 10)


def aligned(one: DomainResult, correct: Mapping[str, Correct], model: str = "upright") -> DomainResult:
    """Return a result with alignments; those that need a deskewed model are by the model named."""
    found = {name: predicted_as(one, right) for name, right in correct.items()}
    owners = {name: model if name in ("deskew", "stroke") else one.model for name in correct}
    return replace(one, alignments=tuple(AlignmentResult(name, owners[name], 0.0, found[name]) for name in found))


def adapted(one: DomainResult, correct: Mapping[str, Correct]) -> DomainResult:
    return replace(one, methods={**one.methods, **{name: predicted_as(one, right) for name, right in correct.items()}})


def predicted_as(one: DomainResult, correct: Correct) -> MethodResult:
    assert one.target.labels is not None
    return method_result(one.target, one_hot(predictions(one.target.labels, correct)))


def moved(p_value: float = 0.001, **changes: Any) -> Shift:
    numbers = {"mmd": 0.12, "mmd_chance": 0.001, "coral": 0.04, "coral_chance": 0.001, "a_distance": 1.8}
    nothing = (math.nan,) * 10
    return Shift(**{**numbers, "mmd_p_value": p_value, "class_distances": nothing, "sample": 2000, **changes})


def topics(*results: DomainResult) -> dict[str, Topic]:
    return {topic.name: topic for topic in discuss(results)}


def effects(name: str, *results: DomainResult, measure: str = "") -> dict[str, Effect]:
    """Return the effects of a topic, of all measures or one, by what is compared."""
    found = topics(*results)
    every = found[name].effects if name in found else ()
    return {effect.what: effect for effect in every if measure in ("", effect.measure)}


def verdicts(name: str, *results: DomainResult) -> dict[str, str]:
    return {what: effect.verdict for what, effect in effects(name, *results).items()}


def number_found(one: Sequence[Topic]) -> int:
    return sum(effect.verdict in FOUND for topic in one for effect in topic.effects)


def test_a_loss_has_newcombe_s_interval() -> None:
    loss = effects("accuracy", result(digits(0.98, 1000), digits(0.70)))["all digits"]
    assert (loss.before, loss.after, loss.verdict) == (0.98, 0.70, "lower")
    # By hand: 0.28 - hypot(0.0029, 0.0197) to 0.28 + hypot(0.0026, 0.0204).
    assert (loss.size, loss.low, loss.high) == pytest.approx((-0.28, -0.3006, -0.2601), abs=5e-4)
    assert loss.p < 1e-16


def test_classes_that_change_are_found_and_no_others() -> None:
    target = digits({**dict.fromkeys(range(10), 0.98), 9: 0.5, 7: 0.7}, taken_for={9: 7, 7: 1})
    one = result(digits(0.98, 1000), target)
    recalls = verdicts("accuracy", one)
    assert {what for what, verdict in recalls.items() if verdict in FOUND} == {"all digits", "digit 7", "digit 9"}
    confusions = effects("confusions", one)
    assert list(confusions) == ["9 as 7", "7 as 1"]
    assert confusions["9 as 7"].after == 0.5
    gained = verdicts("accuracy", result(digits(0.90), digits({**dict.fromkeys(range(10), 0.97), 4: 1.0})))
    assert {what for what, verdict in gained.items() if verdict == "higher"} == {"all digits", "digit 4"}
    assert set(verdicts("accuracy", result(digits(0.99, 1000), digits(0.5))).values()) == {"lower"}


def test_confusions_of_few_images_are_counted_and_not_listed() -> None:
    source, few = digits(0.999, 20_000), {**dict.fromkeys(range(1, 10), 0.999), 0: 0.98}
    (found,) = [one for one in discuss([result(source, digits(few, taken_for={0: 6}))]) if one.name == "confusions"]
    assert found.effects == ()
    assert {"more": 1, "rare": 1, "least": 5}.items() <= found.facts.items()
    facts = topics(result(source, digits(0.999, 20_000)))["confusions"].facts
    assert facts["without_more"] == 90
    assert not {"more", "rare"} & facts.keys()


def test_versions_name_models_of_the_same_label_only() -> None:
    first, second, other = (
        replace(of(hits(0.7), model=model), label=model.removesuffix(" v1").removesuffix(" v2"))
        for model in ("mlp v1", "mlp v2", "cnn v1")
    )
    assert {one.subject for one in discuss([first, other]) if one.name == "accuracy"} == {"mlp on usps", "cnn on usps"}
    subjects = {one.subject for one in discuss([first, second, other]) if one.name == "accuracy"}
    assert subjects == {"mlp v1 on usps", "mlp v2 on usps", "cnn on usps"}


def test_no_difference_has_no_effects() -> None:
    one = digits(0.97, 1000)
    found = discuss([result(one, one, shift=moved(0.4, mmd=0.0004))])
    assert {effect.verdict for topic in found for effect in topic.effects} == {"not significant", "same"}
    assert {effect.verdict for effect in found[0].effects[1:]} == {"same"}


@pytest.mark.parametrize(
    ("source", "target", "variants", "verdict"),
    [
        (digits(0.98, 2000), digits({0: 0.98, 1: 0.6}, 2000), 1, "same"),
        (digits(0.98, 2000), digits({0: 0.96, 1: 0.6}, 25), 1, "not significant"),
        (digits({0: 0.5, 1: 0.98}, 20_000), digits({0: 0.5, 1: 0.6}, 20_000), 1, "not significant"),
        (digits({0: 1.0}, 5_000), digits({0: 1.0}, 300), 15, "not significant"),
    ],
)
def test_only_a_class_that_can_hardly_have_lost_is_the_same(
    source: tuple[Digits, Digits], target: tuple[Digits, Digits], variants: int, verdict: str
) -> None:
    assert verdicts("accuracy", result(source, target, variants=variants))["digit 0"] == verdict


def test_classes_missing_in_the_target_are_not_judged() -> None:
    one = result(digits(0.98), digits(dict.fromkeys(range(8), 0.5), taken_for={0: 9}))
    found = topics(one)
    assert found["accuracy"].facts["missing"] == "8, 9"
    assert not {"digit 8", "digit 9"} & {effect.what for effect in found["accuracy"].effects}
    assert "0 as 9" in effects("confusions", one)


def test_a_shift_has_verdicts_by_permutation_and_bound() -> None:
    one = result(digits(0.98), digits(0.7), shift=moved())
    assert set(verdicts("shift", one).values()) == {"significant"}
    assert topics(one)["shift"].facts["recognized"] == pytest.approx(0.95)
    small = result(digits(0.98), digits(0.7), shift=moved(coral=0.006))
    assert sorted(verdicts("shift", small).values()) == ["not significant", "significant"]
    chance = topics(result(digits(0.98), digits(0.7), shift=moved(0.4)))["shift"]
    assert [effect.verdict for effect in chance.effects] == ["not significant"]
    assert "recognized" not in chance.facts
    nothing = moved(math.nan, mmd=math.nan, mmd_chance=math.nan, coral=math.nan, a_distance=math.nan)
    assert "shift" not in topics(result(digits(0.98), digits(0.7), shift=nothing))


@pytest.mark.parametrize("sign", [1, -1])
def test_classes_that_move_and_lose_together_correlate(sign: int) -> None:
    target = digits({digit: 0.95 - 0.05 * digit for digit in range(10)})
    shift = moved(class_distances=tuple(1 + sign * 0.05 * digit for digit in range(10)))
    found = effects("shift", result(digits(0.98), target, shift=shift))["loss of a class with the distance of its mean"]
    assert found.size == pytest.approx(sign)
    assert found.verdict == "significant"


def test_alignment_closes_part_of_the_gap() -> None:
    plain = hits(0.7)
    one = aligned(of(plain), {"resize": plain, "centre": hits(0.8), "box": hits(0.91), "frame": hits(0.65)})
    assert verdicts("alignment", one) == {
        "centre against resize": "higher",
        "box against resize": "higher",
        "frame against resize": "lower",
        REST: "lower",
    }
    facts = topics(one)["alignment"].facts
    assert facts["closed"] == pytest.approx(0.75)
    assert (facts["best"], facts["best_accuracy"], facts["alignment"]) == ("box", 0.91, "resize")
    assert verdicts("alignment", aligned(of(plain), {"resize": plain, "box": hits(0.975)}))[REST] == "not significant"
    assert topics(aligned(of(plain), {"resize": plain, "box": hits(0.985)}))["alignment"].facts["closed"] == 1
    gained = aligned(of(hits(0.95), source=0.9), {"resize": hits(0.95), "box": hits(0.99)})
    assert verdicts("alignment", gained) == {"box against resize": "higher"}
    assert "closed" not in topics(gained)["alignment"].facts


def test_the_gap_is_closed_by_box_and_not_by_what_labels_selected() -> None:
    one, found = of(hits(0.7)), {"resize": hits(0.7), "frame": hits(0.95)}
    facts = topics(aligned(one, {**found, "box": hits(0.8)}))["alignment"].facts
    assert facts["closed"] == pytest.approx(0.1 / 0.28)
    assert facts["best"] == "frame"
    assert "closed" not in topics(aligned(one, found))["alignment"].facts
    assert "alignment" not in topics(aligned(one, {"resize": hits(0.7)}))


def test_deskewing_is_compared_with_box_or_the_last_alignment() -> None:
    plain, box = of(hits(0.91)), {"resize": hits(0.7), "box": hits(0.91)}
    one = aligned(plain, {**box, "deskew": hits(0.94), "stroke": hits(0.9105)})
    found, facts = effects("alignment", one), topics(one)["alignment"].facts
    assert found["deskew against box"].verdict == "higher"
    assert found["deskew against box"].size == pytest.approx(0.03)
    assert found["stroke against box"].verdict == "not significant"
    assert (facts["alignment"], facts["deskewed_model"]) == ("box", "upright")
    assert verdicts("alignment", aligned(plain, {**box, "deskew": hits(0.82)}))["deskew against box"] == "lower"
    same = topics(aligned(plain, {**box, "deskew": hits(0.94)}, model="mlp"))
    assert "deskewed_model" not in same["alignment"].facts
    alone = aligned(of(hits(0.7)), {"resize": hits(0.7), "deskew": hits(0.94)})
    assert verdicts("alignment", alone) == {"deskew against resize": "higher"}


def test_adaptations_are_judged_by_what_they_change() -> None:
    plain, other = hits(0.7, seed=0), hits(0.5, seed=1)
    methods = {"shot": plain | other, "tent": hits(0.71, seed=2), "bad": plain & other}
    found = effects("adaptation", adapted(of(plain), methods))
    assert [effect.verdict for effect in found.values()] == ["higher", "not significant", "lower"]
    assert all(effect.low < effect.size < effect.high for effect in found.values())


def variants_of(rng: np.random.Generator, accuracy: float = 0.8, n: int = 200) -> Correct:
    """Return correct variants of images, all in their first variant first; some images are easier than others."""
    ease = rng.beta(2 * accuracy, 2 * (1 - accuracy), n)
    return (rng.random((VARIANTS, n)) < ease).ravel()


def test_the_same_images_show_what_different_ones_do_not() -> None:
    rng = np.random.default_rng(0)
    ease = rng.beta(0.5, 0.6, 300)
    before, after = ((rng.random((VARIANTS, 300)) < np.clip(ease + more, 0, 1)).ravel() for more in (0, 0.06))
    one = adapted(aligned(of(before, variants=VARIANTS), {"resize": before, "box": after}), {"shot": after})
    assert verdicts("adaptation", one) == {"shot": "higher"}
    assert verdicts("alignment", one)["box against resize"] == "higher"


def test_variants_make_no_false_findings_of_alignments_and_adaptations() -> None:
    rng, false = np.random.default_rng(3), []
    for _ in range(200):
        ease = rng.beta(1.6, 0.4, 200)
        plain, *others = ((rng.random((VARIANTS, 200)) < ease).ravel() for _ in range(6))
        names = "resize", "frame", "box", "deskew"
        one = aligned(of(plain, variants=VARIANTS), dict(zip(names, (plain, *others), strict=False)))
        found = topics(adapted(one, {"adabn": others[3], "tent": others[4]}))
        false.append([number_found([found[name]]) > 0 for name in ("alignment", "adaptation")])
    assert np.all(np.mean(false, axis=0) < 0.03)


def test_variants_make_no_false_findings_of_losses_and_between_models() -> None:
    rng = np.random.default_rng(0)
    pairs = [
        [of(variants_of(rng), model=name, variants=VARIANTS, source=0.8) for name in ("mlp", "cnn")] for _ in range(100)
    ]
    assert np.mean([number_found(discuss(pair[:1])) > 0 for pair in pairs]) < 0.05
    assert np.mean([number_found([topics(*pair)["comparison"]]) > 0 for pair in pairs]) < 0.05


def test_variants_count_as_fewer_images() -> None:
    facts = topics(of(variants_of(np.random.default_rng(2), 0.3), variants=VARIANTS))["accuracy"].facts
    assert (facts["variants"], facts["images"]) == (15, 200)
    assert 200 < float(facts["weight"]) < 1000
    assert "variants" not in topics(of(hits(0.7)))["accuracy"].facts


def corrupted(model: str, **accuracies: float) -> DomainResult:
    """Return a model with 98 % in the source ``uci`` and, under the corruptions that are not named, in ``uci-c``."""
    right = np.concatenate([hits(accuracies.get(name, 0.98), 1000) for name in CORRUPTIONS])
    labels = np.tile(np.arange(1000) % 10, len(CORRUPTIONS))
    target = labels, predictions(labels, right)
    return result(digits(0.98, 100), target, model, len(CORRUPTIONS), names=("uci", "uci-c"))


def test_corruptions_that_hurt_are_lower() -> None:
    found = effects("corruptions", corrupted("mlp", translate=0.4, scale=0.8, fog=0.979, motion_blur=0.9))
    assert {name for name, effect in found.items() if effect.verdict == "lower"} == {
        "translate",
        "scale",
        "motion_blur",
    }
    assert (found["translate"].before, found["translate"].after) == (0.98, 0.4)
    assert len(found) == len(CORRUPTIONS)


@pytest.mark.parametrize(("box", "is_said"), [(0.8, False), (0.85, False), (0.9, True)])  # 36 %, 54 %, 71 %
def test_misplaced_digits_explain_a_gap_of_which_alignment_closes_half(box: float, is_said: bool) -> None:
    one = aligned(of(hits(0.7), names=("uci", "usps")), {"resize": hits(0.7), "box": hits(box)})
    for hurt, placing in (({"translate": 0.4, "fog": 0.5}, "translate"), ({"rotate": 0.4}, None)):
        facts = topics(corrupted("mlp", **hurt), one)["corruptions"].facts
        assert facts.get("placing") == (placing if is_said else None)


def test_of_two_models_the_better_one_comes_first() -> None:
    source, last = digits(0.98, 1000), digits({**dict.fromkeys(range(10), 0.8), 9: 0.4})
    mlp = result(source, last, "mlp", shift=moved())
    cnn = result(source, digits(0.94), "cnn", shift=moved(a_distance=1.2))
    for pair in ((mlp, cnn), (cnn, mlp)):
        change, images, shift = (effects("comparison", *pair, measure=x)[WINNER] for x in (CHANGE, IMAGES, DISTANCE))
        assert change.verdict == "higher"
        assert change.size == pytest.approx(0.18)
        counts = [int((a.correct() & ~b.correct()).sum()) for a, b in ((mlp, cnn), (cnn, mlp))]
        assert ([images.before, images.after], images.verdict) == (counts, "higher")
        assert shift.verdict == "lower"
        assert verdicts("contrast", *pair)["digit 9"] == "higher"
        assert "corrupted" not in topics(*pair)["contrast"].facts
    pair = replace(mlp, shift=moved(a_distance=1.2)), replace(cnn, shift=moved())
    assert effects("comparison", *pair, measure=DISTANCE)[WINNER].verdict == "higher"


def test_corruptions_tell_two_models_apart() -> None:
    pair = corrupted("mlp", translate=0.3, fog=0.9, shear=0.1, scale=0.1), corrupted("cnn", translate=0.9, fog=0.7)
    found = verdicts("contrast", *pair)
    assert topics(*pair)["contrast"].facts["corrupted"] == "uci"
    assert {name: found[name] for name in ("translate", "fog", "zigzag")} == {
        "translate": "higher",
        "fog": "lower",
        "zigzag": "not significant",
    }


def test_models_that_are_alike_have_no_contrast_but_may_differ_image_by_image() -> None:
    alike = of(hits(0.9, seed=0), model="mlp"), of(hits(0.905, seed=1), model="cnn")
    assert set(verdicts("comparison", *alike).values()) == {"not significant"}
    assert "contrast" not in topics(*alike)
    nested = of(hits(0.9), model="mlp"), of(hits(0.91), model="cnn")
    assert effects("comparison", *nested, measure=CHANGE)[WINNER].verdict == "not significant"
    images = effects("comparison", *nested, measure=IMAGES)[WINNER]
    assert (images.size, images.verdict) == (20, "higher")


def test_of_several_models_those_that_lose_more_are_found() -> None:
    several = [of(hits(0.9 - 0.1 * i), model=f"net{i}", shift=moved(mmd=0.1 + 0.1 * i)) for i in range(7)]
    several.append(of(hits(0.895), model="near"))
    found = effects("comparison", *several, measure=CHANGE)
    assert {found[f"net0 against net{i}"].verdict for i in range(1, 7)} == {"higher"}
    assert found["net0 against near"].verdict == "not significant"
    ranked = effects("comparison", *several)["loss of 7 models with their squared MMD"]
    assert ranked.size == pytest.approx(1)
    assert ranked.verdict == "significant"


def test_without_labels_only_the_shift_is_judged() -> None:
    one = result(digits(0.98), digits(0.7), shift=moved())
    target = replace(one.target, labels=None)
    (found,) = discuss([replace(one, target=target, methods={"none": method_result(target, one_hot(digits(0.7)[1]))})])
    assert (found.name, found.facts["entropies"]) == ("unlabeled", "none 0.000")
    assert [effect.verdict for effect in found.effects] == ["significant"]


def test_two_samples_of_the_same_digits_have_few_findings() -> None:
    rng, false = np.random.default_rng(4), []
    for _ in range(100):
        labels = rng.integers(0, 10, (2, 800))
        predicted = np.where(rng.random((2, 800)) < 0.1, rng.integers(0, 10, (2, 800)), labels)
        one, other = zip(labels, predicted, strict=True)
        false.append(number_found(discuss([result(one, other)])) > 0)
    assert np.mean(false) < 0.05  # three families at 1 %


def test_all_sentences_can_be_written_and_recorded() -> None:
    assert discuss([]) == ()
    aligned_to = {"resize": hits(0.5, 15_000), "box": hits(0.9, 15_000), "deskew": hits(0.95, 15_000)}
    models = (replace(corrupted(name, fog=fog), shift=moved()) for name, fog in (("mlp", 0.1), ("cnn", 0.9)))
    full = [adapted(aligned(model, aligned_to), {"shot": hits(0.9, 15_000)}) for model in models]
    found = discuss(full)
    assert {topic.name for topic in found} == TEMPLATES.keys() - {"unlabeled"}
    text = to_markdown(found)
    assert "nan" not in text
    assert from_json(to_json(found)) == found
