"""Analysis of a network's feature space: features, embeddings, neighbors, clusters and confusing digits.

Functions from arrays to dataclasses, one module per stage.
"""

from experiments.analysis.discussion import contrast, discuss
from experiments.analysis.embedding import embed, neighbors_needed
from experiments.analysis.features import check_features, extract, feature_extractor, reduce
from experiments.analysis.neighbors import nearest
from experiments.analysis.result import Analysis

__all__ = [
    "Analysis",
    "check_features",
    "contrast",
    "discuss",
    "embed",
    "extract",
    "feature_extractor",
    "nearest",
    "neighbors_needed",
    "reduce",
]
