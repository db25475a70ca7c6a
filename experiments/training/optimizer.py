"""The optimizer that a recipe asks for, with its learning rate."""

from typing import Any

from experiments.models import Recipe

WARM_UP = 0.3  # share of the steps in which a one-cycle rate rises
START = 1 / 25  # of the peak rate, where a one-cycle begins
MOMENTUM = 0.9


def optimizer(recipe: Recipe, steps: int) -> Any:
    """Return the Keras optimizer of a recipe; `steps` is the number of steps in an epoch.

    Where the recipe averages weights, it has them in its attribute `averages`.
    """
    from keras import optimizers

    from experiments.training.averaging import AveragingAdam, AveragingSGD

    averaging: dict[str, Any] = {"decay": recipe.ema} if recipe.ema else {}
    common: dict[str, Any] = {"weight_decay": recipe.weight_decay or None, **averaging}
    rate = _learning_rate(recipe, steps)
    if recipe.optimizer == "sgd":
        kind = AveragingSGD if averaging else optimizers.SGD
        return kind(rate, momentum=MOMENTUM, nesterov=True, **common)
    kind = AveragingAdam if averaging else optimizers.Adam
    return kind(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, **common)


def _learning_rate(recipe: Recipe, steps: int) -> Any:
    from keras.optimizers.schedules import CosineDecay, ExponentialDecay

    peak, planned = recipe.learning_rate, steps * recipe.epochs
    if recipe.schedule == "cosine":
        return CosineDecay(peak, decay_steps=planned)
    if recipe.schedule == "exponential":
        return ExponentialDecay(peak, decay_steps=steps, decay_rate=recipe.rate_decay, staircase=True)
    if recipe.schedule == "one-cycle":
        rise = int(WARM_UP * planned)
        return CosineDecay(peak * START, decay_steps=planned - rise, warmup_target=peak, warmup_steps=rise)
    return peak
