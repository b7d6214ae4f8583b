"""JSON with the picture as base64: the format of the first clients, and the default."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import orjson
import pybase64

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.memory import DECODING, parsing_bytes
from catdog_stream.messages.base64_text import read_base64
from catdog_stream.messages.raw_json import RawObject, loads
from catdog_stream.messages.requests.request import REFERENCES, Request
from catdog_stream.messages.wire import MAX_VALUES, Headers, values_of

__all__ = ["JsonFormat", "parsed", "picture_in", "within_budget"]

#: Fields of a request that the contract defines; the label repeats all others.
FIELDS = frozenset({"label", "url", "data"})
#: Bytes of memory for parsing that need no budget: each decoding thread parses one request.
SMALL_PARSING = 1 << 20


class JsonFormat:
    """JSON object with the picture and the url in two fields.

    Args:
        data: path of the field with the picture in base64, with points: ``payload.image``.
        url: path of the field with the url.
    """

    def __init__(self, data: str = "data", url: str = "url") -> None:
        self._data, self._url = data.split("."), url.split(".")
        self._data_name, self._url_name = data, url
        self.picture_members = (self._data[0],)

    def read(self, value: bytes, headers: Headers) -> Request:  # noqa: ARG002 - all is in the value
        """Return the content of a record.

        Raises:
            RejectedRequest: ``not_json``, ``not_an_object``, ``bad_url``, ``missing_data``,
                ``bad_base64``, or ``too_large``: more values than any request needs.
        """
        return within_budget(value, self._parsed)

    def _parsed(self, value: bytes) -> Request:
        body = parsed(value)
        found = self.content(body)
        more = not body.keys() <= FIELDS
        fields = RawObject.parse(value).replaced({self._data[0]: b"null"}) if more else None
        return replace(found, fields=fields)

    def content(self, body: Mapping[str, Any]) -> Request:
        """Return url and picture of a parsed object. Without a picture, a url may be a reference.

        Raises:
            RejectedRequest: ``bad_url``, ``missing_data`` or ``bad_base64``.
        """
        url = _at(body, self._url)
        if url is not None and not isinstance(url, str):
            raise RejectedRequest(Reason.BAD_URL, f"The field {self._url_name} is not text.")
        data = _at(body, self._data)
        if url is not None and data in (None, "") and url.startswith(REFERENCES):
            return Request(url, b"", reference=url)
        return Request(url, picture_in(data, self._data_name, url))

    def write(self, picture: bytes, url: str | None) -> tuple[bytes, Headers]:
        """Return the value of a record, without headers."""
        if (self._data, self._url) == (["data"], ["url"]):
            # The same bytes as orjson's, without an intermediate string of the picture's size.
            head = b'{"label":null,"url":%b,"data":"' % orjson.dumps(url)
            return b"".join((head, pybase64.b64encode(picture), b'"}')), ()
        body: dict[str, Any] = {}
        _put(body, self._url, url)
        _put(body, self._data, pybase64.b64encode(picture).decode())
        return orjson.dumps(body), ()


def within_budget(value: bytes, read: Callable[[bytes], Request]) -> Request:
    """Return ``read(value)`` for JSON, once there is memory for parsing it.

    Raises:
        RejectedRequest: ``not_json`` without a value, ``too_large`` with too many values.
    """
    if not value:
        raise RejectedRequest(Reason.NOT_JSON, "The record has no value.")
    values = values_of(value)
    if values > MAX_VALUES:
        raise RejectedRequest(
            Reason.TOO_LARGE, f"The JSON has {values} values, far more than any picture may need."
        )
    size = parsing_bytes(value, values)
    with nullcontext() if size <= SMALL_PARSING else DECODING.held(size):
        return read(value)


def parsed(value: bytes) -> dict[str, Any]:
    """Return a JSON object. Raise ``RejectedRequest``: ``not_json`` or ``not_an_object``."""
    try:
        body = loads(value)
    except orjson.JSONDecodeError as error:
        raise RejectedRequest(Reason.NOT_JSON, f"The value is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise RejectedRequest(Reason.NOT_AN_OBJECT, "The JSON value is not an object.")
    return body


def picture_in(data: Any, name: str, url: str | None) -> bytes:
    """Return the picture in the JSON field ``name`` of the request with ``url``.

    Raises:
        RejectedRequest: ``missing_data`` or ``bad_base64``.
    """
    if data is not None and not isinstance(data, str):
        raise RejectedRequest(Reason.BAD_BASE64, f"The field {name} is not text.", url)
    try:
        picture = read_base64(data or "")
    except ValueError as error:
        raise RejectedRequest(
            Reason.BAD_BASE64, f"The field {name} is not base64: {error}.", url
        ) from None
    if not picture:
        raise RejectedRequest(Reason.MISSING_DATA, f"The field {name} is missing or empty.", url)
    return picture


def _at(body: Any, path: list[str]) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value
