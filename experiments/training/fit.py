"""The one fit function: every network that is trained in this project is trained here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.datasets import Split
from experiments.errors import UsageError
from experiments.models import Architecture, Recipe
from experiments.training.backends import DEFAULT, backend
from experiments.training.batches import steps_per_epoch
from experiments.training.checkpoint import Checkpoint, TrainingState
from experiments.training.effects import effects_of
from experiments.training.epoch import Epoch, best_epoch, out_of_patience
from experiments.training.optimizer import optimizer
from experiments.training.outsiders import with_outsiders
from experiments.training.pipeline import training_batches, validation_batches
from experiments.training.precision import precision_policy, resolve_precision

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Fit:
    """A trained network.

    Attributes
    ----------
    model
        With the weights of the best epoch, averaged ones where the recipe averages; not compiled, so that no state of
        an optimizer is saved with it.
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
    until: int | None = None,
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
    until
        The epoch to stop after, where that is not the recipe's last; the learning rate follows the whole recipe.
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
        As `check_feasible`.
    DivergedError
        When the loss is no longer a finite number.
    """
    import keras

    from experiments.training.recorder import Recorder

    _check_batch(recipe, train)
    train = with_outsiders(train, recipe)
    keras.utils.set_random_seed(recipe.seed)
    resumed = checkpoint.restore() if checkpoint else None
    state = resumed or TrainingState(compiled_model(architecture, recipe, steps_per_epoch(train, recipe)), [], ())
    last = min(until or recipe.epochs, recipe.epochs)
    recorder = Recorder(recipe, state, checkpoint=checkpoint, on_step=on_step, on_epoch=on_epoch)
    done = len(state.epochs)
    if done < last and not out_of_patience(state.epochs, recipe.patience):
        state.model.fit(
            training_batches(train, recipe, first_epoch=done),
            validation_data=validation_batches(validation),
            steps_per_epoch=steps_per_epoch(train, recipe),
            initial_epoch=done,
            epochs=last,
            callbacks=[recorder],
            shuffle=False,
            verbose=0,
        )
    model = _build(architecture, recipe)
    model.set_weights(recorder.best_weights)
    return Fit(model, tuple(recorder.epochs))


def check_feasible(architecture: Architecture, recipe: Recipe, train: Split) -> None:
    """Find out, before anything is recorded, whether a training can begin at all.

    Raises
    ------
    UsageError
        When a batch is larger than the training images, an effect is unknown, or the network cannot be built in the
        sizes asked for.
    """
    effects_of(recipe.effects)
    _check_batch(recipe, train)
    _build(architecture, recipe)


def compiled_model(architecture: Architecture, recipe: Recipe, steps: int) -> "keras.Model":
    """Build the network in the recipe's precision and compile it; `steps` is the number of steps in an epoch.

    With TensorFlow XLA stays off: on processors it makes the small networks slower. JAX is nothing without it.
    """
    import keras

    model = _build(architecture, recipe)
    with precision_policy(resolve_precision(recipe.precision)):
        model.compile(
            optimizer=optimizer(recipe, steps),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            metrics=["accuracy"],
            jit_compile=False if backend() == DEFAULT else "auto",
        )
    return model


def _build(architecture: Architecture, recipe: Recipe) -> "keras.Model":
    with precision_policy(resolve_precision(recipe.precision)):
        try:
            return architecture.build(recipe)
        except ValueError as error:
            sizes = ", ".join(f"{name}={size}" for name, size in recipe.network.items())
            reason = str(error).splitlines()[0].rstrip(".")
            raise UsageError(f"{architecture.name} cannot be built with {sizes}: {reason}") from error


def _check_batch(recipe: Recipe, train: Split) -> None:
    if recipe.batch_size > len(train):
        raise UsageError(
            f"batch_size {recipe.batch_size} is larger than the {len(train)} training images; choose a smaller one"
        )
