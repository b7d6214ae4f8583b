"""Reader of ``.onnx`` files: the network's shapes, its operators and its metadata."""

import importlib.util
import math
from pathlib import Path
from typing import Any

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.importing.metadata import facts_in_metadata
from catdog_stream.models.importing.network import Network, Output, input_fields, last_operator

__all__ = ["read_onnx"]

#: Operators that change the type or the shape alone.
_TRANSPARENT = {"Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape"}


def read_onnx(file: Path, kept: Path) -> Network:
    """Return the description of the network in ``file``, and copy it to ``kept``.

    Weights in further files, as PyTorch 2.9 exports them, are included in ``kept``.

    Raises:
        InputError: the file cannot be read.
        StackError: a library is missing.
    """
    if None in map(importlib.util.find_spec, ("onnx", "onnxruntime")):
        raise StackError("An .onnx file needs ONNX Runtime: pip install 'catdog-stream[onnx]'.")
    import onnx

    try:
        model = onnx.load(file)
        onnx.save(model, kept)
        graph = model.graph
        weights = {weight.name for weight in graph.initializer}
        (taken,) = (each for each in graph.input if each.name not in weights)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(taken.type.tensor_type.elem_type).name
        nodes = {
            name: (node.op_type, list(node.input)) for node in graph.node for name in node.output
        }
    except Exception as error:
        # Protocol Buffers and ONNX raise any exception for damaged bytes.
        raise InputError(f"{file} cannot be read as an ONNX network with one input.") from error
    return Network(
        "onnx",
        input_fields(file, _shape(taken), dtype),
        {
            each.name: Output(_columns(_shape(each)), last_operator(nodes, each.name, _TRANSPARENT))
            for each in graph.output
        },
        facts_in_metadata(
            f"the metadata of {file.name}", {each.key: each.value for each in model.metadata_props}
        ),
        (0, 255) if dtype == "uint8" else None,
    )


def _shape(value: Any) -> list[Any]:
    return [side.dim_value or side.dim_param for side in value.type.tensor_type.shape.dim]


def _columns(shape: list[Any]) -> int | None:
    open_sides = [side for side in shape[1:] if not isinstance(side, int)]
    return None if open_sides else math.prod(shape[1:])
