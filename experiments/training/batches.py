"""What batches are, whichever pipeline makes them."""

from experiments.datasets import Split
from experiments.models import Recipe

VALIDATION_BATCH = 1000


def steps_per_epoch(split: Split, recipe: Recipe) -> int:
    """Return the number of batches in an epoch; the last one may be smaller than the others."""
    return -(-len(split) // recipe.batch_size)
