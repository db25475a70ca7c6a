"""Captions of the pictures that runs record, by file name; ``{}`` is the network, route or study.

The order is the order on the page. Pictures that are not listed are not in the report.
"""

MAPS = {"map": "{}: the map, digits by label", "map_kmeans": "{}: the map, digits by KMeans cluster"}
MORE_MAPS = {
    "map_ward": "{}: the map, digits by Ward cluster",
    "map_predicted": "{}: the map, digits by prediction",
    "map_confusion": "{}: the map, digits by confusion score",
    "cluster_count": "{}: the choice of the number of clusters",
    "contingency_kmeans_10_both": "{}: KMeans with 10 clusters against the classes",
    "contingency_ward_10_both": "{}: Ward with 10 clusters against the classes",
    "dendrogram": "{}: the top of Ward's hierarchy",
    "centroids": "{}: distances between the class means",
}
CONFUSING = {"confusing_test": "{}: the most confusing test digits, with their nearest neighbors of both classes"}
MORE_CONFUSING = {
    "confusing_train": "{}: the most confusing training digits",
    "measures_test": "{}: rank correlation of the measures of confusion",
    "duplicates": "{}: test digits with a near duplicate in the training split",
    "outliers": "{}: the digits farthest from all others",
}
DOMAIN = {
    "alignment": "{}: accuracy with each alignment of the pictures",
    "adaptation": "{}: accuracy before and after adaptation without labels",
    "corruptions": "{}: accuracy under each corruption",
    "class_changes": "{}: change of recall by digit",
    "shift": "{}: domain shift in feature space",
}
FEW_SHOT = {"few_shot": "{}: fine-tuning on few labeled digits, compared with training on them alone"}
METHODS = {
    "adaptation_curves": "{}: adaptation without labels, step by step",
    "map": "{}: its digits on the map of the source digits",
}
SEARCH = {
    "history": "{}: the trials in order, and the best so far",
    "importances": "{}: importance of each hyperparameter",
    "slice": "{}: the result against each hyperparameter",
    "parallel_coordinates": "{}: all trials, one line each",
    "contour": "{}: the result against the two most important hyperparameters",
}


def fill(captions: dict[str, str], subject: str) -> dict[str, str]:
    """Insert the subject into each caption."""
    return {file: caption.format(subject) for file, caption in captions.items()}
