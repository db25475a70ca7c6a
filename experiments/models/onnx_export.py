"""Export of networks to ONNX, which ONNX Runtime runs without Keras and without TensorFlow."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.errors import DigitsError
from experiments.models.architecture import IMAGE_SHAPE

if TYPE_CHECKING:
    import keras
    import onnx

OPSET = 18  # the first in which Resize names the axes that it resizes
IR_VERSION = 9  # of opset 18
IMAGE, LOGITS, FEATURES = "image", "logits", "features"
FEATURE_LAYER = "penultimate"
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}
AUTO_PAD = {"same": "SAME_UPPER", "valid": "VALID"}


def to_onnx(model: "keras.Model") -> bytes:
    """Convert a network to ONNX, in float32 whatever the precision it was trained in.

    Written layer by layer, because the export of Keras takes minutes for large networks and fails for those trained
    in bfloat16.

    Parameters
    ----------
    model
        A network as `Architecture.build` makes it; its weights are float32 under any precision.

    Returns
    -------
    bytes
        An ONNX model with the input ``image``, float32 (n, 28, 28, 1) in [0, 1], and the outputs ``logits``,
        float32 (n, 10), and ``features``, float32 (n, d), of the layer ``penultimate``. n is dynamic.

    Raises
    ------
    DigitsError
        If the network has a layer or an activation that has no conversion here.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(model)
    outputs = {LOGITS: CLASSES, FEATURES: model.get_layer(FEATURE_LAYER).output.shape[-1]}
    for name, layer in ((FEATURES, FEATURE_LAYER), (LOGITS, LOGITS)):
        graph.nodes.append(helper.make_node("Identity", [graph.output_of(layer)], [name]))

    def value(name: str, *shape: int) -> "onnx.ValueInfoProto":
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            model.name,
            [value(IMAGE, *IMAGE_SHAPE)],
            [value(name, size) for name, size in outputs.items()],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="digits",
    )
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX model with entries of ``metadata_props`` added or replaced, for instance a network's `Settings`.

    Parameters
    ----------
    content
        As `to_onnx` returns it.
    """
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {one.key: one.value for one in model.metadata_props} | dict(metadata))
    return bytes(model.SerializeToString())


@dataclass
class _Graph:
    """The nodes of a network in ONNX, images channels first, as ONNX has them.

    Attributes
    ----------
    model
        The Keras network.
    nodes, weights
        Nodes in order of computation, and the arrays that they use.
    made
        Name of the tensor that holds the output of each layer converted so far.
    """

    model: "keras.Model"
    nodes: "list[onnx.NodeProto]" = field(default_factory=list)
    weights: "list[onnx.TensorProto]" = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sources = {
            layer["config"]["name"]: list(_names_of_inputs(layer["inbound_nodes"]))
            for layer in self.model.get_config()["layers"]
        }

    def output_of(self, name: str) -> str:
        """Convert a layer and all layers before it, unless that is done; return the name of its output."""
        if name not in self.made:
            layer = self.model.get_layer(name)
            kind = type(layer).__name__
            if kind not in CONVERSIONS:
                raise DigitsError(f"{self.model.name} cannot be exported to ONNX: layer {name} is a {kind}")
            self.made[name] = CONVERSIONS[kind](self, layer, *map(self.output_of, self._sources[name]))
        return self.made[name]

    def add(self, operation: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        output = f"{name}/output"  # not the bare name: a layer is called as the output of the whole network
        self.nodes.append(helper.make_node(operation, inputs, [output], name, **attributes))
        return output

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """Add an array; return its name."""
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def activated(self, layer: Any, output: str) -> str:
        """Apply the activation of a layer to its output."""
        activation = layer.activation.__name__
        if activation == "linear":
            return output
        if activation not in ACTIVATIONS:
            raise DigitsError(f"{self.model.name} cannot be exported to ONNX: layer {layer.name} has a {activation}")
        return self.add(ACTIVATIONS[activation], f"{layer.name}/{activation}", output)


def _names_of_inputs(config: Any) -> Iterator[str]:
    """Yield the names of the layers in a layer's ``inbound_nodes``, a tree in which each is a ``keras_history``."""
    if isinstance(config, dict):
        if "keras_history" in config:
            yield config["keras_history"][0]
        else:
            yield from _names_of_inputs(list(config.values()))
    elif isinstance(config, list | tuple):
        for part in config:
            yield from _names_of_inputs(part)


def _input(graph: _Graph, layer: Any) -> str:
    return graph.add("Transpose", f"{layer.name}/channels_first", IMAGE, perm=(0, 3, 1, 2))


def _kernel_and_bias(graph: _Graph, layer: Any, axes: tuple[int, ...]) -> list[str]:
    """Add the kernel of a layer, its axes in ONNX's order, and its bias if it has one; return their names."""
    kernel, *bias = (np.asarray(weight, np.float32) for weight in layer.get_weights())
    weights = [kernel.transpose(axes), *bias]
    return [
        graph.weight(f"{layer.name}/{name}", values) for name, values in zip(("kernel", "bias"), weights, strict=False)
    ]


def _convolution(graph: _Graph, layer: Any, source: str) -> str:
    weights = _kernel_and_bias(graph, layer, (3, 2, 0, 1))
    output = graph.add("Conv", layer.name, source, *weights, strides=layer.strides, auto_pad=AUTO_PAD[layer.padding])
    return graph.activated(layer, output)


def _dense(graph: _Graph, layer: Any, source: str) -> str:
    return graph.activated(layer, graph.add("Gemm", layer.name, source, *_kernel_and_bias(graph, layer, (0, 1))))


def _pooling(operation: str) -> "Callable[[_Graph, Any, str], str]":
    def convert(graph: _Graph, layer: Any, source: str) -> str:
        window = {"kernel_shape": layer.pool_size, "strides": layer.strides, "auto_pad": AUTO_PAD[layer.padding]}
        return graph.add(operation, layer.name, source, **window)

    return convert


def _global_average(graph: _Graph, layer: Any, source: str) -> str:
    return graph.add("Flatten", layer.name, graph.add("GlobalAveragePool", f"{layer.name}/average", source))


def _flatten(graph: _Graph, layer: Any, source: str) -> str:
    return graph.add("Flatten", layer.name, graph.add("Transpose", f"{layer.name}/last", source, perm=(0, 2, 3, 1)))


def _batch_normalization(graph: _Graph, layer: Any, source: str) -> str:
    mean, variance = (np.asarray(weight, np.float32) for weight in (layer.moving_mean, layer.moving_variance))
    scale = np.asarray(layer.gamma, np.float32) if layer.scale else np.ones_like(mean)
    offset = np.asarray(layer.beta, np.float32) if layer.center else np.zeros_like(mean)
    values = {"scale": scale, "offset": offset, "mean": mean, "variance": variance}
    weights = [graph.weight(f"{layer.name}/{name}", one) for name, one in values.items()]
    return graph.add("BatchNormalization", layer.name, source, *weights, epsilon=layer.epsilon)


def _local_response_normalization(graph: _Graph, layer: Any, source: str) -> str:
    # ONNX divides alpha by the size of the neighborhood.
    constants = {"size": layer.depth, "alpha": layer.alpha * layer.depth, "beta": 0.75, "bias": layer.bias}
    return graph.add("LRN", layer.name, source, **constants)


def _resizing(graph: _Graph, layer: Any, source: str) -> str:
    size = graph.weight(f"{layer.name}/size", np.array([layer.height, layer.width], np.int64))
    # The two empty names stand for a region of interest and for factors.
    return graph.add("Resize", layer.name, source, "", "", size, mode="linear", axes=(2, 3))


CONVERSIONS: "dict[str, Callable[..., str]]" = {
    "Activation": lambda graph, layer, source: graph.activated(layer, source),
    "Add": lambda graph, layer, *sources: graph.add("Add", layer.name, *sources),
    "AveragePooling2D": _pooling("AveragePool"),
    "BatchNormalization": _batch_normalization,
    "Conv2D": _convolution,
    "Dense": _dense,
    "Dropout": lambda graph, layer, source: source,  # noqa: ARG005 - it does nothing in a prediction
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _global_average,
    "InputLayer": _input,
    "LocalResponseNormalization": _local_response_normalization,
    "MaxPooling2D": _pooling("MaxPool"),
    "ReLU": lambda graph, layer, source: graph.add("Relu", layer.name, source),
    "Resizing": _resizing,
}
