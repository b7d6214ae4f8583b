"""Tests of clients of the Open Inference Protocol, which get their answers from the stream."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import jsonschema
import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from catdog_stream import __version__
from catdog_stream.testing import Worker
from tests.support.open_inference import check
from tests.support.pictures import BLUE, RED, noise

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def worker(looking: Worker) -> Worker:
    """Return a worker with the name "instant 1" in the protocol."""
    return looking


@pytest.fixture
def client(worker: Worker) -> Iterator[Any]:
    """Yield NVIDIA's client."""
    with triton.InferenceServerClient(f"127.0.0.1:{worker.port}") as connected:
        yield connected


def tensor(*pictures: bytes, binary: bool = True, column: bool = False) -> Any:
    """Return pictures in the form in which the client sends them."""
    shape = [len(pictures), 1] if column else [len(pictures)]
    data = pictures if binary else [b64encode(picture) for picture in pictures]
    made = triton.InferInput("image", shape, "BYTES")
    made.set_data_from_numpy(np.array(data, dtype=np.object_).reshape(shape), binary_data=binary)
    return made


def infer(worker: Worker, document: Any, model: str = "catdog") -> requests.Response:
    url = f"http://127.0.0.1:{worker.port}/v2/models/{model}/infer"
    return requests.post(url, json=document, timeout=60)


def asked(*pictures: bytes, **more: Any) -> dict[str, Any]:
    data = [b64encode(picture).decode() for picture in pictures]
    shape = [len(pictures)]
    return {
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": shape, "data": data}],
        **more,
    }


def test_the_client_finds_the_server_and_its_model(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    for name, version in (("instant", ""), ("instant", "1"), ("catdog", ""), ("catdog", "1")):
        assert client.is_model_ready(name, version)
        metadata = client.get_model_metadata(name, version)
        check("MetadataModelResponse", metadata)
        assert (metadata["name"], metadata["versions"]) == ("instant", ["1"])
    server = client.get_server_metadata()
    check("MetadataServerResponse", server)
    assert server["version"] == __version__
    assert not client.is_model_ready("instant", "2")
    assert not client.is_model_ready("another")


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("binary", [True, False])
def test_the_client_has_pictures_classified(client: Any, *, binary: bool, column: bool) -> None:
    pictures = tensor(RED, BLUE, RED, binary=binary, column=column)
    wanted = [
        triton.InferRequestedOutput(name, binary_data=binary)
        for name in ("verdict", "scores", "stack")
    ]
    for outputs in (None, wanted, wanted[:1]):
        result = client.infer("catdog", [pictures], outputs=outputs, request_id="42")
        assert result.get_response()["id"] == "42"
        verdicts = [
            each.decode() if isinstance(each, bytes) else each
            for each in result.as_numpy("verdict")
        ]
        assert verdicts == ["cat", "dog", "cat"]
        scores = result.as_numpy("scores")
        if outputs == wanted[:1]:
            assert scores is None
        else:
            assert scores.dtype == np.float64
            assert scores == pytest.approx(
                np.array([[0.999, 0.001], [0.001, 0.999], [0.999, 0.001]])
            )
            assert result.as_numpy("stack").shape == (3,)


def test_the_client_may_compress_what_it_sends(client: Any) -> None:
    for algorithm in ("gzip", "deflate"):
        result = client.infer("catdog", [tensor(RED)], request_compression_algorithm=algorithm)
        assert result.as_numpy("verdict").tolist() == [b"cat"]


def test_the_client_is_told_what_is_wrong(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="image 1 was rejected: not_an_image"):
        client.infer("catdog", [tensor(RED, b"nonsense")])
    with pytest.raises(InferenceServerException, match="Image 0 is empty"):
        client.infer("catdog", [tensor(b"")])
    with pytest.raises(InferenceServerException, match="Image 0 has more than 4194304 bytes"):
        client.infer("catdog", [tensor(noise(4 * 1024 * 1024 + 1))])
    for name, version in (("another", ""), ("catdog", "2")):
        with pytest.raises(InferenceServerException) as told:
            client.infer(name, [tensor(RED)], version)
        assert told.value.status() == "404"


def test_answers_are_what_the_published_protocol_says(worker: Worker) -> None:
    request = asked(RED, BLUE, id="7", outputs=[{"name": "scores"}, {"name": "verdict"}])
    check("InferenceRequest", request)
    for document in (request, asked(RED)):
        told = infer(worker, document)
        assert told.status_code == 200
        check("InferenceResponse", told.json())
    assert [each["name"] for each in infer(worker, request).json()["outputs"]] == [
        "scores",
        "verdict",
    ]
    broken_ones: list[Any] = [{}, [], asked(), {"inputs": []}, asked(b"nonsense")]
    for broken in broken_ones:
        told = infer(worker, broken)
        assert told.status_code == 400
        check("InferenceErrorResponse", told.json())
        assert told.json()["error"]


def test_the_check_itself_can_fail(worker: Worker) -> None:
    told = infer(worker, asked(RED)).json()
    del told["outputs"][0]["datatype"]
    with pytest.raises(jsonschema.ValidationError):
        check("InferenceResponse", told)


def test_full_batches_go_through_the_stream(worker: Worker, client: Any) -> None:
    before = worker.get("/labels/")["total"]
    pictures = [RED, BLUE] * 16
    result = client.infer("instant", [tensor(*pictures)])
    assert result.as_numpy("verdict").tolist() == [b"cat", b"dog"] * 16
    ids = result.get_response()["parameters"]["images"].split(",")
    assert len(set(ids)) == 32
    assert worker.get(f"/images/{ids[1]}")["verdict"] == "dog"
    assert worker.get("/labels/")["total"] - before <= 32
    assert infer(worker, asked(*[RED] * 33)).status_code == 400


def test_no_body_is_larger_than_four_of_the_largest_pictures(client: Any) -> None:
    largest = noise(4 * 1024 * 1024)
    result = client.infer("catdog", [tensor(*[largest] * 4)])
    assert result.as_numpy("verdict").tolist() == [b"cat"] * 4
    with pytest.raises((InferenceServerException, OSError)) as told:
        client.infer("catdog", [tensor(*[largest] * 6)])
    if isinstance(told.value, InferenceServerException):
        assert told.value.status() == "413"
