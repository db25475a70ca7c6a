"""Grain of paper and residue of backgrounds."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import SIDE, above, per_image, smooth_field

RARITY = 0.2  # numbers in [-1, 1) above it are noisy: 40 % each
GRAIN, RESIDUE = 0.35, 0.35  # of full ink at most
GRID = 6


def apply(images: Any, numbers: Any) -> Any:
    """Add grain of single pixels and large soft spots."""
    from keras import ops

    grain = GRAIN * per_image(above(numbers[:, 0], RARITY))
    residue = RESIDUE * per_image(above(numbers[:, 1], RARITY))
    spots = ops.maximum(smooth_field(numbers[:, 2 : 2 + GRID * GRID], GRID), 0.0)
    pixels = ops.reshape(numbers[:, 2 + GRID * GRID :], (-1, SIDE, SIDE, 1))
    return ops.clip(images + residue * spots + grain * pixels, 0.0, 1.0)


NOISE = PictureEffect("noise", "grain of paper and residue of backgrounds", 2 + GRID * GRID + SIDE * SIDE, apply)
