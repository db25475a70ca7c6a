"""Captions of the pictures that runs record, by file name; ``{}`` is the network, the domains or the study.

The order is the order on the page. Pictures that are not listed are not in the report.
"""

MAPS = {
    "map": "{}: t-SNE map, colored by true digit",
    "map_kmeans": "{}: t-SNE map, colored by k-means cluster",
}
MORE_MAPS = {
    "map_ward": "{}: t-SNE map, colored by Ward cluster",
    "map_predicted": "{}: t-SNE map, colored by predicted digit",
    "map_confusion": "{}: t-SNE map, colored by confusion score",
    "cluster_count": "{}: silhouette and inertia by number of clusters",
    "contingency_kmeans_10_both": "{}: 10 k-means clusters compared with the true digits",
    "contingency_ward_10_both": "{}: 10 Ward clusters compared with the true digits",
    "dendrogram": "{}: the top of Ward's cluster hierarchy",
    "centroids": "{}: distances between the class means",
}
CONFUSING = {
    "confusing_test": "{}: the most confusing test digits, with their nearest neighbors of their own and other classes"
}
MORE_CONFUSING = {
    "confusing_train": "{}: the most confusing training digits",
    "measures_test": "{}: rank correlation of the confusion measures on the test digits",
    "duplicates": "{}: test digits with a near duplicate in the training split",
    "outliers": "{}: outliers, the digits farthest from all others in feature space",
}
DOMAIN = {
    "alignment": "{}: accuracy with each alignment of the images, without training",
    "adaptation": "{}: accuracy before and after adaptation without labels",
    "corruptions": "{}: accuracy under each corruption",
    "class_changes": "{}: change in the recall of each digit",
    "shift": "{}: domain shift in feature space and error in the target domain",
}
FEW_SHOT = {"few_shot": "{}: fine-tuning on few labeled digits, compared with training from scratch on the same digits"}
METHODS = {
    "adaptation_curves": "{}: the course of adaptation without labels",
}
SEARCH = {
    "history": "{}: validation accuracy of each trial, and the best so far",
    "importances": "{}: importance of each hyperparameter",
    "slice": "{}: validation accuracy against each hyperparameter",
    "parallel_coordinates": "{}: each trial as a line through its hyperparameters",
    "contour": "{}: validation accuracy over the two most important hyperparameters",
}


def fill(captions: dict[str, str], subject: str) -> dict[str, str]:
    """Insert the subject into each caption."""
    return {file: caption.format(subject) for file, caption in captions.items()}
