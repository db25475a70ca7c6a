"""What every network promises: its size, its output, its named layers, and that it can be saved."""

import ast
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

import experiments.models
from experiments.datasets import CLASSES
from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE, MODELS, Precision, architecture, trained_by
from experiments.training.precision import precision_policy

NAMES = [pytest.param(name, marks=pytest.mark.slow if name == "alexnet227" else ()) for name in MODELS]


def conv(kernel: int, inputs: int, outputs: int, bias: bool = True) -> int:
    return kernel * kernel * inputs * outputs + bias * outputs


def dense(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def norm(channels: int) -> int:
    """Two trainable weights and two moving averages a channel."""
    return 4 * channels


def conv_norm(kernel: int, inputs: int, outputs: int) -> int:
    return conv(kernel, inputs, outputs, bias=False) + norm(outputs)


def alexnet_after_first_convolution(side: int) -> int:
    convolutions = conv(5, 96, 256) + conv(3, 256, 384) + conv(3, 384, 384) + conv(3, 384, 256)
    return convolutions + dense(side * side * 256, 4096) + dense(4096, 4096) + dense(4096, 10)


def resnet_stack(inputs: int, filters: int) -> int:
    """Three blocks of two convolutions; a shortcut of 1x1 where the number of filters changes."""
    shortcut = conv_norm(1, inputs, filters) if inputs != filters else 0
    return conv_norm(3, inputs, filters) + 5 * conv_norm(3, filters, filters) + shortcut


def simple(kernel: int, filters: tuple[int, ...], side: int) -> int:
    """Convolutions over so many filters, the last of which leaves maps of `side`, then 64 features and ten scores."""
    convolutions = sum(conv_norm(kernel, *pair) for pair in itertools.pairwise((1, *filters)))
    return convolutions + side * side * filters[-1] * 64 + norm(64) + dense(64, 10)


VGG_CONVOLUTIONS = ((1, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 512), (512, 512))

# Layer by layer as published. A valid 3x3 and a pooling take 28 to 13, then to 5; three 3x3/2 poolings take 28 to 2 and
# 55 to 6.
BY_HAND = {
    "mlp_small": dense(784, 128) + dense(128, 10),
    "mlp": dense(784, 224) + dense(224, 288) + dense(288, 10),
    "cnn": conv(3, 1, 32) + conv(3, 32, 64) + dense(5 * 5 * 64, 128) + dense(128, 10),
    "cnn_norm": conv_norm(3, 1, 32) + conv_norm(3, 32, 64) + 1600 * 128 + norm(128) + dense(128, 10),
    "cnn_wide": conv(3, 1, 32) + conv(3, 32, 192) + dense(7 * 7 * 192, 128) + dense(128, 10),
    "cnn_deep": conv(3, 1, 32) + conv(3, 32, 64) + conv(3, 64, 64) + dense(3 * 3 * 64, 64) + dense(64, 10),
    "lenet": conv(5, 1, 6) + conv(5, 6, 16) + dense(400, 120) + dense(120, 84) + dense(84, 10),
    "alexnet": conv(3, 1, 96) + alexnet_after_first_convolution(side=2),
    "alexnet227": conv(11, 1, 96) + alexnet_after_first_convolution(side=6),
    "vgg": sum(conv_norm(3, *pair) for pair in VGG_CONVOLUTIONS) + dense(512, 512) + dense(512, 10),
    "resnet": conv_norm(3, 1, 16) + resnet_stack(16, 16) + resnet_stack(16, 32) + resnet_stack(32, 64) + dense(64, 10),
    "fast": conv(5, 1, 24) + conv(3, 24, 32) + dense(5 * 5 * 32, 256) + dense(256, 10),
    "simple3": simple(3, (16, 24, 32, 40, 48, 56, 64, 72, 80, 88), side=28 - 10 * 2),
    "simple5": simple(5, (32, 48, 64, 80, 96), side=28 - 5 * 4),
    "simple7": simple(7, (32, 64, 96, 128), side=28 - 4 * 6),
}

PROMISED = {
    "mlp_small": 101_770,
    "mlp": 243_530,
    "cnn": 225_034,
    "cnn_norm": 225_706,
    "cnn_wide": 1_261_450,
    "cnn_deep": 93_322,
    "lenet": 61_706,
    "alexnet": 24_733_898,
    "alexnet227": 58_299_082,
    "vgg": 9_495_370,
    "resnet": 273_754,
    "fast": 215_194,
    "simple3": 615_866,
    "simple5": 831_402,
    "simple7": 1_138_346,
}


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def precision(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def model(name: str, precision: Precision) -> Any:
    """Return every network in both precisions, one at a time."""
    with precision_policy("bfloat16" if precision == "bfloat16" else "float32"):
        return build(name)


def build(name: str, **settings: float) -> Any:
    return MODELS[name].build(MODELS[name].recipe.override(settings))


def images(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((n, *IMAGE_SHAPE), dtype=np.float32)


def test_the_number_of_parameters_is_the_published_one(model: Any, name: str) -> None:
    assert model.count_params() == MODELS[name].parameters == PROMISED[name] == BY_HAND[name]


def test_the_fifteen_networks_are_listed_by_their_names() -> None:
    assert {name: network.name for name, network in MODELS.items()} == {name: name for name in PROMISED}


def test_a_network_says_how_long_it_takes_on_the_data_of_its_profiles() -> None:
    for network in MODELS.values():
        expected = {"uci"} if "quick" in network.profiles else set()
        expected |= {"mnist"} if network.profiles else set()
        expected |= {"usps"} if network.cost == "light" else set()
        assert set(network.expected_seconds) == expected, network.name
    assert trained_by("full", "light") == ("mlp_small", "mlp", "lenet", "cnn", "cnn_norm")


def test_resnet_is_he_et_al_s_but_for_colour_and_projections() -> None:
    trainable = sum(int(np.prod(weight.shape)) for weight in build("resnet").trainable_weights)
    colour = conv(3, 3, 16) - conv(3, 1, 16)
    projections = sum(conv(1, n, 2 * n, bias=False) + 2 * 2 * n for n in (16, 32))
    # ResNet-20 for CIFAR-10 with zero-padded shortcuts, counted in the paper's table 6 as 0.27M.
    assert trainable + colour - projections == 269_722


def test_vgg_s_convolutions_are_configuration_a_but_for_colour_and_biases() -> None:
    layers = [layer for layer in build("vgg").layers if isinstance(layer, keras.layers.Conv2D)]
    colour = conv(3, 3, 64) - conv(3, 1, 64)
    biases = sum(outputs for _, outputs in VGG_CONVOLUTIONS)
    # VGG-11 has 132,863,336 weights, its three dense layers among them.
    published = 132_863_336 - dense(7 * 7 * 512, 4096) - dense(4096, 4096) - dense(4096, 1000)
    assert sum(layer.count_params() for layer in layers) + colour + biases == published


@pytest.mark.parametrize(
    ("name", "sizes", "convolutions"),
    [
        ("simple3", {"filters": 32, "growth": 16}, [32, 48, 64, 80, 96, 112, 128, 144, 160, 176]),
        ("simple5", {"filters": 32, "growth": 32}, [32, 64, 96, 128, 160]),
        ("simple7", {"filters": 48, "growth": 48}, [48, 96, 144, 192]),
    ],
)
def test_the_simple_networks_can_be_as_wide_as_published(
    name: str, sizes: dict[str, int], convolutions: list[int]
) -> None:
    model = build(name, **sizes)
    assert [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)] == convolutions
    # An et al. 2020 flatten 11,264, 10,240 and 3,072 features.
    published = {"simple3": 11_264, "simple5": 10_240, "simple7": 3_072}
    assert model.get_layer("flatten").output.shape == (None, published[name])
    assert not any(layer.use_bias for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


def test_the_output_is_float32_probabilities_whatever_the_precision(model: Any) -> None:
    probabilities = keras.ops.convert_to_numpy(model(images(3)))
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (3, CLASSES)
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_logits_are_a_linear_map_of_the_penultimate_features(model: Any, precision: Precision) -> None:
    parts = [model.get_layer("penultimate").output, model.get_layer("logits").output, model.output]
    features, logits, probabilities = keras.Model(model.inputs[0], parts)(images(3))
    assert (features.dtype.name, logits.dtype.name) == (precision, "float32")
    kernel, bias = model.get_layer("logits").get_weights()
    # In float32 even where the features are not: bfloat16 would be off by a hundredth.
    expected = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32")) @ kernel + bias
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(probabilities, softmax(logits, axis=1), rtol=1e-5, atol=1e-37)  # denormals may be 0


def test_a_reloaded_network_predicts_the_same(model: Any, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(reloaded(images(3)), model(images(3)))


@pytest.mark.parametrize("some", ["mlp", "cnn", "lenet", "vgg", "resnet", "fast", "simple5"])
def test_dropout_is_the_recipe_s(some: str) -> None:
    rates = {layer.rate for layer in build(some, dropout=0.25).layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {0.25}


@pytest.mark.parametrize(
    ("some", "sizes", "expected"),
    [
        ("mlp", {"units_1": 20, "units_2": 0, "units_3": 30}, dense(784, 20) + dense(20, 30) + dense(30, 10)),
        ("mlp_small", {"units_1": 7}, dense(784, 7) + dense(7, 10)),
        ("cnn", {"filters_2": 0, "dense": 9, "kernel": 5}, conv(5, 1, 32) + dense(12 * 12 * 32, 9) + dense(9, 10)),
        ("cnn", {"same": 1, "filters_1": 2, "filters_2": 3, "filters_3": 4, "dense": 5},
         conv(3, 1, 2) + conv(3, 2, 3) + conv(3, 3, 4) + dense(7 * 7 * 4, 5) + dense(5, 10)),
    ],
)  # fmt: skip
def test_sizes_in_the_recipe_shape_the_network(some: str, sizes: dict[str, int], expected: int) -> None:
    shaped = build(some, **sizes)
    assert shaped.count_params() == expected
    assert shaped.get_layer("penultimate")


def test_a_perceptron_without_a_hidden_layer_is_refused() -> None:
    with pytest.raises(UsageError, match="no hidden layer left; make one of units_1 positive"):
        build("mlp_small", units_1=0)


def test_a_network_is_found_by_its_name() -> None:
    assert [architecture(known).name for known in PROMISED] == list(PROMISED)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("alexnt", "alexnet"), ("mlp-small", "mlp_small"), ("ResNet20", "resnet"), ("MLP", "mlp"), ("vgg11", "vgg")],
)
def test_the_nearest_name_is_suggested(typed: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        architecture(typed)
    assert str(caught.value) == (
        f"there is no model {typed!r} (did you mean {meant}?); the models are {', '.join(MODELS)}"
    )


def test_nothing_is_suggested_where_no_name_is_near() -> None:
    with pytest.raises(UsageError) as caught:
        architecture("transformer-xl")
    assert str(caught.value) == f"there is no model 'transformer-xl'; the models are {', '.join(MODELS)}"


def test_the_table_of_networks_is_there_without_keras() -> None:
    program = "import sys; from experiments.models import MODELS; print(len(MODELS), *sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    count, *modules = output.split()
    assert int(count) == 15
    assert not {"keras", "tensorflow", "mlflow", "optuna", "sklearn"} & set(modules)


def imported_modules(file: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | from_}


def test_networks_are_built_with_keras_alone_so_that_any_backend_will_do() -> None:
    files = list(Path(experiments.models.__file__).parent.glob("*.py"))
    imported = {file.name: imported_modules(file) for file in files}
    assert "keras" in imported["layers.py"]
    assert not [name for name, modules in imported.items() if modules & {"tensorflow", "jax", "torch"}]
