"""Tests of responses: labels become tensors, and a picture without a label is named."""

from collections.abc import Sequence

import orjson
import pytest
from aiohttp import web

from catdog_stream.messages.answers import Label, Rejection
from catdog_stream.messages.wire import Source
from catdog_stream.web.api.answer import Answer
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.stream import State
from catdog_stream.web.api.v2.infer_request import Inference
from catdog_stream.web.api.v2.infer_response import HEADER_LENGTH, infer_response, labels_of
from catdog_stream.web.api.v2.serving import Model, model_document
from catdog_stream.web.api.v2.tensors import packed_bytes, packed_floats

MODEL = Model("pets", "2", ("cat", "dog"))


def label(verdict: str, **scores: float) -> Label:
    return Label(verdict, scores, "Probabilities: ...", None, "pets 2", None)


def states(*answers: Label | Rejection | None) -> list[State]:
    return [
        State(Source("catdogimage", 0, n), None, None if each is None else Answer(each))
        for n, each in enumerate(answers)
    ]


LABELS = [label("cat", dog=0.25, cat=0.75), label("dog", dog=1.0, cat=0.0)]


def answered(
    outputs: dict[str, bool], labels: Sequence[Label] = LABELS, id_: str | None = None
) -> web.Response:
    asked = Inference(id_, [b"x"] * len(labels), outputs)
    return infer_response(MODEL, asked, states(*labels), labels)


def test_all_in_json() -> None:
    told = answered({"scores": False, "verdict": False, "stack": False}, id_="42")
    assert told.content_type == "application/json"
    assert orjson.loads(told.body) == {  # type: ignore[arg-type]
        "model_name": "pets",
        "model_version": "2",
        "id": "42",
        "parameters": {"images": "0-0,0-1"},
        "outputs": [
            {
                "name": "scores",
                "datatype": "FP64",
                "shape": [2, 2],
                "parameters": {"classes": "cat,dog"},
                "data": [0.75, 0.25, 0.0, 1.0],
            },
            {"name": "verdict", "datatype": "BYTES", "shape": [2], "data": ["cat", "dog"]},
            {"name": "stack", "datatype": "BYTES", "shape": [2], "data": ["pets 2", "pets 2"]},
        ],
    }


def test_what_is_wanted_in_binary_form_stands_behind_the_json_in_its_order() -> None:
    told = answered({"verdict": True, "stack": False, "scores": True})
    body = bytes(told.body)  # type: ignore[arg-type]
    end = int(told.headers[HEADER_LENGTH])
    outputs = orjson.loads(body[:end])["outputs"]
    assert [each["parameters"].get("binary_data_size") for each in outputs[::2]] == [14, 32]
    assert outputs[1]["data"] == ["pets 2", "pets 2"]
    assert body[end:] == packed_bytes([b"cat", b"dog"]) + packed_floats([0.75, 0.25, 0.0, 1.0])


def test_labels_of_two_stacks_have_the_classes_of_both() -> None:
    labels = [label("cat", cat=0.75, dog=0.25), label("mouse", mouse=1.0)]
    told = answered({"scores": False}, labels)
    (scores,) = orjson.loads(told.body)["outputs"]  # type: ignore[arg-type]
    assert scores["parameters"] == {"classes": "cat,dog,mouse"}
    assert scores["data"] == [0.75, 0.25, 0.0, 0.0, 0.0, 1.0]


def test_a_label_of_many_classes_gives_the_shape_of_the_model() -> None:
    model = Model("many", "1", ("a,b", "c", *(f"class {n}" for n in range(998))))
    labels = [label("c", **{"c": 0.5, "class 7": 0.25}), label("a,b", **{"a,b": 1.0})]
    told = infer_response(
        model, Inference(None, [b"x"] * 2, {"scores": False}), states(*labels), labels
    )
    (scores,) = orjson.loads(told.body)["outputs"]  # type: ignore[arg-type]
    assert scores["shape"] == [2, 1000]
    assert orjson.loads(scores["parameters"]["classes"]) == list(model.classes)
    assert scores["data"][:10] == [0.0, 0.5, *[0.0] * 7, 0.25]
    assert (scores["data"][1000], sum(scores["data"])) == (1.0, 1.75)
    assert model_document(model)["parameters"] == scores["parameters"]


def test_a_rejected_picture_is_named_with_its_reason() -> None:
    bad = Rejection("not_an_image", "It is none.", None, None)
    with pytest.raises(Problem, match=r"image 1 was rejected: not_an_image: It is none\.") as told:
        labels_of(states(LABELS[0], bad))
    assert told.value.status == 400


def test_a_picture_that_waits_is_named_and_can_be_asked_for() -> None:
    with pytest.raises(Problem, match=r"image 1 \(0-1\)") as told:
        labels_of(states(LABELS[0], None))
    assert told.value.status == 504
