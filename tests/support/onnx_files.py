"""Small ONNX networks that recognise the colour of a picture, and stacks of them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.manifest import Manifest, describe

COLOURS = ("red", "green", "blue")
FILE = "network.onnx"
_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
}
#: Read by the oldest supported ONNX Runtime.
_OPSET, _IR = 13, 8


def colour_network(
    wanted: Preprocessing, *, batch: int | str = "batch", output: str = "logits", values: int = 3
) -> bytes:
    """Return a network from a picture to the scores of its colours, and to features.

    Its outputs are ``scores`` and ``features``, in the input's type if that is a float.

    Args:
        wanted: the input format; its values are -1 to 1 (float), 0 to 255 or -128 to 127.
        batch: number of pictures in a call, or a name if any number is allowed.
        output: ``logits`` or ``probabilities``.
        values: 3 scores, or 1: of red.
    """
    axes = [1, 2] if wanted.layout == "NHWC" else [2, 3]
    scale = {"uint8": 127.5, "int8": 127.5}.get(wanted.dtype, 1.0)
    matrix = 4 * np.eye(3, dtype=np.float32)
    if wanted.channels == "BGR":
        matrix = matrix[::-1]
    if values == 1:
        matrix = np.array([[4], [-4], [-4]], np.float32)
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled"], ["means"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["sums"]),
    ]
    last = "sums"
    if output == "probabilities":
        nodes.append(
            helper.make_node("Softmax" if values > 1 else "Sigmoid", ["sums"], ["probabilities"])
        )
        last = "probabilities"
    kind_of_output = TensorProto.FLOAT16 if wanted.dtype == "float16" else TensorProto.FLOAT
    nodes += [
        helper.make_node("Cast", [last], ["scores"], to=kind_of_output),
        helper.make_node("Cast", ["means"], ["features"], to=kind_of_output),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [
            helper.make_tensor_value_info(
                "picture", _TYPES[wanted.dtype], [batch, *wanted.network_shape]
            )
        ],
        [
            helper.make_tensor_value_info("scores", kind_of_output, [batch, values]),
            helper.make_tensor_value_info("features", kind_of_output, [batch, 3]),
        ],
        [
            numpy_helper.from_array(np.array(scale, np.float32), "scale"),
            numpy_helper.from_array(np.ascontiguousarray(matrix), "matrix"),
        ],
    )
    return _serialized(graph)


def convolutional_network(wanted: Preprocessing, channels: int = 32, classes: int = 10) -> bytes:
    """Return a network of three convolutions with random weights, and probabilities."""
    random = np.random.default_rng(0)
    nodes, weights, last, inputs = [], [], "picture", 3
    for layer in range(3):
        kernel = random.normal(0, (2 / (9 * inputs)) ** 0.5, (channels, inputs, 3, 3))
        weights.append(numpy_helper.from_array(kernel.astype(np.float32), f"kernel{layer}"))
        nodes.append(
            helper.make_node("Conv", [last, f"kernel{layer}"], [f"sum{layer}"], pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Relu", [f"sum{layer}"], [f"relu{layer}"]))
        last, inputs = f"relu{layer}", channels
    matrix = random.normal(0, 1, (channels, classes)).astype(np.float32)
    nodes += [
        helper.make_node("ReduceMean", [last], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["scores"], axis=-1),
    ]
    taken = helper.make_tensor_value_info(
        "picture", TensorProto.FLOAT, ["batch", *wanted.network_shape]
    )
    given = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", classes])
    weights.append(numpy_helper.from_array(matrix, "matrix"))
    return _serialized(helper.make_graph(nodes, "random", [taken], [given], weights))


def _serialized(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def one_output(network: bytes, name: str = "scores") -> bytes:
    """Return the network with the output ``name`` alone."""
    model = onnx.load_from_string(network)
    for each in [each for each in model.graph.output if each.name != name]:
        model.graph.output.remove(each)
    return bytes(model.SerializeToString())


def colour_stack(
    directory: Path,
    wanted: Preprocessing | None = None,
    *,
    network: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """Write a stack of ``colour_network``, which is a complete classifier, into ``directory``.

    Args:
        directory: the new folder.
        wanted: the input format.
        network: arguments of ``colour_network``.
        fields: fields of the manifest.
    """
    wanted = wanted or Preprocessing(8, layout="NCHW")
    directory.mkdir(parents=True)
    options = {"output": "logits", **(network or {})}
    (directory / FILE).write_bytes(one_output(colour_network(wanted, **options)))
    values: dict[str, Any] = {
        "name": "colours",
        "version": "1",
        "classes": COLOURS,
        "preprocessing": wanted,
        "output": options["output"],
        "parts": {"onnx": describe(directory, FILE)},
        **fields,
    }
    Manifest(**values).write(directory)
    return directory


def picture_of(colour: str, random: np.random.Generator, size: int = 32) -> bytes:
    """Return a noisy picture of a colour."""
    pixels = random.integers(0, 60, (size, size, 3))
    pixels[:, :, COLOURS.index(colour)] += 150
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
