"""JSON of the answer to a request; the record in Kafka is untrusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.answers import Label, Rejection
from catdog_stream.messages.wire import Source
from catdog_stream.web.api.ids import PATTERN, image_id
from catdog_stream.web.recording.recorder import Rejected

__all__ = ["Answer", "RejectedReasons", "image_document", "rejected_document", "waiting"]

#: Maximum characters of a label's text; this application writes none that is longer.
MAX_TEXT = 64 * 1024
MAX_CLASSES = 10_000
MAX_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """First answer to a request."""

    content: Label | Rejection

    @classmethod
    def of(cls, reply: Reply) -> "Answer | None":
        """Read a record; return ``None`` if it is no answer of this application."""
        record = reply.record
        if not reply.is_label:
            rejection = reply.rejection
            return None if rejection is None else cls(rejection)
        label = Label.parse(record.value, record.headers)
        if label is None or len(label.text) > MAX_TEXT or len(label.scores) > MAX_CLASSES:
            return None
        return cls(label)

    @property
    def status(self) -> str:
        """Status of the request: ``labelled`` or ``rejected``."""
        return "labelled" if isinstance(self.content, Label) else "rejected"

    def fields(self) -> dict[str, Any]:
        """Return the fields of the answer for JSON."""
        if isinstance(self.content, Label):
            return _of_label(self.content)
        return {
            "reason": str(self.content.reason)[:MAX_WORDS],
            "detail": self.content.detail[:MAX_WORDS],
        }


def _of_label(label: Label) -> dict[str, Any]:
    fields = {
        "label": label.text,
        "verdict": label.verdict[:MAX_WORDS],
        "scores": dict(label.scores),
        "stack": (label.stack or "")[:MAX_WORDS],
    }
    return fields if label.familiarity is None else fields | {"familiarity": label.familiarity}


def image_document(source: Source, answer: Answer | None, url: str | None) -> dict[str, Any]:
    """Return a request and its answer for JSON."""
    document = {
        "id": image_id(source),
        "source": str(source),
        "status": "waiting" if answer is None else answer.status,
        "url": url if answer is None or answer.content.url is None else answer.content.url,
    }
    return document if answer is None else document | answer.fields()


def waiting(source: Source, location: str) -> dict[str, Any]:
    """Return a request that Kafka has confirmed, without an answer, for JSON."""
    return {"id": image_id(source), "status": "waiting", "location": location}


class LatestRejected(Struct):
    """Latest rejected request of a reason."""

    at: Annotated[float, Meta(description="Seconds since the epoch.")]
    detail: str
    source: str
    id: Annotated[str, Meta(pattern=f"^{PATTERN}$")] | None


class RejectedReason(Struct):
    """Rejected requests of a reason."""

    count: Annotated[int, Meta(ge=0)]
    latest: LatestRejected | None


class RejectedReasons(Struct):
    """Rejected requests by reason."""

    total: Annotated[int, Meta(ge=0)]
    reasons: dict[str, RejectedReason]


def rejected_document(
    counts: Mapping[str, int], latest: Mapping[str, Rejected], requests_topic: str
) -> Any:
    """Return the rejected requests of a topic by reason, for JSON."""
    found = {name: _latest(rejected, requests_topic) for name, rejected in latest.items()}
    names = sorted({*counts, *latest})
    reasons = {name: RejectedReason(counts.get(name, 0), found.get(name)) for name in names}
    return to_builtins(RejectedReasons(sum(counts.values()), reasons))


def _latest(rejected: Rejected, requests_topic: str) -> LatestRejected:
    source = Source.parse(rejected.source.encode("utf-8", "replace"))
    known = source is not None and source.topic == requests_topic
    id_ = image_id(source) if source is not None and known else None
    return LatestRejected(rejected.at, rejected.detail, rejected.source, id_)
