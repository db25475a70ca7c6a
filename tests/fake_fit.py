"""A training that takes no time, for tests of interruption, resuming, scheduling and recording."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from experiments.datasets import Split
from experiments.models import Architecture, Recipe
from experiments.training import Checkpoint, Epoch, Fit


@dataclass
class FakeFit:
    """Stands in for `experiments.training.fit`: it returns the untrained network and a made-up course of epochs.

    The validation accuracy rises with the recipe's dropout, so that a search has something to find. Patch it where the
    code under test imports `fit`, for example ``experiments.workflows.train.run.fit``.

    Attributes
    ----------
    build
        Whether to build networks; trials of a search do not need them.
    raised
        What a call raises after its first epoch, by its number from 0.
    recipes
        Recipes of all calls, in order.
    """

    build: bool = True
    raised: dict[int, BaseException] = field(default_factory=dict)
    recipes: list[Recipe] = field(default_factory=list)

    def __call__(
        self,
        architecture: Architecture,
        recipe: Recipe,
        _train: Split,
        _validation: Split,
        *,
        until: int | None = None,
        checkpoint: Checkpoint | None = None,
        on_step: Callable[[int, int], None] | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> Fit:
        error = self.raised.get(len(self.recipes))
        self.recipes.append(recipe)
        if checkpoint:
            checkpoint.folder.mkdir(parents=True, exist_ok=True)
        last, accuracy = until or recipe.epochs, 0.5 + 0.4 * recipe.dropout
        epochs = [Epoch(number, 1 / number, accuracy, 1 / number, accuracy, 0.1, 0.5) for number in range(1, last + 1)]
        for epoch in epochs:
            if on_step:
                on_step(epoch.number, last)
            if on_epoch:
                on_epoch(epoch)
            if error:
                raise error
        return Fit(self._network(architecture, recipe), tuple(epochs))

    def _network(self, architecture: Architecture, recipe: Recipe) -> Any:
        if not self.build:
            return None
        import keras

        keras.utils.set_random_seed(recipe.seed)
        return architecture.build(recipe)
