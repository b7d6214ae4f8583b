"""Labels as records: the value in one of several formats, and the same headers in all of them.

Existing clients depend on the default format byte for byte: they read labels with strict parsers
that refuse every field except ``label``, ``url`` and ``data``, so everything else is a header.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from catdog_stream.factories import made
from catdog_stream.messages.events import event_headers, is_event_header
from catdog_stream.messages.raw_json import RawObject
from catdog_stream.messages.scores import DEFAULT_LIMITS, SCORES, ScoreLimits, decimal
from catdog_stream.messages.wire import Answer, Headers, Incoming, Source, foreign_headers

__all__ = [
    "LABEL_FORMATS",
    "CatDogLabels",
    "LabelContent",
    "LabelFormat",
    "label_format_named",
    "verdict_label",
]

#: Formats by name.
LABEL_FORMATS = ("catdog", "json", "cloudevents")
#: Header names that this application writes; it replaces a request's headers of these names.
LABEL_HEADERS = frozenset(
    {"verdict", "stack", "source", "familiarity", "votes", "missing", SCORES}
)  # and that of each class
#: Type of a label as an event.
EVENT_TYPE = "catdog_stream.label"


@dataclass(frozen=True, slots=True)
class LabelContent:
    """Content of a label, which a format turns into a value."""

    text: str
    #: The request's ``url``, unchanged.
    url: str | None
    #: The most probable class, or ``unknown``.
    verdict: str
    #: Class to its probability, 0 to 1; of many classes, the likeliest.
    scores: Mapping[str, float]
    #: Name and version of the stack.
    stack: str
    #: Position of the request.
    source: Source
    #: OOD score, 0 to 1; ``None`` if the stack has none.
    familiarity: float | None
    #: Time of the request in milliseconds since the epoch; ``None`` if it has none.
    requested_ms: int | None
    #: Members of the request's JSON besides url and picture, as a mapping; ``None`` without.
    fields: Mapping[str, Any] | None


class LabelFormat(Protocol):
    """Format of the values of labels."""

    def write(self, label: LabelContent) -> tuple[bytes, Headers]:
        """Return the value of the record, and headers besides those that every label has."""


class CatDogLabels:
    """The three fields that the first clients read."""

    #: Labels have no headers of a request that is a CloudEvent. A format of one's own has them.
    leaves_out_event = True

    def write(self, label: LabelContent) -> tuple[bytes, Headers]:
        """Return the value, without headers."""
        return _with_fields(label, {}), ()


class JsonLabels:
    """The three fields, and everything else that is known.

    Args:
        clock: seconds since the epoch.
    """

    leaves_out_event = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def write(self, label: LabelContent) -> tuple[bytes, Headers]:
        """Return the value, without headers."""
        known = {
            "verdict": label.verdict,
            "scores": {name: float(score) for name, score in label.scores.items()},
            "stack": label.stack,
            "source": str(label.source),
            "ood_score": label.familiarity,
            "requested_at": label.requested_ms,
            "answered_at": round(self._clock() * 1000),
        }
        own = {name: orjson.dumps(value) for name, value in known.items()}
        return _with_fields(label, own), ()


class CloudEventLabels(JsonLabels):
    """CloudEvents 1.0 in the binary mode; the data is the JSON of `JsonLabels`.

    The id is the position of the request: two events with one id are duplicates.
    """

    leaves_out_event = False  # its own headers replace them

    def write(self, label: LabelContent) -> tuple[bytes, Headers]:
        """Return the value, and the attributes as headers."""
        value, _ = super().write(label)
        return value, event_headers(EVENT_TYPE, str(label.source), label.url, "application/json")


def _with_fields(label: LabelContent, more: Mapping[str, bytes]) -> bytes:
    own = {"label": orjson.dumps(label.text), "url": orjson.dumps(label.url), "data": b"null"}
    if label.fields is not None or more:
        return RawObject.of(label.fields or {}).replaced({**own, **more}).json
    return b'{"label": %(label)b, "url": %(url)b, "data": %(data)b}' % {
        name.encode(): value for name, value in own.items()
    }


def label_format_named(name: str) -> LabelFormat:
    """Return the format of a name, or an object of the class ``package.module:factory``.

    Raises:
        SettingError: the class cannot be used.
    """
    match name:
        case "catdog":
            return CatDogLabels()
        case "json":
            return JsonLabels()
        case "cloudevents":
            return CloudEventLabels()
    own: LabelFormat = made("label format", name, "write")
    return own


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
    form: LabelFormat | None = None,
    leaves_out_event: bool = False,
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
        form: format of the value; that of the first clients by default.
        leaves_out_event: leave out the headers of a request that is a CloudEvent, which would make
            the label a repetition of that event.
    """
    shown = limits.shown(scores)
    of_classes = limits.headers(scores, shown)
    own = (
        ("verdict", verdict.encode()),
        *of_classes,
        ("stack", stack.encode()),
        ("source", str(incoming.source).encode()),
        *(() if familiarity is None else [("familiarity", decimal(familiarity))]),
        *((name, text.encode()) for name, text in (notes or {}).items()),
    )
    content = LabelContent(
        text=text,
        url=url,
        verdict=verdict,
        scores=shown,
        stack=stack,
        source=incoming.source,
        familiarity=familiarity,
        requested_ms=incoming.timestamp_ms,
        fields=fields,
    )
    value, more = (form or CatDogLabels()).write(content)
    written = {name for name, _ in (*of_classes, *more)}
    theirs = foreign_headers(incoming.headers, LABEL_HEADERS | written)
    if leaves_out_event:
        theirs = tuple(header for header in theirs if not is_event_header(header[0]))
    return Answer(incoming.key, value, (*theirs, *own, *more))
