"""The description of an adaptation method, and the adapted model that it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.models.architecture import CostClass
from experiments.training import release_memory
from experiments.transfer.predictions import ImageArray, predict_images

if TYPE_CHECKING:
    import keras

OnStep = Callable[[int, int], None]
"""Called with the units of work done and planned."""


@dataclass(frozen=True, eq=False)
class Adapted:
    """A model adapted to a target domain.

    Attributes
    ----------
    model
        A new model; the original is unchanged.
    curve
        Series by name; none of them needs a label. `entropy` (mean entropy of the predictions for the target images, in
        nats) and `confident` (proportion of images with a probability above 0.968) start with the unadapted model:
        they have one value more than there are epochs, or two values if there are no epochs. The losses and
        `changed_labels` have one value per epoch, or per step if that is the method's unit.
    seconds
        Wall time.
    """

    model: "keras.Model"
    curve: Mapping[str, tuple[float, ...]]
    seconds: float


@dataclass(frozen=True)
class Adaptation:
    """A method that adapts a model to a target domain without labels.

    Attributes
    ----------
    name
        Its name on the command line and in results.
    label
        Its name in tables and figures.
    summary
        One line: the weights that it changes and the objective.
    adapt
        Function from (model, images uint8 (n, 28, 28), seed, on_step) to `Adapted`.
    settings
        Its hyperparameters, for the record.
    unit
        Unit of its curve.
    priority
        Where one method stands for all of them, the one with the lowest priority that was tried is reported. This is
        fixed in advance, so that no label selects the method.
    suite_networks
        Networks, by `Architecture.cost`, that profile ``full`` of ``digits run`` adapts with it. A method that trains
        for many epochs takes minutes for a heavy one on two cores.
    """

    name: str
    label: str
    summary: str
    adapt: Callable[..., Adapted]
    settings: Mapping[str, float]
    unit: Literal["epoch", "step"]
    priority: int
    suite_networks: tuple[CostClass, ...] = ()


def adapt_and_predict(
    adapt: Callable[..., Adapted],
    model: "keras.Model",
    unlabelled: ImageArray,
    test: ImageArray,
    seed: int,
    on_step: OnStep | None = None,
) -> dict[str, NDArray[Any]]:
    """Adapt a model and predict the test images with it.

    Returns
    -------
    dict
        Arrays: ``probabilities`` of the test images, the ``adapting`` time in seconds, each series of the curve as
        ``curve/NAME`` and the adapted weights in order as ``weight/0000``, ...

    Raises
    ------
    UsageError
        If the method does not apply to the model.
    DivergedError
        If it diverges.
    """
    adapted = adapt(model, unlabelled, seed, on_step)
    arrays = {
        "probabilities": predict_images(adapted.model, test),
        "adapting": np.asarray(adapted.seconds),
        **{f"curve/{name}": np.asarray(values) for name, values in adapted.curve.items()},
        **{f"weight/{i:04}": weight for i, weight in enumerate(adapted.model.get_weights())},
    }
    del adapted
    release_memory()
    return arrays
