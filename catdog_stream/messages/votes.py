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
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, cast

import msgspec
import orjson
from msgspec import Meta

from catdog_stream.documents import convert, short
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.answers import AnyValue
from catdog_stream.messages.raw_json import RawObject, loads
from catdog_stream.messages.wire import Headers, Incoming, Source
from catdog_stream.models.checked_verdicts import MAX_STACK_CHARACTERS, SUM_TOLERANCE
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import MAX_WEIGHT

__all__ = ["VOTER_NAME", "DeadlineMarker", "Vote", "VoteBody"]

logger = logging.getLogger(__name__)

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
            if isinstance(value, Mapping):
                body = convert(dict(value), VoteBody)
                fields: Mapping[str, Any] | None = body.fields
            else:
                body = convert(loads(value or b""), VoteBody)
                fields = None if body.fields is None else _raw_fields(value)
            return cls(
                voter=body.voter,
                source=body.request(),
                answer=body.answer(),
                weight=body.weight,
                key=body.key,
                url=body.url,
                fields=fields,
                headers=cast(Headers, body.headers),
                timestamp_ms=body.timestamp_ms,
            )
        except ValueError as error:
            logger.debug("A record of catdogvote is no vote: %s.", error)
            return None


class VoteBody(msgspec.Struct):
    """Value of the record of a vote."""

    voter: Annotated[str, Meta(pattern=rf"\A{VOTER_NAME.pattern}\Z")]
    source: str
    weight: Annotated[float, Meta(gt=0, le=MAX_WEIGHT)] = 1.0
    scores: dict[str, Annotated[float, Meta(ge=0, le=1)]] | None = None
    stack: Annotated[str, Meta(min_length=1, max_length=MAX_STACK_CHARACTERS)] | None = None
    familiarity: Annotated[float, Meta(gt=-1, le=1)] | None = None
    unknown: bool | None = None
    reason: str | None = None
    detail: str | None = None
    key: bytes | None = None
    url: str | None = None
    fields: dict[str, Any] | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()  # Kafka has headers without a value
    timestamp_ms: Annotated[int, Meta(ge=0, lt=2**62)] | None = None

    def request(self) -> Source:
        """Return the place of the request. Raises ``ValueError``."""
        if (source := Source.parse(self.source.encode())) is None:
            raise ValueError(f"source must be topic/partition/offset, not {short(self.source)}")
        return source

    def answer(self) -> Verdict | RejectedRequest:
        """Return the verdict or the rejection. Raises ``ValueError``."""
        if self.reason is not None:
            known = self.reason in Reason.__members__.values()
            reason = Reason(self.reason) if known else Reason.INTERNAL_ERROR
            return RejectedRequest(reason, (self.detail or "")[:MAX_DETAIL_CHARACTERS])
        if self.scores is None or self.stack is None:
            raise ValueError("scores and stack must be there, or else reason")
        checked_classes(self.scores)
        if abs(sum(self.scores.values()) - 1) > SUM_TOLERANCE:
            raise ValueError("scores must add up to 1")
        if not self.stack.isprintable():
            raise ValueError(f"stack must be printable, not {short(self.stack)}")
        familiarity = None if self.familiarity is None else max(0.0, self.familiarity)
        return Verdict(self.scores, self.stack, familiarity, self.unknown is True)


class DeadlineMarker(msgspec.Struct, frozen=True, rename={"offsets": "closed"}):
    """Requests whose deadline has passed: only votes before this record count."""

    topic: str
    partition: int
    offsets: tuple[int, ...]

    def dump(self) -> bytes:
        """Return the value of the record."""
        return orjson.dumps(msgspec.to_builtins(self))

    @classmethod
    def parse(cls, value: bytes | None) -> "DeadlineMarker | None":
        """Read a record's value; return ``None`` if it is not a marker: it is untrusted."""
        try:
            return convert(orjson.loads(value or b""), cls)
        except ValueError as error:
            logger.debug("A record of catdogvote is no deadline marker: %s.", error)
            return None


def _raw_fields(value: bytes | str | None) -> RawObject:
    """Return the fields of a vote with their original bytes."""
    text = value.encode() if isinstance(value, str) else value or b""
    return RawObject.parse(RawObject.parse(text).raw("fields"))


def _to_text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
