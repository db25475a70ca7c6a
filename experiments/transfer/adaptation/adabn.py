"""AdaBN: batch-norm statistics of the target domain."""

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.transfer.adaptation.adaptation import Adaptation, Adapted, OnStep
from experiments.transfer.adaptation.batch_statistics import STATISTICS_BATCH, copy_by_batch, set_statistics
from experiments.transfer.adaptation.curve import AdaptationCurve
from experiments.transfer.adaptation.networks import copy_of
from experiments.transfer.predictions import predict_images

if TYPE_CHECKING:
    import keras


def adabn(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: OnStep | None = None) -> Adapted:
    """Replace the statistics of all batch-norm layers by those of the target domain.

    Li, Wang, Shi, Hou & Liu (2018), "Adaptive batch normalization for practical domain adaptation". The statistics
    are means over batches of about 1,000 images, each normalized by its own statistics.

    Parameters
    ----------
    model
        A network with batch norm.
    images
        Unlabelled target images, uint8 (n, 28, 28), n >= 2.
    seed
        Seed of the order of the images.
    on_step
        Called with the batches done and planned.

    Raises
    ------
    UsageError
        If the network has no batch norm, or there are too few images.
    DivergedError
        If the predictions are not finite.
    """
    start, adapted, curve = perf_counter(), copy_of(model), AdaptationCurve()
    by_batch = copy_by_batch(model, images, seed)
    curve.add_predictions(predict_images(adapted, images))
    set_statistics(adapted, by_batch, images, seed, on_step)
    curve.add_predictions(predict_images(adapted, images))
    return Adapted(adapted, curve.series(), perf_counter() - start)


ADABN = Adaptation(
    "adabn",
    "AdaBN",
    "means and variances of batch norm are replaced by those of the target",
    adabn,
    {"batch": STATISTICS_BATCH},
    unit="epoch",
    priority=3,
    suite_networks=("light", "heavy"),
)
