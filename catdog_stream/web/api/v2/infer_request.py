"""Request to ``infer``: a tensor of pictures, and the requested outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catdog_stream.messages.base64_text import read_base64
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.v2.documents import LONG_TEXT, Document, read_document
from catdog_stream.web.api.v2.tensors import unpacked_bytes

__all__ = ["INPUT", "MAX_PICTURES", "OUTPUTS", "Inference", "parse"]

INPUT = "image"
OUTPUTS = ("scores", "verdict", "stack")
#: Maximum number of pictures in one request.
MAX_PICTURES = 32
MAX_ID = 1000


@dataclass(frozen=True, slots=True)
class Inference:
    """Request to ``infer``."""

    id: str | None
    pictures: Sequence[bytes]
    #: Requested output to ``True`` if it is to be binary.
    outputs: Mapping[str, bool]


def parse(body: bytes, header_length: str | None) -> Inference:
    """Read a request.

    Args:
        body: JSON, perhaps followed by binary data.
        header_length: bytes of JSON before the binary data; ``None``: the whole body is JSON.

    Raises:
        Problem: the body is not a valid request.
    """
    end = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or len(header_length) > 12 or int(header_length) > end:
            raise Problem(400, "Inference-Header-Content-Length is not the length of the JSON.")
        end = int(header_length)
    read = read_document(body, end)
    document = read.content
    if not isinstance(document, dict):
        raise Problem(400, "The request is not a JSON object.")
    id_ = document.get("id")
    if id_ is not None and (not isinstance(id_, str) or len(id_) > MAX_ID):
        raise Problem(400, f"The id is not text of up to {MAX_ID} characters.")
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Problem(400, f"There must be one input, {INPUT}.")
    pictures = _pictures(inputs[0], memoryview(body)[end:], read)
    if read.long_texts:
        raise Problem(400, f"A text of more than {LONG_TEXT} bytes is none of the pictures.")
    return Inference(id_, pictures, _outputs(document))


def _pictures(tensor: Mapping[str, Any], binary: memoryview, read: Document) -> list[bytes]:
    if tensor.get("name") != INPUT or tensor.get("datatype") != "BYTES":
        raise Problem(400, f"The input must be {INPUT}, of datatype BYTES.")
    count = _count(tensor.get("shape"))
    size = _parameters(tensor).get("binary_data_size")
    if isinstance(size, bool):  # a bool equals 0 or 1
        raise Problem(400, "binary_data_size is no number of bytes.")
    if size is None:
        pictures = _from_json(tensor.get("data"), count, read)
        size = 0
    elif "data" in tensor:
        raise Problem(400, "The input has data and binary data.")
    elif size == len(binary):
        try:
            pictures = unpacked_bytes(binary, count)
        except ValueError as error:
            raise Problem(400, f"The binary data is no tensor of BYTES: {error}.") from None
    if size != len(binary):
        raise Problem(400, "binary_data_size is not the length of what stands behind the JSON.")
    if len(pictures) != count:
        raise Problem(400, f"The input has {len(pictures)} elements, and its shape says {count}.")
    return pictures


def _count(shape: object) -> int:
    """Return the number of pictures from the shape [n] or [n, 1]."""
    if (
        not isinstance(shape, list)
        or not all(type(size) is int for size in shape)
        or len(shape) not in (1, 2)
        or shape[1:] not in ([], [1])
        or not 1 <= shape[0] <= MAX_PICTURES
    ):
        raise Problem(400, f"The input's shape must be [n] or [n, 1], with 1 to {MAX_PICTURES}.")
    return int(shape[0])


def _from_json(data: object, count: int, read: Document) -> list[bytes]:
    if not isinstance(data, list) or len(data) > count:
        raise Problem(400, f"The input's data must be a list of {count} texts.")
    pictures = []
    for number, element in enumerate(data):
        text = element[0] if isinstance(element, list) and len(element) == 1 else element
        if not isinstance(text, str):
            raise Problem(400, f"Image {number} is not text.")
        try:
            pictures.append(read_base64(read.take(text)))
        except ValueError as error:
            raise Problem(400, f"Image {number} is not base64: {error}.") from None
    return pictures


def _outputs(document: Mapping[str, Any]) -> Mapping[str, bool]:
    all_binary = _flag(document, "binary_data_output", default=False)
    wanted = document.get("outputs")
    if wanted is None or wanted == []:
        return dict.fromkeys(OUTPUTS, all_binary)
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        raise Problem(400, "The outputs are not a list of objects.")
    found: dict[str, bool] = {}
    for each in wanted:
        name = each.get("name")
        if name not in OUTPUTS or name in found:
            raise Problem(400, f"The outputs are {', '.join(OUTPUTS)}, each once.")
        if _parameters(each).get("classification"):
            raise Problem(400, "Classification is not offered: the output scores has them all.")
        found[name] = _flag(each, "binary_data", default=all_binary)
    return found


def _flag(holder: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = _parameters(holder).get(name, default)
    if not isinstance(value, bool):
        raise Problem(400, f"{name} is neither true nor false.")
    return value


def _parameters(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise Problem(400, "The parameters are not an object.")
    if any(name.startswith("shared_memory") for name in parameters):
        raise Problem(400, "Shared memory is not offered.")
    return parameters
