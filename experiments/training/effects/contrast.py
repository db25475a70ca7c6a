"""Hard and soft edges between ink and paper."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import per_image

GAMMA = 0.8  # of its logarithm
GAIN = 1.2  # of its logarithm: most ink becomes full
WEAKER = 0.3  # of full ink


def apply(images: Any, numbers: Any) -> Any:
    """Bend the gray levels of an image by a power, a gain that saturates, and a lower maximum."""
    from keras import ops

    gamma, gain, weaker = (per_image(numbers[:, i]) for i in range(3))
    bent = ops.power(ops.maximum(images, 1e-6), ops.exp(GAMMA * gamma)) * ops.cast(images > 0, "float32")
    raised = ops.minimum(bent * ops.exp(GAIN * ops.maximum(gain, 0.0)), 1.0)
    return raised * (1.0 - WEAKER * ops.maximum(weaker, 0.0))


CONTRAST = PictureEffect("contrast", "hard and soft edges, pale ink", 3, apply)
