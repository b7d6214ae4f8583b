"""Records of the topics of answers, as any application may write them."""

from collections.abc import Sequence

import orjson
from aiokafka import ConsumerRecord

from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.wire import Source
from tests.support.names import LABELS, REJECTED

SOURCE = Source("catdogimage", 3, 17)


def record(topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Reply:
    """Return a record with any content."""
    size = len(value or b"")
    return Reply(ConsumerRecord(topic, 0, 0, 0, 0, None, value, None, 0, size, tuple(headers)))


def label(
    source: Source = SOURCE, text: str = "Probabilities: cat 99.9% dog 0.1%", url: str | None = "u"
) -> Reply:
    """Return a label as this application writes it."""
    value = orjson.dumps({"label": text, "url": url, "data": None})
    return record(
        LABELS,
        value,
        [
            ("verdict", b"cat"),
            ("cat", b"0.999"),
            ("dog", b"0.001"),
            ("stack", b"pets 1"),
            ("familiarity", b"0.5"),
            ("source", str(source).encode()),
        ],
    )


def rejection(source: Source = SOURCE, value: bytes = b"{}") -> Reply:
    """Return the rejection of a request."""
    headers = [("reason", b"not_json"), ("detail", b"No."), ("source", str(source).encode())]
    return record(REJECTED, value, headers)
