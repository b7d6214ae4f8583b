"""Votes: records of ``catdogvote`` that voters write and a jury reads.

A vote contains the parts of its request that the answer needs, so that the jury does not read the
picture again::

    {"voter": "lite", "source": "catdogimage/3/17", "stack": "lite 2", "weight": 1.0,
     "scores": {"cat": 0.9, "dog": 0.1}, "familiarity": null, "unknown": false,
     "reason": null, "detail": null,
     "key": null, "url": "aHR0cA", "fields": null, "headers": [["traceparent", "MDAt..."]],
     "timestamp_ms": 1760000000000}

Either ``scores`` or ``reason`` is set. Keys and the values of headers are base64, because they may
be any bytes. A jury writes a deadline marker for the requests whose deadline has passed::

    {"topic": "catdogimage", "partition": 3, "closed": [17, 18]}
"""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import orjson

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.answers import AnyValue
from catdog_stream.messages.raw_json import RawObject, loads
from catdog_stream.messages.wire import Headers, Incoming, Source
from catdog_stream.models.checked_verdicts import MAX_STACK_CHARACTERS, SUM_TOLERANCE
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import MAX_WEIGHT

__all__ = ["VOTER_NAME", "DeadlineMarker", "Vote"]

#: Allowed names of a voter: the name is also part of its consumer group's id.
VOTER_NAME = re.compile(r"[a-z0-9_-]{1,32}")
MAX_DETAIL_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Vote:
    """Answer of one voter to one request."""

    voter: str
    source: Source
    """The request."""
    answer: Verdict | RejectedRequest
    weight: float = 1.0
    """Weight relative to other voters."""
    key: bytes | None = None
    """The request's key. The following fields belong to the request, too."""
    url: str | None = None
    fields: Mapping[str, Any] | None = None
    """See ``wire.Request``."""
    headers: Headers = ()
    timestamp_ms: int | None = None
    """Milliseconds since the epoch; ``None`` if the request carries none."""

    def incoming(self, value: bytes | None = None) -> Incoming:
        """Return the request of this vote, without its ``value`` unless that is given."""
        return Incoming(self.source, self.key, value, self.headers, self.timestamp_ms)

    def dump(self) -> bytes:
        """Return the value of the record, without fields that are nested too deeply to parse."""
        body = {**self._answer(), **self._request(), "fields": None}
        if self.fields is not None:
            with suppress(ValueError, TypeError):
                fields = orjson.Fragment(RawObject.of(self.fields).json)
                value = orjson.dumps({**body, "fields": fields})
                loads(value)  # it may be nested one level deeper than a parser allows
                return value
        return orjson.dumps(body)

    def _answer(self) -> Mapping[str, Any]:
        about = {"voter": self.voter, "source": str(self.source), "weight": self.weight}
        if isinstance(self.answer, RejectedRequest):
            detail = self.answer.detail[:MAX_DETAIL_CHARACTERS]
            # A lone surrogate, quoted from a request, cannot be encoded.
            detail = detail.encode("utf-8", "replace").decode()
            return {**about, "reason": self.answer.reason.value, "detail": detail}
        return {
            **about,
            "stack": self.answer.stack,
            "scores": self.answer.scores,
            "familiarity": self.answer.familiarity,
            "unknown": self.answer.unknown,
        }

    def _request(self) -> Mapping[str, Any]:
        return {
            "key": _to_text(self.key),
            "url": self.url,
            "headers": [[name, _to_text(value)] for name, value in self.headers],
            "timestamp_ms": self.timestamp_ms,
        }

    @classmethod
    def parse(cls, value: AnyValue) -> "Vote | None":
        """Read a record's value; return ``None`` if it is not a valid vote: it is untrusted."""
        try:
            body = value if isinstance(value, Mapping) else loads(value or b"")
            fields = _typed(body.get("fields"), dict, type(None))
            if fields is not None and not isinstance(value, Mapping):
                fields = _raw_fields(value)
            return cls(
                voter=_voter(body["voter"]),
                source=_source(body["source"]),
                answer=_parsed_answer(body),
                weight=_number(body.get("weight", 1.0), above=0.0, most=MAX_WEIGHT),
                key=_from_text(body.get("key")),
                url=_typed(body.get("url"), str, type(None)),
                fields=fields,
                headers=tuple(map(_header, body.get("headers", ()))),
                timestamp_ms=_time(body.get("timestamp_ms")),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class DeadlineMarker:
    """Requests whose deadline has passed: only votes before this record count."""

    topic: str
    partition: int
    offsets: tuple[int, ...]

    def dump(self) -> bytes:
        """Return the value of the record."""
        body = {"topic": self.topic, "partition": self.partition, "closed": self.offsets}
        return orjson.dumps(body)

    @classmethod
    def parse(cls, value: bytes | None) -> "DeadlineMarker | None":
        """Read a record's value; return ``None`` if it is not a marker: it is untrusted."""
        try:
            body = orjson.loads(value or b"")
            return cls(
                _typed(body["topic"], str),
                _typed(body["partition"], int),
                tuple(_typed(offset, int) for offset in body["closed"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _raw_fields(value: bytes | str | None) -> RawObject:
    """Return the fields of a vote with their original bytes."""
    text = value.encode() if isinstance(value, str) else value or b""
    return RawObject.parse(RawObject.parse(text).raw("fields"))


def _parsed_answer(body: Mapping[str, Any]) -> Verdict | RejectedRequest:
    if (reason := body.get("reason")) is not None:
        known = reason in Reason.__members__.values()
        detail = _typed(body.get("detail") or "", str)[:MAX_DETAIL_CHARACTERS]
        return RejectedRequest(Reason(reason) if known else Reason.INTERNAL_ERROR, detail)
    scores = {
        name: _number(chance, above=-1.0, most=1.0)
        for name, chance in _typed(body["scores"], dict).items()
    }
    checked_classes(scores)
    if min(scores.values()) < 0 or abs(sum(scores.values()) - 1) > SUM_TOLERANCE:
        raise ValueError("chances must add up to 1")
    stack = _typed(body["stack"], str)
    if not (stack.isprintable() and 0 < len(stack) <= MAX_STACK_CHARACTERS):
        raise ValueError("not the name of a stack")
    familiarity = body.get("familiarity")
    return Verdict(
        scores,
        stack,
        None if familiarity is None else max(0.0, _number(familiarity, above=-1.0, most=1.0)),
        body.get("unknown") is True,
    )


def _voter(value: object) -> str:
    if not isinstance(value, str) or not VOTER_NAME.fullmatch(value):
        raise ValueError("not a voter's name")
    return value


def _source(value: object) -> Source:
    source = Source.parse(value.encode()) if isinstance(value, str) else None
    if source is None:
        raise ValueError("not a source")
    return source


def _number(value: object, *, above: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    if not math.isfinite(value) or not above < value <= most:
        raise ValueError("out of range")
    return float(value)


def _time(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**62:
        raise ValueError("not a time")
    return value


def _typed(value: Any, *types: type) -> Any:
    if not isinstance(value, types):
        raise TypeError("not of that type")
    return value


def _header(pair: Any) -> tuple[str, bytes]:
    name, text = pair
    return _typed(name, str), cast(bytes, _from_text(text))  # Kafka has headers without a value


def _to_text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _from_text(value: object) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("not base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
