"""Effects that make training images look like digits cut out of pictures; see `PictureEffect`.

None of them is one of the 15 corruptions of MNIST-C, on which networks are tested.
"""

from typing import Any

from experiments.errors import unknown
from experiments.training.effects.blur import BLUR
from experiments.training.effects.contrast import CONTRAST
from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.erasure import ERASURE
from experiments.training.effects.lines import LINES
from experiments.training.effects.neighbors import NEIGHBORS
from experiments.training.effects.noise import NOISE
from experiments.training.effects.resolution import RESOLUTION
from experiments.training.effects.stroke import STROKE
from experiments.training.effects.texture import TEXTURE
from experiments.training.effects.warp import WARP

EFFECTS: dict[str, PictureEffect] = {
    effect.name: effect
    for effect in (WARP, STROKE, NEIGHBORS, LINES, TEXTURE, ERASURE, RESOLUTION, BLUR, CONTRAST, NOISE)
}
"""All effects, in the order in which they are applied: what the pen does, then the paper, then the camera."""

ALL = "all"


def effects_of(names: str) -> tuple[PictureEffect, ...]:
    """Return the effects that a recipe names, in the order of `EFFECTS`.

    Parameters
    ----------
    names
        Names separated by commas, ``all``, or nothing.

    Raises
    ------
    UsageError
        If a name is unknown.
    """
    if names == ALL:
        return tuple(EFFECTS.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in EFFECTS:
            raise unknown("effect", name, (*EFFECTS, ALL))
    return tuple(effect for name, effect in EFFECTS.items() if name in wanted)


def numbers_of(effects: tuple[PictureEffect, ...]) -> int:
    """Return how many random numbers these effects take for each image: theirs, and one for their common strength."""
    return 1 + sum(effect.numbers for effect in effects)


def apply_effects(images: Any, numbers: Any, effects: tuple[PictureEffect, ...]) -> Any:
    """Apply effects one after the other, to each image in its own strength, so that some stay nearly clean.

    Parameters
    ----------
    images
        Tensor float32 (b, 28, 28, 1) in [0, 1].
    numbers
        Tensor float32 (b, `numbers_of(effects)`), uniform in [-1, 1).

    Returns
    -------
    Tensor float32 (b, 28, 28, 1) in [0, 1].
    """
    numbers = numbers[:, 1:] * (numbers[:, :1] + 1.0) / 2.0
    for effect in effects:
        images = effect.apply(images, numbers[:, : effect.numbers])
        numbers = numbers[:, effect.numbers :]
    return images


__all__ = ["ALL", "EFFECTS", "PictureEffect", "apply_effects", "effects_of", "numbers_of"]
