"""The peers in Keras: the scripts that one writes after its documentation, in float32."""

from time import perf_counter
from typing import Any, Literal

import keras
from keras import layers

from benchmarks.time_to_accuracy import Course
from experiments.datasets import Split

EVALUATION_BATCH = 1000


def plain_cnn(jit_compile: bool | Literal["auto"] = "auto") -> keras.Model:
    """Return the network of `cnn`, compiled with Keras's defaults, which turn XLA on."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=jit_compile)
    return model


def train_cnn(train: Split, batch_size: int, epochs: int, jit_compile: bool | Literal["auto"] = "auto") -> list[float]:
    """Train `plain_cnn` on arrays in memory; return the seconds of each epoch."""
    x, y = _arrays(train)
    marks: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: marks.append(perf_counter()),
        on_epoch_end=lambda *_: marks.append(perf_counter()),
    )
    # The progress bar is off: it would only cost this side time.
    plain_cnn(jit_compile).fit(x, y, batch_size=batch_size, epochs=epochs, callbacks=[clock], verbose=0)
    return [end - begin for begin, end in zip(marks[::2], marks[1::2], strict=True)]


def weight_shapes(model: keras.Model) -> list[tuple[int, ...]]:
    """Return the shapes of all weights in order: networks of the same layers have the same ones."""
    return [tuple(weight.shape) for weight in model.weights]


def simple_mnist_convnet() -> keras.Model:
    """Return the network of https://keras.io/examples/vision/mnist_convnet/ as it is compiled there."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def train_convnet(train: Split, validation: Split, test: Split, *, seed: int, target: float, max_epochs: int) -> Course:
    """Train the example until it has `target` accuracy on `test`.

    It is told its validation images, where the example holds out a tenth, so that it trains on the same images as the
    other side. The clock runs from before the network is built and stands while the test accuracy is measured.
    """
    keras.utils.set_random_seed(seed)
    (x, y), (x_test, y_test) = _arrays(train), _arrays(test)
    seconds: list[float] = []
    accuracies: list[float] = []
    held_out = _arrays(validation)
    start = perf_counter()

    def measure(*_: Any) -> None:
        nonlocal start
        seconds.append(perf_counter() - start)
        measured = model.evaluate(x_test, y_test, batch_size=EVALUATION_BATCH, verbose=0, return_dict=True)
        accuracies.append(float(measured["accuracy"]))
        model.stop_training = accuracies[-1] >= target
        start = perf_counter()

    after_epoch = keras.callbacks.LambdaCallback(on_epoch_end=measure)
    model = simple_mnist_convnet()
    model.fit(x, y, batch_size=128, epochs=max_epochs, validation_data=held_out, callbacks=[after_epoch], verbose=0)
    return Course(seed, tuple(seconds), tuple(accuracies))


def _arrays(split: Split) -> tuple[Any, Any]:
    return split.as_float(), keras.utils.to_categorical(split.labels, 10)
