"""Attributes of CloudEvents 1.0 as headers of a record: the binary mode over Kafka."""

from catdog_stream.messages.wire import Headers

__all__ = ["event_headers", "is_event_header"]

SOURCE = "catdog-stream"


def event_headers(kind: str, id_: str, subject: str | None, content_type: str) -> Headers:
    """Return the headers of an event.

    Args:
        kind: its type.
        id_: its id; two events with one id are duplicates.
        subject: its subject, if it has one.
        content_type: media type of the value.
    """
    attributes = {
        "content-type": content_type,
        "ce_specversion": "1.0",
        "ce_id": id_,
        "ce_type": kind,
        "ce_source": SOURCE,
        **({} if subject is None else {"ce_subject": subject}),
    }
    return tuple((name, text.encode()) for name, text in attributes.items())


def is_event_header(name: str) -> bool:
    """Return whether a header, in any case, is one of an event."""
    return name.lower().startswith("ce_") or name.lower() == "content-type"
