"""What a network has learned: its features, their map, their clusters, and the digits that confuse it.

Functions from arrays to dataclasses, each stage a module: features, neighbours, affinities, t-SNE, clusters, closeness.
"""

from experiments.analysis.agreement import Agreement, agreement
from experiments.analysis.closeness import Closeness, closeness
from experiments.analysis.clusters import CountChoice, Tree, agreement_with_exact, kmeans, ward
from experiments.analysis.confusing import MEASURES, Ranking, cluster_disagreement, rank
from experiments.analysis.discussion import Section, as_markdown, as_text, contrast, discuss
from experiments.analysis.embedding import Embedding, Quality, embed, neighbours_needed, perplexity_for, quality
from experiments.analysis.features import MOST_DIMENSIONS, check_features, extract, feature_extractor, reduce
from experiments.analysis.held_out import NETWORK, HeldOut, held_out
from experiments.analysis.held_out import recipe_for as held_out_recipe
from experiments.analysis.neighbours import Neighbours, nearest
from experiments.analysis.oddities import (
    Centroids,
    Duplicates,
    centroids,
    near_duplicates,
    outlier_scores,
)
from experiments.analysis.traits import TRAITS, traits
from experiments.analysis.tsne import SCHEDULE, Schedule

__all__ = [
    "MEASURES",
    "MOST_DIMENSIONS",
    "NETWORK",
    "SCHEDULE",
    "TRAITS",
    "Agreement",
    "Centroids",
    "Closeness",
    "CountChoice",
    "Duplicates",
    "Embedding",
    "HeldOut",
    "Neighbours",
    "Quality",
    "Ranking",
    "Schedule",
    "Section",
    "Tree",
    "agreement",
    "agreement_with_exact",
    "as_markdown",
    "as_text",
    "centroids",
    "check_features",
    "closeness",
    "cluster_disagreement",
    "contrast",
    "discuss",
    "embed",
    "extract",
    "feature_extractor",
    "held_out",
    "held_out_recipe",
    "kmeans",
    "near_duplicates",
    "nearest",
    "neighbours_needed",
    "outlier_scores",
    "perplexity_for",
    "quality",
    "rank",
    "reduce",
    "traits",
    "ward",
]
