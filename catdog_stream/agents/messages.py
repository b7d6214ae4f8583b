"""Access to the source, headers and mark of a record."""

from collections.abc import Mapping

from aiokafka.structs import ConsumerRecord
from faust.types import Message

from catdog_stream.delivery.marks import Mark, mark_of
from catdog_stream.messages.wire import Headers, Source

__all__ = ["headers_of", "mark", "source_of"]


def source_of(message: Message | ConsumerRecord) -> Source:
    """Return the position of the message in Kafka."""
    return Source(message.topic, message.partition, message.offset)


def headers_of(message: Message | ConsumerRecord) -> Headers:
    """Return the headers in order, with repeated names; Faust has three types for them."""
    headers = message.headers or ()
    return tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers)


def mark(message: Message) -> Mark:
    """Return the mark that identifies the record after its log was lost (see ``marks``)."""
    return mark_of(message.offset, message.timestamp, message.value)
