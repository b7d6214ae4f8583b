"""Tests of the records with which a Faust application may declare its topics."""

import json

from catdog_stream.records import ImageLabel, ImageRequest
from tests.support.requests import parse_request


def test_a_request_that_faust_writes_is_one() -> None:
    written = ImageRequest(url="dXJs", data="QQ==").dumps()
    assert json.loads(written) == {"url": "dXJs", "data": "QQ==", "label": None}
    request = parse_request(written, max_image_bytes=100)
    assert (request.url, request.picture, request.fields) == ("dXJs", b"A", None)


def test_a_label_on_the_wire_is_one_for_faust() -> None:
    value = b'{"label": "Probabilities: cat 99.9% dog 0.1%", "url": null, "data": null}'
    label = ImageLabel.loads(value)
    assert label.label == "Probabilities: cat 99.9% dog 0.1%"
    assert label.url is None
    assert json.loads(label.dumps()) == json.loads(value), "strict readers refuse other fields"


def test_fields_of_a_client_of_its_own_are_no_error() -> None:
    assert ImageLabel.loads(b'{"label": "x", "correlation": 7}').label == "x"
