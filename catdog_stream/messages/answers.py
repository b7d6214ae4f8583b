"""Labels and rejections for programs that read the answer topics with any Kafka client.

``parse`` takes a value and headers as Faust, aiokafka, confluent-kafka, kafka-python or FastStream
return them: JSON as bytes, as text, or already parsed; headers as a mapping or as pairs, of bytes
or of text. It depends on none of these clients. It returns ``None`` for a record that it cannot
read, because untrusted clients may write to the topics.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from catdog_stream.errors import Reason
from catdog_stream.messages.raw_json import loads
from catdog_stream.messages.scores import SCORES, read_scores
from catdog_stream.messages.wire import Source

__all__ = ["AnyHeaders", "AnyValue", "Label", "Rejection"]

AnyValue = bytes | str | Mapping[str, Any] | None
AnyHeaders = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]] | None

_PREFIX = "Probabilities: "
Default = TypeVar("Default", float, None)

_CHANCE = re.compile(r"(?<!\S)(\S{1,64}) (\d{1,3}(?:\.\d{1,3})?)%(?!\S)")


@dataclass(frozen=True, slots=True)
class Label:
    """Record of ``catdoglabel``."""

    verdict: str
    """The most probable class, or ``unknown`` if the picture is out of distribution."""
    scores: Mapping[str, float]
    """Class to its probability, 0 to 1, in the stack's order. In full precision if the headers
    have it, else from the text, rounded to 0.001. Of more than 16 classes (a setting), only the
    five likeliest, in their order."""
    text: str
    url: str | None
    """The request's ``url``, unchanged."""
    stack: str | None
    """Name and version of the stack; ``None`` if another program wrote the label."""
    source: Source | None
    """The request; ``None`` if another program wrote the label. Two labels with the same source
    are duplicates."""
    familiarity: float | None = None
    """OOD score, 0 to 1: 1 for a picture like the training pictures. ``None`` if the stack has
    no score."""

    @classmethod
    def parse(cls, value: AnyValue, headers: AnyHeaders = None) -> "Label | None":
        """Read a record; return ``None`` if it is not a label."""
        fields, named = _fields(value), _named(headers)
        text, url = fields.get("label"), fields.get("url")
        if not isinstance(text, str):
            return None
        scores = read_scores(named.get(SCORES))
        if not scores and text.startswith(_PREFIX):
            scores = {
                name: _chance(named.get(name), default=float(percent) / 100)
                for name, percent in _CHANCE.findall(text)
            }
        if not scores:
            return None
        verdict = _text(named.get("verdict")) or max(scores, key=lambda name: scores[name])
        return cls(
            verdict=verdict,
            scores=scores,
            text=text,
            url=url if isinstance(url, str) else None,
            stack=_text(named.get("stack")),
            source=Source.parse(named.get("source")),
            familiarity=_chance(named.get("familiarity"), default=None),
        )


@dataclass(frozen=True, slots=True)
class Rejection:
    """Record of ``catdogimage-rejected``."""

    reason: Reason | str
    """The reason code; a code that this version does not know stays text."""
    detail: str
    """One sentence for people. It may quote untrusted text."""
    source: Source | None
    url: str | None
    """The request's ``url``, unchanged; ``None`` if it cannot be read."""

    @classmethod
    def parse(cls, value: AnyValue, headers: AnyHeaders = None) -> "Rejection | None":
        """Read a record; return ``None`` if it is not a rejection."""
        named = _named(headers)
        code = _text(named.get("reason"))
        if not code:
            return None
        url = _fields(value).get("url")
        return cls(
            reason=Reason(code) if code in Reason.__members__.values() else code,
            detail=_text(named.get("detail")) or "",
            source=Source.parse(named.get("source")),
            url=url if isinstance(url, str) else None,
        )


def _fields(value: AnyValue) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    try:
        document = loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _named(headers: AnyHeaders) -> Mapping[str, bytes]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return {
        name: value.encode("utf-8", "replace") if isinstance(value, str) else value
        for name, value in pairs
        if value is not None
    }


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("utf-8", "replace")


def _chance(header: bytes | None, *, default: Default) -> float | Default:
    try:
        chance = float(header or b"")
    except ValueError:
        return default
    return chance if math.isfinite(chance) and 0 <= chance <= 1 else default
