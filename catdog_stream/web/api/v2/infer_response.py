"""Response of ``infer``: scores, verdicts and stacks of the labels, as tensors."""

from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from catdog_stream.messages.answers import Label
from catdog_stream.web.api.ids import image_id
from catdog_stream.web.api.problems import NO_STORE, Problem
from catdog_stream.web.api.stream import State
from catdog_stream.web.api.v2.infer_request import Inference
from catdog_stream.web.api.v2.serving import Model, joined
from catdog_stream.web.api.v2.tensors import packed_bytes, packed_floats

__all__ = ["HEADER_LENGTH", "infer_response", "labels_of"]

HEADER_LENGTH = "Inference-Header-Content-Length"


def labels_of(states: Sequence[State]) -> list[Label]:
    """Return the label of each picture. Raise ``Problem`` naming the pictures without one."""
    late = [number for number, state in enumerate(states) if state.answer is None]
    if late:
        ids = ", ".join(f"image {number} ({image_id(states[number].source)})" for number in late)
        raise Problem(504, f"Not answered in time, though it will be: {ids}.")
    answers = [state.answer.content for state in states if state.answer is not None]
    labels = [answer for answer in answers if isinstance(answer, Label)]
    if len(labels) < len(answers):
        bad = [
            f"image {number} was rejected: {answer.reason}: {answer.detail}"
            for number, answer in enumerate(answers)
            if not isinstance(answer, Label)
        ]
        raise Problem(400, "; ".join(bad))
    return labels


def infer_response(
    model: Model, asked: Inference, states: Sequence[State], labels: Sequence[Label]
) -> web.Response:
    """Return the response: JSON, followed by the outputs requested in binary form."""
    classes = _classes(model, labels)
    count = len(labels)
    scores = [label.scores.get(name, 0.0) for label in labels for name in classes]
    verdicts = [label.verdict for label in labels]
    stacks = [label.stack or "" for label in labels]
    tensors: dict[str, tuple[str, list[int], list[Any]]] = {
        "scores": ("FP64", [count, len(classes)], scores),
        "verdict": ("BYTES", [count], verdicts),
        "stack": ("BYTES", [count], stacks),
    }
    outputs, binary = [], []
    for name, in_binary in asked.outputs.items():
        datatype, shape, data = tensors[name]
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
        if name == "scores":
            output["parameters"] = {"classes": joined(classes)}
        if in_binary:
            packed = _packed(datatype, data)
            output["parameters"] = {
                **output.get("parameters", {}),
                "binary_data_size": len(packed),
            }
            binary.append(packed)
        else:
            output["data"] = data
        outputs.append(output)
    document = {
        "model_name": model.name,
        "model_version": model.version,
        **({} if asked.id is None else {"id": asked.id}),
        "parameters": {"images": ",".join(image_id(state.source) for state in states)},
        "outputs": outputs,
    }
    return _response(orjson.dumps(document), b"".join(binary))


def _response(text: bytes, binary: bytes) -> web.Response:
    if not binary:
        return web.Response(body=text, content_type="application/json", headers=NO_STORE)
    return web.Response(
        body=text + binary,
        content_type="application/octet-stream",
        headers={**NO_STORE, HEADER_LENGTH: str(len(text))},
    )


def _packed(datatype: str, data: Sequence[Any]) -> bytes:
    if datatype == "FP64":
        return packed_floats(data)
    return packed_bytes(text.encode("utf-8", "replace") for text in data)


def _classes(model: Model, labels: Sequence[Label]) -> list[str]:
    """Return the classes in the model's order, then those of other models' labels."""
    found = dict.fromkeys(name for label in labels for name in label.scores)
    # A label of many classes has a few scores only: the others are 0, so that the shape stays.
    known = () if found.keys().isdisjoint(model.classes) else model.classes
    return list(dict.fromkeys([*known, *found]))
