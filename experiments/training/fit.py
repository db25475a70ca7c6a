"""The one fit function: every network that is trained in this project is trained here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.datasets import Split
from experiments.errors import UsageError
from experiments.models import Architecture, Recipe
from experiments.training.checkpoint import Checkpoint, Resumed
from experiments.training.epoch import Epoch, best_epoch, out_of_patience
from experiments.training.pipeline import steps_per_epoch, training_batches, validation_batches
from experiments.training.precision import precision_policy, resolve_precision

if TYPE_CHECKING:
    import keras

WARM_UP = 0.3  # share of the steps in which a one-cycle rate rises
START = 1 / 25  # of the peak rate, where a one-cycle begins
MOMENTUM = 0.9


@dataclass(frozen=True)
class Fit:
    """A trained network.

    Attributes
    ----------
    model
        With the weights of the best epoch.
    epochs
        All epochs in order, those of earlier, interrupted calls among them.
    """

    model: "keras.Model"
    epochs: tuple[Epoch, ...]

    @property
    def best(self) -> Epoch:
        """The epoch whose weights the model has."""
        return best_epoch(self.epochs)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)


def fit(
    architecture: Architecture,
    recipe: Recipe,
    train: Split,
    validation: Split,
    *,
    checkpoint: Checkpoint | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Fit:
    """Build a network and train it.

    Parameters
    ----------
    architecture, recipe
        What to build and how to train it.
    train, validation
        Images to learn from, and images by which the best epoch is chosen.
    checkpoint
        Where to keep the state after every epoch. If it holds one, training goes on from there and ends as it
        would have ended undisturbed. Without it nothing is written.
    on_step
        Called with the steps done and the steps planned, over all epochs.
    on_epoch
        Called after every epoch, before its checkpoint, and for restored epochs at the start. What it raises ends
        the training and comes out here, which is how a search prunes a trial.

    Raises
    ------
    UsageError
        When a batch is larger than the training images.
    DigitsError
        When the loss is no longer a finite number.
    """
    import keras

    from experiments.training.recorder import Recorder

    if recipe.batch_size > len(train):
        raise UsageError(
            f"batch_size {recipe.batch_size} is larger than the {len(train)} training images; choose a smaller one"
        )
    keras.utils.set_random_seed(recipe.seed)
    resumed = checkpoint.restore() if checkpoint else None
    state = resumed or Resumed(compiled_model(architecture, recipe, steps_per_epoch(train, recipe)), [], ())
    recorder = Recorder(recipe, state, checkpoint=checkpoint, on_step=on_step, on_epoch=on_epoch)
    done = len(state.epochs)
    if done < recipe.epochs and not out_of_patience(state.epochs, recipe.patience):
        state.model.fit(
            training_batches(train, recipe, first_epoch=done),
            validation_data=validation_batches(validation),
            steps_per_epoch=steps_per_epoch(train, recipe),
            initial_epoch=done,
            epochs=recipe.epochs,
            callbacks=[recorder],
            shuffle=False,
            verbose=0,
        )
    state.model.set_weights(recorder.best_weights)
    return Fit(state.model, tuple(recorder.epochs))


def compiled_model(architecture: Architecture, recipe: Recipe, steps: int) -> "keras.Model":
    """Build the network in the recipe's precision and compile it; `steps` is the number of steps in an epoch.

    XLA stays off: on processors it makes the small networks slower.
    """
    import keras

    with precision_policy(resolve_precision(recipe.precision)):
        model = architecture.build(recipe)
        model.compile(
            optimizer=_optimizer(recipe, steps),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            metrics=["accuracy"],
            jit_compile=False,
        )
    return model


def _optimizer(recipe: Recipe, steps: int) -> Any:
    from keras import optimizers

    rate = _learning_rate(recipe, steps * recipe.epochs)
    decay = recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        return optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay)
    return optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, weight_decay=decay)


def _learning_rate(recipe: Recipe, steps: int) -> Any:
    from keras.optimizers.schedules import CosineDecay

    peak = recipe.learning_rate
    if recipe.schedule == "cosine":
        return CosineDecay(peak, decay_steps=steps)
    if recipe.schedule == "one-cycle":
        rise = int(WARM_UP * steps)
        return CosineDecay(peak * START, decay_steps=steps - rise, warmup_target=peak, warmup_steps=rise)
    return peak
