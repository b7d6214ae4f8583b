"""What the agents read off a message of Faust."""

from collections.abc import Mapping

from faust.types import Message

from catdog_stream.delivery.marks import Mark, mark_of
from catdog_stream.wire import Headers, Source

__all__ = ["headers_of", "mark", "source_of"]


def source_of(message: Message) -> Source:
    """Where the message stands in Kafka."""
    return Source(message.topic, message.partition, message.offset)


def headers_of(message: Message) -> Headers:
    """Its headers in their order, repeated names included; Faust knows three shapes of them."""
    headers = message.headers or ()
    return tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers)


def mark(message: Message) -> Mark:
    """Return what the record is recognized by after its log was lost (see ``marks``)."""
    return mark_of(message.offset, message.timestamp, message.value)
