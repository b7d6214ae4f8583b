"""Reader of ``.tflite`` files: the network's shapes, its integers, and the file of labels in it.

A zip archive behind the network has a text of labels, or the metadata of Ultralytics.
"""

import io
import math
import zipfile
from pathlib import Path

from catdog_stream.errors import InputError
from catdog_stream.models.importing.class_names import MAX_BYTES, names_in_text
from catdog_stream.models.importing.metadata import facts_in_metadata, literal
from catdog_stream.models.importing.network import (
    Facts,
    Network,
    Output,
    input_fields,
    last_operator,
)

__all__ = ["read_tflite"]

_LIMITS = {"uint8": (0, 255), "int8": (-128, 127)}
#: What the bytes of a picture usually stand for, and the largest deviation, as a share.
_RANGES, _DEVIATION = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)), 0.05
_TEXTS = (".txt", ".json")
_TRANSPARENT = {"DEQUANTIZE", "QUANTIZE", "RESHAPE"}


def read_tflite(model: Path, content: bytes, kept: Path) -> Network:
    """Return the description of a network, and write it to ``kept``.

    Args:
        model: the file or folder that the network is from.
        content: the network.
        kept: the file to write.

    Raises:
        InputError: the network cannot be read.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        # Without delegates, which would replace the operators by one.
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_content=content, experimental_op_resolver_type=plain)
        (taken,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        operators = {
            int(tensor): (each["op_name"], each["inputs"].tolist())
            for each in interpreter._get_ops_details()
            for tensor in each["outputs"]
        }
    except (ValueError, RuntimeError) as error:
        raise InputError(f"LiteRT cannot read {model} as a network with one input.") from error
    kept.write_bytes(content)
    dtype, shape = taken["dtype"].__name__, taken["shape_signature"].tolist()
    return Network(
        "litert",
        input_fields(model, shape, dtype),
        {
            each["name"]: Output(
                math.prod(each["shape"].tolist()[1:]),
                last_operator(operators, each["index"], _TRANSPARENT),
            )
            for each in outputs
        },
        _facts(f"the metadata of {model.name}", content),
        _range(dtype, *taken["quantization"]),
    )


def _range(dtype: str, scale: float, zero_point: int) -> tuple[float, float] | None:
    """Return what the bytes 0 and 255 of an integer input stand for, if that is usual."""
    if dtype not in _LIMITS:
        return None
    scale = scale or 1.0  # not quantized
    found = [(limit - zero_point) * scale for limit in _LIMITS[dtype]]
    for low, high in _RANGES:
        tolerance = _DEVIATION * (high - low)
        if abs(found[0] - low) <= tolerance and abs(found[1] - high) <= tolerance:
            return low, high
    return None


def _facts(source: str, content: bytes) -> Facts:
    """Return the facts in the archive behind a network: one text of labels, or metadata."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (inside,) = (each for each in archive.infolist() if each.filename.endswith(_TEXTS))
            text = archive.read(inside).decode() if inside.file_size <= MAX_BYTES else ""
    except Exception:  # noqa: BLE001 - most files have no archive, and zlib raises any exception
        return Facts(source)
    metadata = literal(text)
    if isinstance(metadata, dict):
        return facts_in_metadata(source, metadata)
    return Facts(source, names_in_text(text))
