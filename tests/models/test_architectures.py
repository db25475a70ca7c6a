"""What every network promises: its size, its output, its named layers, and that it can be saved."""

import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import softmax

import experiments.models
from experiments.datasets import CLASSES
from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE, MODELS, Architecture, architecture, trained_by
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
    "reader": sum(conv_norm(*one) for one in ((5, 1, 24), (3, 24, 48), (3, 48, 48), (3, 48, 96), (3, 96, 96)))
    + 3 * 3 * 96 * 88
    + norm(88)
    + dense(88, 10),
    "simple3": simple(3, (16, 24, 32, 40, 48, 56, 64, 72, 80, 88), side=28 - 10 * 2),
    "simple5": simple(5, (32, 48, 64, 80, 96), side=28 - 5 * 4),
    "simple7": simple(7, (32, 64, 96, 128), side=28 - 4 * 6),
}


IMAGES = np.random.default_rng(0).random((3, *IMAGE_SHAPE), dtype=np.float32)


def build(name: str, **settings: float) -> Any:
    return MODELS[name].build(MODELS[name].recipe.override(settings))


@pytest.mark.parametrize("network", MODELS.values(), ids=MODELS)
class TestEveryNetwork:
    def test_says_how_long_it_takes_on_the_data_of_its_profiles(self, network: Architecture) -> None:
        expected = {"uci"} if "quick" in network.profiles else set()
        expected |= {"mnist"} if network.profiles else set()
        expected |= {"usps"} if network.cost == "light" else set()
        assert set(network.expected_seconds) == expected

    def test_is_found_by_its_name(self, network: Architecture) -> None:
        assert architecture(network.name) is network

    def test_is_not_stopped_early_where_its_rate_falls_to_0(self, network: Architecture) -> None:
        assert network.recipe.schedule == "constant" or network.recipe.patience == 0

    def test_is_searched_around_its_own_values(self, network: Architecture) -> None:
        own = network.recipe.params()
        assert network.space
        outside = {name for name, values in network.space.items() if own[name] not in values}
        assert outside <= {"weight_decay"}  # none at all is 0, which is not on a logarithmic scale
        assert all(own[name] == 0 for name in outside)

    def test_can_be_trained_at_every_corner_of_its_search_space(self, network: Architecture) -> None:
        own = network.recipe.params()
        for corner in itertools.product(*((values.grid()[0], values.grid()[-1]) for values in network.space.values())):
            values = dict(zip(network.space, corner, strict=True))
            params = network.recipe.override(values).params()
            assert params == {**own, **values}
            assert {name: type(value) for name, value in params.items()} == {name: type(own[name]) for name in own}


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def precision(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def model(name: str, precision: Any) -> Any:
    """Return every network in both precisions, one at a time, with a dropout that no recipe has."""
    with precision_policy(precision):
        return build(name, dropout=0.25)


class TestEveryBuiltNetwork:
    def test_has_the_promised_number_of_parameters(self, model: Any, name: str) -> None:
        assert model.count_params() == MODELS[name].parameters

    def test_has_the_dropout_of_its_recipe(self, model: Any) -> None:
        assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.25}

    def test_maps_penultimate_features_to_logits_and_these_to_float32_probabilities(
        self, model: Any, precision: str
    ) -> None:
        parts = [model.get_layer("penultimate").output, model.get_layer("logits").output, model.output]
        features, logits, probabilities = keras.Model(model.inputs[0], parts)(IMAGES)
        dtypes = [keras.backend.standardize_dtype(part.dtype) for part in (features, logits, probabilities)]
        assert dtypes == [precision, "float32", "float32"]
        assert (features.ndim, probabilities.shape) == (2, (3, CLASSES))
        kernel, bias = model.get_layer("logits").get_weights()
        # In float32 even where the features are not: bfloat16 would be off by a hundredth.
        expected = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32")) @ kernel + bias
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(probabilities, softmax(logits, axis=1), rtol=1e-5, atol=1e-37)  # denormals may be 0

    def test_predicts_the_same_after_it_was_saved(self, model: Any, tmp_path: Path) -> None:
        model.save(tmp_path / "model.keras")
        reloaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
        np.testing.assert_array_equal(reloaded(IMAGES), model(IMAGES))


def test_the_promised_numbers_of_parameters_are_those_counted_by_hand() -> None:
    assert {name: network.parameters for name, network in MODELS.items()} == BY_HAND


def test_a_profile_names_the_networks_of_one_cost_or_of_both() -> None:
    light, both = trained_by("full", "light"), trained_by("full")
    assert {"mlp_small", "lenet"} <= {*light} < {*both}
    assert {*both} - {*light} >= {"resnet", "vgg"}
    assert "simple3" not in both


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
    ("name", "filters", "growth", "convolutions", "flattened"),
    [("simple3", 32, 16, 10, 11_264), ("simple5", 32, 32, 5, 10_240), ("simple7", 48, 48, 4, 3_072)],
)
def test_the_simple_networks_can_be_as_wide_as_published(
    name: str, filters: int, growth: int, convolutions: int, flattened: int
) -> None:
    model = build(name, filters=filters, growth=growth)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    # An et al. 2020.
    assert [layer.filters for layer in layers] == [filters + growth * i for i in range(convolutions)]
    assert model.get_layer("flatten").output.shape == (None, flattened)
    assert not any(layer.use_bias for layer in layers)


@pytest.mark.parametrize(
    ("name", "sizes", "expected"),
    [
        ("mlp", {"units_1": 20, "units_2": 0, "units_3": 30}, dense(784, 20) + dense(20, 30) + dense(30, 10)),
        ("mlp_small", {"units_1": 7}, dense(784, 7) + dense(7, 10)),
        ("cnn", {"filters_2": 0, "dense": 9, "kernel": 5}, conv(5, 1, 32) + dense(12 * 12 * 32, 9) + dense(9, 10)),
        ("cnn", {"same": 1, "filters_1": 2, "filters_2": 3, "filters_3": 4, "dense": 5},
         conv(3, 1, 2) + conv(3, 2, 3) + conv(3, 3, 4) + dense(7 * 7 * 4, 5) + dense(5, 10)),
    ],
)  # fmt: skip
def test_sizes_in_the_recipe_shape_the_network(name: str, sizes: dict[str, int], expected: int) -> None:
    shaped = build(name, **sizes)
    assert shaped.count_params() == expected
    assert shaped.get_layer("penultimate")


def test_a_perceptron_without_a_hidden_layer_is_refused() -> None:
    with pytest.raises(UsageError, match="units_1"):
        build("mlp_small", units_1=0)


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [("alexnt", "alexnet?"), ("mlp-small", "mlp_small?"), ("ResNet20", "resnet?"), ("MLP", "mlp?"), ("vgg11", "vgg?"),
     ("transformer-xl", ", ".join(MODELS))],
)  # fmt: skip
def test_the_nearest_name_is_suggested_where_one_is_near(typed: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=re.escape(remedy)) as caught:
        architecture(typed)
    assert repr(typed) in str(caught.value)
    assert ("?" in str(caught.value)) == ("?" in remedy)


def test_the_table_of_networks_is_there_without_keras() -> None:
    program = "import sys; from experiments.models import MODELS; print(*MODELS, *sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert output[: len(MODELS)] == list(MODELS)
    assert not {"keras", "tensorflow", "mlflow", "optuna", "sklearn"} & set(output)


def test_networks_are_built_with_keras_alone_so_that_any_backend_will_do() -> None:
    files = {file.name: file.read_text() for file in Path(experiments.models.__file__).parent.glob("*.py")}
    assert re.search(r"^\s*(import|from) keras\b", files["layers.py"], re.MULTILINE)
    found = re.compile(r"^\s*(import|from) (tensorflow|jax|torch)\b", re.MULTILINE)
    assert not [name for name, text in files.items() if found.search(text)]
