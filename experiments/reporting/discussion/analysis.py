"""Templates for the topics of `experiments.analysis.discussion`."""

from collections.abc import Mapping

from experiments.reporting.discussion.template import Template

TEMPLATES: Mapping[str, Template] = {
    "method": Template(
        (
            "{n:,} digits, each with {features:,} features from the layer before the classifier.",
            "They are reduced to {components} principal components, which keep {variance:.1%} of the variance: "
            "distances in {features:,} dimensions are slow to compute and hardly differ.",
            "t-SNE has perplexity {perplexity:g} and considers {neighbors:.0f} neighbors of each digit.",
            "That is fewer than the {class_size:,} digits of a class, so that the embedding can show structure within "
            "a class and does not force classes together.",
            "KMeans has {best} clusters, the number with the largest silhouette ({silhouette:.2f}), a measure of how "
            "compact and separate clusters are; the elbow of the inertia, a second opinion, is at {elbow}.",
            "Results for {classes} clusters are reported too.",
            "Ward's method merges only clusters that are linked in a graph of nearest neighbors, because the memory "
            "for all pairs of digits grows with the square of their number; on {exact_sample:,} digits its adjusted "
            "Rand index with exact Ward is {exact_agreement:.3f}.",
        )
    ),
    "embedding": Template(
        (
            "The trustworthiness is {trustworthiness:.3f}: 1 if neighbors in the embedding are never far in feature "
            "space.",
            "Of a digit's {neighbors} nearest neighbors in the embedding, {kept:.0%} are among its {neighbors} nearest "
            "in feature space.",
            "The embedding loses {lost:.1%} of the accuracy: do not interpret its fine structure.",
        ),
        ("feature space", "embedding"),
    ),
    "clusters and classes": Template(
        (
            "Clusters are found without labels; their adjusted Rand index with the classes is 1 if both are the same, "
            "and about 0 by chance.",
            "Mixed clusters and split classes have several parts of at least {part:.0%}.",
        ),
        ("training", "test"),
    ),
    "closest classes": Template(
        (
            "The class means are no farther apart ({chance:.2g}) than means of random digits.",
            "The closest pairs of class means are compared with the median pair; a distance is lower if it is below "
            "{close:.0%} of the median.",
        ),
        ("median pair", "this pair"),
    ),
    "confusing digits": Template(
        (
            "A digit is confusing if its nearest neighbor in another class is closer than the one in its own class.",
            "The network must not have been trained on it: training moves digits towards their labels, wrong ones too.",
            "{train_confusing:,} of {train_n:,} training digits are confusing to {train_network}.",
            "{test_confusing:,} of {test_n:,} test digits are confusing to {test_network}.",
            "Four measures rank them, with rank correlations from {lowest:.2f} ({lowest_pair}) to {highest:.2f} "
            "({highest_pair}).",
            "Labels and nearest other classes of the {top} most confusing test digits are most often {pairs}.",
            "Of these pairs, {close_pairs} are among the {closest} with the closest class means.",
            "None of these pairs is among the {distant_pairs} with the closest class means.",
            "Attributes of the {compared} most confusing test digits are compared with the rest of their classes, and "
            "tested for a lean towards the nearest other class; a higher slant leans to the right.",
        ),
        ("rest of the class", "most confusing"),
    ),
    "duplicates and outliers": Template(
        (
            "Test digits are duplicates if they are nearly identical to a training digit: a root mean square "
            "difference up to {threshold:.3f}, a quarter of the median.",
            "None of the {without_duplicates:,} test digits is a duplicate.",
            "There are {duplicates:,} among {tested:,} test digits.",
            "{relabeled} of the duplicates have another label than the training digit.",
            "Outliers are digits whose distance to their {nth}th neighbor is more than {limit:g} robust standard "
            "deviations above the median.",
            "None of the {without_outliers:,} digits is an outlier.",
            "There are {outliers:,} among {n:,} digits.",
            "{outlying_top} of the outliers are among the most confusing test digits.",
        )
    ),
    "feature spaces": Template(
        (
            "{first} and {second} share {shared} of their {top} most confusing test digits; {expected:.0f} are "
            "expected by chance.",
            "That is {times:.0f} times as many: confusion is mostly a property of the digits, not of the network.",
            "The closest class means are {first_closest} in {first} and {second_closest} in {second}.",
        ),
        ("{first}", "{second}"),
    ),
}
