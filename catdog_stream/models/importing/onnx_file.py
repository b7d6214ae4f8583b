"""Reader of ``.onnx`` files: the network's shapes, and the metadata that Ultralytics writes."""

import ast
import importlib.util
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.importing.class_names import names_in_document
from catdog_stream.models.importing.network import Facts, Network, Output, input_fields
from catdog_stream.models.presets import PRESETS

__all__ = ["read_onnx"]

#: Operators that change the type or the shape alone.
_TRANSPARENT = {"Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape"}
#: Longest text that is parsed: 10,000 names of 64 characters fit.
_LONGEST = 1024 * 1024


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
        nodes = {name: node for node in graph.node for name in node.output}
    except Exception as error:
        # Protocol Buffers and ONNX raise any exception for damaged bytes.
        raise InputError(f"{file} cannot be read as an ONNX network with one input.") from error
    return Network(
        "onnx",
        input_fields(file, _shape(taken), dtype),
        {
            each.name: Output(_columns(_shape(each)), _operator(nodes, each.name))
            for each in graph.output
        },
        _facts(file, {each.key: each.value for each in model.metadata_props}),
        (0, 255) if dtype == "uint8" else None,
    )


def _shape(value: Any) -> list[Any]:
    return [side.dim_value or side.dim_param for side in value.type.tensor_type.shape.dim]


def _columns(shape: list[Any]) -> int | None:
    open_sides = [side for side in shape[1:] if not isinstance(side, int)]
    return None if open_sides else math.prod(shape[1:])


def _operator(nodes: Mapping[str, Any], output: str) -> str:
    node = nodes.get(output)
    while node is not None and node.op_type in _TRANSPARENT and node.input:
        node = nodes.get(node.input[0])
    return node.op_type if node is not None else ""


def _facts(file: Path, metadata: Mapping[str, str]) -> Facts:
    """Return the facts in the metadata: ``names`` and ``imgsz`` are literals of Python."""
    classes: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
    with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        classes = names_in_document(_literal(metadata.get("names", "")))
    if metadata.get("author") == "Ultralytics":
        fields = {**msgspec.to_builtins(PRESETS["ultralytics"]), "size": None}
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            fields["size"], fields["width"] = _literal(metadata.get("imgsz", ""))
    return Facts(f"the metadata of {file.name}", classes, fields)


def _literal(text: str) -> Any:
    return ast.literal_eval(text) if len(text) <= _LONGEST else None
