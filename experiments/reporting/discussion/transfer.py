"""Templates for the topics of `experiments.transfer.discussion`."""

from collections.abc import Mapping

from experiments.reporting.discussion.template import Template

TEMPLATES: Mapping[str, Template] = {
    "accuracy": Template(
        (
            "The accuracy is {accuracy:.1%} on {target}, against {source_accuracy:.1%} on {source}.",
            "The images are {variants} variants of each of {images:,}: they count as {weight:,} independent images, "
            "and as {images:,} by class.",
            "Classes called the same lose at most {kept:.0%} (95% confidence for all classes together).",
            "Not in {target}, and not compared: {missing}.",
        ),
        ("{source}", "{target}"),
    ),
    "confusions": Template(
        (
            "{more} of {tested} confusions of two digits are significantly more frequent than on {source}.",
            "None of {without_more} confusions of two digits is significantly more frequent than on {source}.",
            "{rare} of these are of fewer than {least} independent images, and not listed.",
        ),
        ("{source}", "{target}"),
    ),
    "shift": Template(
        (
            "The squared MMD of the domains in feature space is {mmd:.2g}; 95% of permutations are below "
            "{mmd_chance:.2g}.",
            "A linear classifier recognizes the domain of {recognized:.0%} of the images, against 50% by guessing.",
        )
    ),
    "alignment": Template(
        (
            "In all other topics, {target} is aligned by `{alignment}`.",
            "`box` closes {closed:.0%} of the gap between `{first}` and {source}.",
            "{deskewed_model} was trained on deskewed images; the variation between two trainings is not included.",
            "The best alignment in hindsight, selected by the test labels, is `{best}` ({best_accuracy:.1%}).",
        )
    ),
    "corruptions": Template(
        (
            "The accuracy under each corruption is compared with that on {source}.",
            "The loss by {placing} is consistent with alignment: `box`, which scales and moves images, closes at least "
            "half of the gap to {target} (99% confidence).",
        ),
        ("{source}", "corrupted"),
    ),
    "adaptation": Template(
        ("Each method adapts the model to {target} without labels, and is compared with the unadapted model.",),
        ("unadapted", "adapted"),
    ),
    "comparison": Template(("From {source} to {target}, the accuracy changes by: {ranking}.",)),
    "contrast": Template(
        (
            "Recalls on {target} are those of {first}, compared with those of {last}.",
            "Other accuracies are those under the corruptions of {corrupted}.",
        ),
        ("{last}", "{first}"),
    ),
    "unlabeled": Template(
        (
            "{target} has no labels, so the accuracy cannot be measured.",
            "Mean entropy of the predictions in nats: {entropies}.",
        )
    ),
}
