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
    methods = {"none": method_result(domain, one_hot(target[1]))}
    return DomainResult(model, model, names[0], domain, measure(source[0], one_hot(source[1])), methods, (), shift)


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


def facts(name: str, *results: DomainResult) -> Mapping[str, Any]:
    return topics(*results)[name].facts


def effects(name: str, *results: DomainResult, measure: str = "") -> dict[str, Effect]:
    """Return the effects of a topic, of all measures or one, by what is compared."""
    found = topics(*results)
    every = found[name].effects if name in found else ()
    return {effect.what: effect for effect in every if measure in ("", effect.measure)}


def verdicts(name: str, *results: DomainResult) -> dict[str, str]:
    return {what: effect.verdict for what, effect in effects(name, *results).items()}


def number_found(found: Sequence[Topic]) -> int:
    return sum(effect.verdict in FOUND for topic in found for effect in topic.effects)


def test_classes_that_change_are_found_and_no_others() -> None:
    target = digits({**dict.fromkeys(range(10), 0.98), 9: 0.5, 7: 0.7}, taken_for={9: 7, 7: 1})
    one = result(digits(0.98, 1000), target)
    recalls = effects("accuracy", one)
    lower = {what for what, effect in recalls.items() if effect.verdict == "lower"}
    assert lower == {"all digits", "digit 7", "digit 9"}
    loss = recalls["digit 9"]
    assert (loss.before, loss.after, loss.size) == pytest.approx((0.98, 0.5, -0.48))
    assert loss.low < loss.size < loss.high
    confusions = effects("confusions", one)
    assert list(confusions) == ["9 as 7", "7 as 1"]
    assert confusions["9 as 7"].after == 0.5
    gained = verdicts("accuracy", result(digits(0.90), digits({**dict.fromkeys(range(10), 0.97), 4: 1.0})))
    assert {what for what, verdict in gained.items() if verdict == "higher"} == {"all digits", "digit 4"}


def test_confusions_of_few_images_are_counted_and_not_listed() -> None:
    source, few = digits(0.999, 20_000), {**dict.fromkeys(range(1, 10), 0.999), 0: 0.98}
    found = topics(result(source, digits(few, taken_for={0: 6})))["confusions"]
    assert found.effects == ()
    assert {"more": 1, "rare": 1, "least": 5}.items() <= found.facts.items()
    none = facts("confusions", result(source, source))
    assert none["without_more"] == 90
    assert not {"more", "rare"} & none.keys()


def test_versions_name_models_of_the_same_label_only() -> None:
    several = [replace(of(hits(0.7), model=model), label=model[:3]) for model in ("mlp v1", "mlp v2", "cnn v1")]
    for models, subjects in ((several[1:], ["mlp", "cnn"]), (several, ["mlp v1", "mlp v2", "cnn"])):
        found = {topic.subject for topic in discuss(models) if topic.name == "accuracy"}
        assert found == {f"{subject} on usps" for subject in subjects}


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
    assert facts("accuracy", one)["missing"] == "8, 9"
    assert list(verdicts("accuracy", one)) == ["all digits", *(f"digit {digit}" for digit in range(8))]
    assert "0 as 9" in effects("confusions", one)


def test_a_shift_has_verdicts_by_permutation_and_bound() -> None:
    pair = digits(0.98), digits(0.7)
    one, small, equal = (result(*pair, shift=shift) for shift in (moved(), moved(coral=0.006), moved(0.4)))
    assert list(verdicts("shift", one).values()) == ["significant", "significant"]
    assert list(verdicts("shift", small).values()) == ["significant", "not significant"]
    assert list(verdicts("shift", equal).values()) == ["not significant"]
    assert facts("shift", one)["recognized"] == pytest.approx(0.95)
    assert "recognized" not in facts("shift", equal)
    unknown = moved(math.nan, mmd=math.nan, mmd_chance=math.nan, coral=math.nan, a_distance=math.nan)
    assert "shift" not in topics(result(*pair, shift=unknown))


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
    higher = dict.fromkeys(("centre against resize", "box against resize"), "higher")
    assert verdicts("alignment", one) == {**higher, "frame against resize": "lower", REST: "lower"}
    found = facts("alignment", one)
    assert found["closed"] == pytest.approx(0.75)
    assert (found["best"], found["best_accuracy"], found["alignment"]) == ("box", 0.91, "resize")
    assert verdicts("alignment", aligned(of(plain), {"resize": plain, "box": hits(0.975)}))[REST] == "not significant"
    assert facts("alignment", aligned(of(plain), {"resize": plain, "box": hits(0.985)}))["closed"] == 1
    gained = aligned(of(hits(0.95), source=0.9), {"resize": hits(0.95), "box": hits(0.99)})
    assert verdicts("alignment", gained) == {"box against resize": "higher"}
    assert "closed" not in facts("alignment", gained)


def test_the_gap_is_closed_by_box_and_not_by_what_labels_selected() -> None:
    one, found = of(hits(0.7)), {"resize": hits(0.7), "frame": hits(0.95)}
    with_box = facts("alignment", aligned(one, {**found, "box": hits(0.8)}))
    assert with_box["closed"] == pytest.approx(0.1 / 0.28)
    assert with_box["best"] == "frame"
    assert "closed" not in facts("alignment", aligned(one, found))
    assert "alignment" not in topics(aligned(one, {"resize": hits(0.7)}))


def test_deskewing_is_compared_with_box_or_the_last_alignment() -> None:
    plain, box = of(hits(0.91)), {"resize": hits(0.7), "box": hits(0.91)}
    one = aligned(plain, {**box, "deskew": hits(0.94), "stroke": hits(0.9105)})
    found, about = effects("alignment", one), facts("alignment", one)
    assert (found["deskew against box"].verdict, found["stroke against box"].verdict) == ("higher", "not significant")
    assert found["deskew against box"].size == pytest.approx(0.03)
    assert (about["alignment"], about["deskewed_model"]) == ("box", "upright")
    assert verdicts("alignment", aligned(plain, {**box, "deskew": hits(0.82)}))["deskew against box"] == "lower"
    assert "deskewed_model" not in facts("alignment", aligned(plain, {**box, "deskew": hits(0.94)}, model="mlp"))
    alone = aligned(of(hits(0.7)), {"resize": hits(0.7), "deskew": hits(0.94)})
    assert verdicts("alignment", alone) == {"deskew against resize": "higher"}


def test_adaptations_are_judged_by_what_they_change() -> None:
    plain, other = hits(0.7, seed=0), hits(0.5, seed=1)
    methods = {"shot": plain | other, "tent": hits(0.71, seed=2), "bad": plain & other}
    found = effects("adaptation", adapted(of(plain), methods))
    assert [effect.verdict for effect in found.values()] == ["higher", "not significant", "lower"]
    assert all(effect.low < effect.size < effect.high for effect in found.values())


def variants_of(rng: np.random.Generator, ease: NDArray[np.float64]) -> Correct:
    """Return correct variants of images, all in their first variant first; some images are easier than others."""
    return (rng.random((VARIANTS, len(ease))) < ease).ravel()


def test_variants_make_no_false_findings() -> None:
    rng, methods, losses, models = np.random.default_rng(3), [], [], []
    for _ in range(25):
        ease = rng.beta(1.6, 0.4, 200)
        plain, *others = (variants_of(rng, ease) for _ in range(6))
        one = of(plain, variants=VARIANTS)
        one = aligned(one, dict(zip(("resize", "frame", "box", "deskew"), (plain, *others[:3]), strict=True)))
        found = topics(adapted(one, {"adabn": others[3], "tent": others[4]}))
        methods.append([number_found([found[name]]) > 0 for name in ("alignment", "adaptation")])
        drawn = (variants_of(rng, rng.beta(1.6, 0.4, 200)) for _ in range(2))
        pair = [of(each, model=name, variants=VARIANTS, source=0.8) for each, name in zip(drawn, "ab", strict=True)]
        losses.append(number_found(discuss(pair[:1])) > 0)
        models.append(number_found([topics(*pair)["comparison"]]) > 0)
    assert np.all(np.mean(methods, axis=0) < 0.04)
    assert max(np.mean(losses), np.mean(models)) < 0.05


def test_variants_count_as_fewer_images() -> None:
    rng = np.random.default_rng(2)
    found = facts("accuracy", of(variants_of(rng, rng.beta(0.6, 1.4, 200)), variants=VARIANTS))
    assert (found["variants"], found["images"]) == (15, 200)
    assert 200 < found["weight"] < 1000
    assert "variants" not in facts("accuracy", of(hits(0.7)))


def corrupted(model: str, **accuracies: float) -> DomainResult:
    """Return a model with 98 % in the source ``uci`` and, under the corruptions that are not named, in ``uci-c``."""
    right = np.concatenate([hits(accuracies.get(name, 0.98), 1000) for name in CORRUPTIONS])
    labels = np.tile(np.arange(1000) % 10, len(CORRUPTIONS))
    target = labels, predictions(labels, right)
    return result(digits(0.98, 100), target, model, len(CORRUPTIONS), names=("uci", "uci-c"))


def test_corruptions_that_hurt_are_lower() -> None:
    found = effects("corruptions", corrupted("mlp", translate=0.4, scale=0.8, fog=0.979, motion_blur=0.9))
    lower = {name for name, effect in found.items() if effect.verdict == "lower"}
    assert lower == {"translate", "scale", "motion_blur"}
    assert (found["translate"].before, found["translate"].after) == (0.98, 0.4)
    assert len(found) == len(CORRUPTIONS)


@pytest.mark.parametrize(("box", "is_said"), [(0.8, False), (0.85, False), (0.9, True)])  # 36 %, 54 %, 71 %
def test_misplaced_digits_explain_a_gap_of_which_alignment_closes_half(box: float, is_said: bool) -> None:
    one = aligned(of(hits(0.7), names=("uci", "usps")), {"resize": hits(0.7), "box": hits(box)})
    for hurt, placing in (({"translate": 0.4, "fog": 0.5}, "translate"), ({"rotate": 0.4}, None)):
        assert facts("corruptions", corrupted("mlp", **hurt), one).get("placing") == (placing if is_said else None)


def test_of_two_models_the_better_one_comes_first() -> None:
    last = digits({**dict.fromkeys(range(10), 0.8), 9: 0.4})
    mlp = result(digits(0.98, 1000), last, "mlp", shift=moved())
    cnn = result(digits(0.98, 1000), digits(0.94), "cnn", shift=moved(a_distance=1.2))
    counts = [int((a.correct() & ~b.correct()).sum()) for a, b in ((mlp, cnn), (cnn, mlp))]
    for pair in ((mlp, cnn), (cnn, mlp)):
        change, images, shift = (effects("comparison", *pair, measure=x)[WINNER] for x in (CHANGE, IMAGES, DISTANCE))
        assert change.size == pytest.approx(0.18)
        assert change.verdict == "higher"
        assert ([images.before, images.after], images.verdict) == (counts, "higher")
        assert shift.verdict == "lower"
        assert verdicts("contrast", *pair)["digit 9"] == "higher"
        assert "corrupted" not in facts("contrast", *pair)
    pair = replace(mlp, shift=moved(a_distance=1.2)), replace(cnn, shift=moved())
    assert effects("comparison", *pair, measure=DISTANCE)[WINNER].verdict == "higher"


def test_corruptions_tell_two_models_apart() -> None:
    pair = corrupted("mlp", translate=0.3, fog=0.9, shear=0.1, scale=0.1), corrupted("cnn", translate=0.9, fog=0.7)
    found = verdicts("contrast", *pair)
    assert facts("contrast", *pair)["corrupted"] == "uci"
    assert [found[name] for name in ("translate", "fog", "zigzag")] == ["higher", "lower", "not significant"]


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
    one = of(hits(0.7), shift=moved())
    target = replace(one.target, labels=None)
    unknown = {"none": method_result(target, one.source_only.probabilities)}
    (found,) = discuss([replace(one, target=target, methods=unknown)])
    assert (found.name, found.facts["entropies"]) == ("unlabeled", "none 0.000")
    assert [effect.verdict for effect in found.effects] == ["significant"]


def test_all_topics_can_be_written_and_recorded() -> None:
    assert discuss([]) == ()
    aligned_to = {"resize": hits(0.5, 15_000), "box": hits(0.9, 15_000), "deskew": hits(0.95, 15_000)}
    models = (replace(corrupted(name, fog=fog), shift=moved()) for name, fog in (("mlp", 0.1), ("cnn", 0.9)))
    found = discuss([adapted(aligned(model, aligned_to), {"shot": hits(0.9, 15_000)}) for model in models])
    assert {topic.name for topic in found} == TEMPLATES.keys() - {"unlabeled"}
    assert "nan" not in to_markdown(found)
    assert from_json(to_json(found)) == found
