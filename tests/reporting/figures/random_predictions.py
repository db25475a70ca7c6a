"""Small random data, as networks and data sets give it, for the tests of reporting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Predictions:
    """Images, their labels, and what a network says of them."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @property
    def predicted(self) -> NDArray[np.int64]:
        predicted: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predicted


def random_predictions(n: int, mistakes: int = 0) -> Predictions:
    """Return predictions of which the last `mistakes` are wrong, with distinct confidences."""
    generator = np.random.default_rng(n)
    labels = generator.integers(0, 10, n)
    wrong = np.arange(n) >= n - mistakes
    predicted = (labels + wrong * generator.integers(1, 10, n)) % 10
    probabilities = generator.dirichlet(np.ones(10), n)
    confidence = generator.permutation(np.linspace(0.5, 0.95, n))[:, None]
    probabilities = (1 - confidence) * probabilities + confidence * np.eye(10)[predicted]
    images = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    return Predictions(images, labels, probabilities.astype(np.float32))


def history(epochs: int) -> dict[str, list[float]]:
    """Return the record of a training, best in its last epoch but one."""
    fall = 1 / np.arange(1, epochs + 1)
    rise = np.where(np.arange(epochs) == epochs - 1, 0.1 if epochs > 1 else 0, 0)
    return {
        "loss": fall.tolist(),
        "accuracy": (1 - fall / 2).tolist(),
        "val_loss": (fall + rise).tolist(),
        "val_accuracy": (1 - fall / 3).tolist(),
        "learning_rate": (0.001 * fall).tolist(),
        "seconds": [2.0] * epochs,
    }
