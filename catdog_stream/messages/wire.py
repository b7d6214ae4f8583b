"""Records of the topics: requests as Kafka delivers them, answers, and rejections byte for byte."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.raw_json import RawObject, loads

__all__ = [
    "MAX_VALUES",
    "PICTURE_MEMBERS",
    "RECORD_OVERHEAD_BYTES",
    "ROOMS_PARSED",
    "Answer",
    "Headers",
    "Incoming",
    "Source",
    "base64_length",
    "foreign_headers",
    "rejection",
    "values_of",
]

Headers = Sequence[tuple[str, bytes]]

#: Header names of a rejection; it replaces a request's headers of these names.
REJECTION_HEADERS = frozenset({"reason", "detail", "source"})

#: Names of the members that may hold the picture in a request of the default format.
PICTURE_MEMBERS = ("data",)

#: Bytes of a Kafka record for everything except the picture: url, key, headers, JSON syntax.
RECORD_OVERHEAD_BYTES = 64 * 1024
#: Upper bound on the bytes that Kafka's record batch format (version 2) adds to one record.
RECORD_FRAME_BYTES = 128

#: JSON longer than this multiple of the size that the largest picture needs is not parsed. The
#: margin allows line breaks and escapes; a compressed record of a few KB can become 100 MB.
ROOMS_PARSED = 2
#: Maximum number of values in a request's JSON: even a short value takes memory.
MAX_VALUES = 100_000
#: The same in a rejected request whose picture is left out, which takes the event loop.
MAX_VALUES_KEPT = 10_000
FEW = 64


def base64_length(size: int) -> int:
    """Return the characters of padded base64 for ``size`` bytes."""
    return 4 * -(-size // 3)


@dataclass(frozen=True, slots=True)
class Source:
    """Position of a request in Kafka: its idempotency id."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return ``topic/partition/offset``, the value of the ``source`` header."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: bytes | None) -> "Source | None":
        """Read a ``source`` header; return ``None`` if it is absent or has another format."""
        if text is None:
            return None
        match = re.fullmatch(rb"([\w.-]{1,249})/(\d{1,9})/(\d{1,18})", text)
        if match is None:
            return None
        return cls(match[1].decode(), int(match[2]), int(match[3]))


@dataclass(frozen=True, slots=True)
class Incoming:
    """Record of ``catdogimage`` as Kafka delivered it."""

    source: Source
    key: bytes | None
    value: bytes | None
    headers: Headers
    #: Milliseconds since the epoch; ``None`` if the record carries none.
    timestamp_ms: int | None

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        return len(self.key or b"") + len(self.value or b"") + _size(self.headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """Record to publish: a label or a rejection."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Upper bound on the bytes of the record in Kafka."""
        return (
            RECORD_FRAME_BYTES + len(self.key or b"") + len(self.value or b"") + _size(self.headers)
        )


def values_of(value: bytes) -> int:
    """Return an upper bound on the number of objects, arrays and values of a JSON text."""
    return sum(_count(value, mark) for mark in (b"{", b"[", b","))  # none is in base64


def _count(value: bytes, mark: bytes) -> int:
    """Return the number of ``mark`` in ``value``, twenty times as fast if there are few."""
    at = -1
    for number in range(FEW):
        if (at := value.find(mark, at + 1)) < 0:
            return number
    return FEW + value.count(mark, at + 1)


def rejection(
    incoming: Incoming,
    error: RejectedRequest,
    *,
    max_bytes: int,
    picture_members: Collection[str] = PICTURE_MEMBERS,
) -> Answer:
    """Return the record of ``catdogimage-rejected`` for one bad request.

    The record has the request's own bytes and headers. Parts that would make it larger than
    ``max_bytes`` are left out: first the picture, which is in ``picture_members`` of its JSON (with
    the whole value if that is far too large), then the whole value, then the headers, and the key
    last.
    """
    own = (
        ("reason", error.reason.encode()),
        ("detail", error.detail.encode("utf-8", "replace")),
        ("source", str(incoming.source).encode()),
    )
    headers = (*foreign_headers(incoming.headers, REJECTION_HEADERS), *own)
    key, value = incoming.key, incoming.value
    room = max_bytes - RECORD_FRAME_BYTES
    if key is not None and _size(own) + len(key) > room:
        key = None
    room -= len(key or b"")
    if value is not None and _size(headers) + len(value) > room:
        parsed = len(value) <= ROOMS_PARSED * max_bytes
        value = _without_picture(value, picture_members) if parsed else b""
        if _size(headers) + len(value) > room:
            value = b""
    if _size(headers) > room:
        headers = own
    if key is None and value is None:
        value = b""  # Kafka allows a record with neither, but aiokafka's producer refuses it
    return Answer(key, value, headers)


def _without_picture(value: bytes, members: Collection[str]) -> bytes:
    if not members or values_of(value) > MAX_VALUES_KEPT:
        return b""
    try:
        body = loads(value)
    except orjson.JSONDecodeError:
        return b""
    if not isinstance(body, dict):
        return b""
    return RawObject.parse(value).replaced({name: b"null" for name in members if name in body}).json


def foreign_headers(headers: Headers, reserved: frozenset[str]) -> Headers:
    """Return the headers without those of the reserved names."""
    return tuple((name, value) for name, value in headers if name not in reserved)


def _size(headers: Headers) -> int:
    # Two variable-length integers of at most five bytes each precede name and value.
    return sum(len(name) + len(value or b"") + 10 for name, value in headers)
