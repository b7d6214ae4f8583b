"""Requests in the default format."""

from catdog_stream.messages.requests.json_format import JsonFormat
from catdog_stream.messages.requests.request import Request, RequestParser

__all__ = ["PARSER", "parse_request", "request_value"]

#: Parser with the default limit.
PARSER = RequestParser(JsonFormat(), 4 * 1024 * 1024)


def parse_request(value: bytes | None, *, max_image_bytes: int) -> Request:
    """Return the content of a request."""
    return RequestParser(JsonFormat(), max_image_bytes).parse(value, ())


def request_value(picture: bytes, url: str | None) -> bytes:
    """Return the value of a request."""
    return JsonFormat().write(picture, url)[0]
