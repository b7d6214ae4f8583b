"""Labels and rejections as records, and requests as Kafka delivers them.

Existing clients depend on these byte for byte: they read labels with strict parsers that refuse
every field except ``label``, ``url`` and ``data``, so everything else is a record header.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.raw_json import RawObject, loads
from catdog_stream.messages.scores import DEFAULT_LIMITS, SCORES, ScoreLimits, decimal

__all__ = [
    "MAX_VALUES",
    "RECORD_OVERHEAD_BYTES",
    "ROOMS_PARSED",
    "Answer",
    "Headers",
    "Incoming",
    "Source",
    "base64_length",
    "rejection",
    "values_of",
    "verdict_label",
]

Headers = Sequence[tuple[str, bytes]]

#: Header names that this application writes; it replaces a request's headers of these names.
LABEL_HEADERS = frozenset(
    {"verdict", "stack", "source", "familiarity", "votes", "missing", SCORES}
)  # and that of each class
REJECTION_HEADERS = frozenset({"reason", "detail", "source"})

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


def verdict_label(
    incoming: Incoming,
    *,
    text: str,
    url: str | None,
    verdict: str,
    scores: Mapping[str, float],
    stack: str,
    familiarity: float | None = None,
    notes: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    limits: ScoreLimits = DEFAULT_LIMITS,
) -> Answer:
    """Return the record of ``catdoglabel`` for one classified request.

    Args:
        incoming: the request.
        text: the label's text.
        url: the request's ``url``, unchanged.
        verdict: the most probable class, or ``unknown``.
        scores: class to its probability, 0 to 1.
        stack: name and version of the stack.
        familiarity: the picture's OOD score, 0 to 1, if known.
        notes: further headers.
        fields: the request's JSON if it has other fields than these three: the label repeats them,
            byte for byte if they are a ``RawObject``.
        limits: limits of the scores.
    """
    of_classes = limits.headers(scores)
    own = (
        ("verdict", verdict.encode()),
        *of_classes,
        ("stack", stack.encode()),
        ("source", str(incoming.source).encode()),
        *(() if familiarity is None else [("familiarity", decimal(familiarity))]),
        *((name, text.encode()) for name, text in (notes or {}).items()),
    )
    theirs = _foreign(incoming.headers, LABEL_HEADERS | {name for name, _ in of_classes})
    return Answer(incoming.key, _label_value(text, url, fields), (*theirs, *own))


def _label_value(text: str, url: str | None, fields: Mapping[str, Any] | None) -> bytes:
    own = {"label": orjson.dumps(text), "url": orjson.dumps(url), "data": b"null"}
    if fields is not None:
        return RawObject.of(fields).replaced(own).json
    return b'{"label": %(label)b, "url": %(url)b, "data": %(data)b}' % {
        name.encode(): value for name, value in own.items()
    }


def rejection(incoming: Incoming, error: RejectedRequest, *, max_bytes: int) -> Answer:
    """Return the record of ``catdogimage-rejected`` for one bad request.

    The record has the request's own bytes and headers. Parts that would make it larger than
    ``max_bytes`` are left out: first the picture (with the whole value if that is far too large),
    then the whole value, then the headers, and the key last.
    """
    own = (
        ("reason", error.reason.encode()),
        ("detail", error.detail.encode("utf-8", "replace")),
        ("source", str(incoming.source).encode()),
    )
    headers = (*_foreign(incoming.headers, REJECTION_HEADERS), *own)
    key, value = incoming.key, incoming.value
    room = max_bytes - RECORD_FRAME_BYTES
    if key is not None and _size(own) + len(key) > room:
        key = None
    room -= len(key or b"")
    if value is not None and _size(headers) + len(value) > room:
        value = _without_picture(value) if len(value) <= ROOMS_PARSED * max_bytes else b""
        if _size(headers) + len(value) > room:
            value = b""
    if _size(headers) > room:
        headers = own
    if key is None and value is None:
        value = b""  # Kafka allows a record with neither, but aiokafka's producer refuses it
    return Answer(key, value, headers)


def _without_picture(value: bytes) -> bytes:
    if values_of(value) > MAX_VALUES_KEPT:
        return b""
    try:
        body = loads(value)
    except orjson.JSONDecodeError:
        return b""
    if not isinstance(body, dict):
        return b""
    return RawObject.parse(value).replaced({"data": b"null"}).json


def _foreign(headers: Headers, reserved: frozenset[str]) -> Headers:
    return tuple((name, value) for name, value in headers if name not in reserved)


def _size(headers: Headers) -> int:
    # Two variable-length integers of at most five bytes each precede name and value.
    return sum(len(name) + len(value or b"") + 10 for name, value in headers)
