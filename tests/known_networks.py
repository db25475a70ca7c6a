"""Networks as ONNX files whose answers are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from experiments.inference import Settings
from experiments.models.onnx_export import with_metadata

PIXELS = 28 * 28


def linear_network(weights: NDArray[np.float32], settings: Settings | None = None) -> bytes:
    """Return a network whose logits are the flat image times ``float32 (784, 10)``; its features are the image."""
    return _network([28, 28, 1], weights, ("logits", "features"), settings)


def halves(strength: float = 0.1, settings: Settings | None = None) -> bytes:
    """Return a network that reads 1 where there is more ink in the upper half of the image, else 0."""
    weights = np.zeros((28, 28, 10), np.float32)
    weights[:14, :, 1] = weights[14:, :, 0] = strength
    return linear_network(weights.reshape(PIXELS, 10), settings)


def other_network(shape: Sequence[int] = (28, 28, 1), outputs: tuple[str, str] = ("logits", "features")) -> bytes:
    """Return a network with another input or other outputs."""
    return _network(shape, np.zeros((int(np.prod(shape)), 10), np.float32), outputs)


def _network(
    shape: Sequence[int],
    weights: NDArray[np.float32],
    outputs: tuple[str, str],
    settings: Settings | None = None,
) -> bytes:
    size = len(weights)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], [outputs[1]]),
            helper.make_node("MatMul", [outputs[1], "weights"], [outputs[0]]),
        ],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", *shape])],
        [
            helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["n", 10]),
            helper.make_tensor_value_info(outputs[1], TensorProto.FLOAT, ["n", size]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return with_metadata(content, settings.to_metadata()) if settings else content


def put_network(folder: Path, content: bytes | None = None, name: str = "small.onnx") -> Path:
    """Write a network into a folder."""
    file = folder / name
    file.write_bytes(halves() if content is None else content)
    return file
