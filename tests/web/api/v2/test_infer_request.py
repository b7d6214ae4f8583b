"""Tests of valid requests to ``infer``, and of invalid ones, which are refused with a sentence."""

from base64 import b64encode
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.v2.infer_request import Inference, parse
from catdog_stream.web.api.v2.tensors import packed_bytes

ALL = {"scores": False, "verdict": False, "stack": False}


def base64(*pictures: bytes) -> list[str]:
    return [b64encode(picture).decode() for picture in pictures]


def image(*pictures: bytes, **changed: Any) -> dict[str, Any]:
    tensor = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [len(pictures)],
        "data": base64(*pictures),
        **changed,
    }
    return {name: value for name, value in tensor.items() if value is not None}


def asked(tensor: dict[str, Any] | None = None, **fields: Any) -> Inference:
    return parse(orjson.dumps({"inputs": [tensor or image(b"a", b"b")], **fields}), None)


def in_binary(document: Any, binary: bytes, length: str | None = None) -> Inference:
    text = orjson.dumps(document)
    return parse(text + binary, str(len(text)) if length is None else length)


def test_pictures_in_json() -> None:
    assert asked(id="42") == Inference("42", [b"a", b"b"], ALL)
    assert asked(image(b"a", b"b", shape=[2, 1])).pictures == [b"a", b"b"]
    assert asked(image(shape=[1, 1], data=[base64(b"a")])).pictures == [b"a"]


def test_pictures_in_binary_form() -> None:
    binary = packed_bytes([b"\xff\xd8", b"b"])
    tensor = image(data=None, shape=[2], parameters={"binary_data_size": len(binary)})
    assert in_binary({"inputs": [tensor]}, binary).pictures == [b"\xff\xd8", b"b"]


def test_outputs_and_their_form() -> None:
    everything = {"binary_data_output": True}
    assert asked(parameters=everything).outputs == dict.fromkeys(ALL, True)
    wanted = [{"name": "verdict", "parameters": {"binary_data": True}}, {"name": "scores"}]
    assert asked(outputs=wanted).outputs == {"verdict": True, "scores": False}
    assert asked(outputs=wanted, parameters=everything).outputs["scores"]
    assert asked(outputs=[]).outputs == ALL


@pytest.mark.parametrize(
    "tensor",
    [
        image(b"a", name="picture"),
        image(b"a", datatype="UINT8"),
        image(b"a", shape=None),
        image(b"a", shape=[]),
        image(b"a", shape=[2]),
        image(b"a", shape=[0]),
        image(b"a", shape=[-1]),
        image(b"a", shape=[True]),
        image(b"a", shape=[1.0]),
        image(b"a", shape=["1"]),
        image(b"a", shape=[1, 2]),
        image(b"a", shape=[1, 1, 1]),
        image(*[b"a"] * 33),
        image(b"a", data=None),
        image(b"a", data="YQ=="),
        image(b"a", data=[5]),
        image(b"a", data=[["YQ==", "YQ=="]]),
        image(b"a", data=["not base64"]),
        image(b"a", data=["YQ=="] * 2),
        image(b"a", parameters=[]),
        image(b"a", parameters={"binary_data_size": 0}),
        image(b"a", data=None, parameters={"binary_data_size": 7}),
        image(b"a", parameters={"shared_memory_region": "x"}),
    ],
)
def test_another_input_is_refused(tensor: dict[str, Any]) -> None:
    with pytest.raises(Problem) as told:
        asked(tensor)
    assert told.value.status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 5},
        {"id": 2000 * "x"},
        {"inputs": []},
        {"inputs": None},
        {"inputs": [image(b"a")] * 2},
        {"inputs": ["image"]},
        {"parameters": {"binary_data_output": "yes"}},
        {"parameters": 5},
        {"outputs": {}},
        {"outputs": ["scores"]},
        {"outputs": [{"name": "others"}]},
        {"outputs": [{"name": ["scores"]}]},
        {"outputs": [{"name": "scores"}] * 2},
        {"outputs": [{"name": "scores", "parameters": {"binary_data": 1}}]},
        {"outputs": [{"name": "scores", "parameters": {"classification": 1}}]},
    ],
)
def test_another_request_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        asked(**fields)


@pytest.mark.parametrize("length", ["-1", "9999", "x", "1", "", "²", "9" * 5000])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(Problem):
        in_binary({"inputs": [image(b"a")]}, b"", length)


@pytest.mark.parametrize("size", [0, 4, 6, 100, -5, "5", True, None, 5.0])
def test_a_size_that_is_not_that_of_the_data_is_refused(size: Any) -> None:
    tensor = image(data=None, shape=[1], parameters={"binary_data_size": size})
    if size == 5.0:
        assert in_binary({"inputs": [tensor]}, packed_bytes([b"a"])).pictures == [b"a"]
        return
    with pytest.raises(Problem):
        in_binary({"inputs": [tensor]}, packed_bytes([b"a"]))


@pytest.mark.parametrize(("size", "binary"), [(False, b""), (True, b"x"), (True, b""), ([], b"")])
def test_a_size_that_is_no_number_is_refused_whatever_it_is_equal_to(
    size: object, binary: bytes
) -> None:
    tensor = image(data=None, shape=[1], parameters={"binary_data_size": size})
    with pytest.raises(Problem) as refused:
        in_binary({"inputs": [tensor]}, binary)
    assert refused.value.status == 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.text(max_size=4) | st.just("image"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "shape", "datatype", "data", "parameters", "inputs", "outputs"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(_JSON, st.binary(max_size=10), st.none() | st.integers(0, 60).map(str))
def test_whatever_comes_nothing_breaks(document: Any, binary: bytes, length: str | None) -> None:
    with suppress(Problem):
        parse(orjson.dumps(document) + binary, length)
