"""Replies that were read before Kafka told where the request stands that they answer.

Nearly all of them answer requests of other clients. So each is kept only while a request is
unconfirmed that was sent before it was read, and all of them together take bounded memory.
"""

from collections import OrderedDict
from dataclasses import dataclass

from catdog_stream.kafka.replies import Reply
from catdog_stream.wire import Source

__all__ = ["MAX_BYTES", "EarlyReplies"]

#: Most bytes of all of them together; the oldest is forgotten first. Its request is then answered
#: in Kafka alone.
MAX_BYTES = 16 * 1024 * 1024
#: Bytes that a reply takes beside its value, key and headers.
REPLY_BYTES = 1500


@dataclass(frozen=True, slots=True)
class _Early:
    reply: Reply
    #: The number of the last request that was sent before it was read.
    sent: int
    bytes: int


class EarlyReplies:
    """The first reply to each request, the oldest first.

    Args:
        most: bytes that they may take.
    """

    def __init__(self, most: int = MAX_BYTES) -> None:
        self._most = most
        self._replies: OrderedDict[Source, _Early] = OrderedDict()
        #: What they take.
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._replies)

    def keep(self, reply: Reply, source: Source, sent: int) -> None:
        """Keep the reply to the request at ``source``, unless there is one.

        Args:
            sent: the number of the last request that was sent. Numbers never fall.
        """
        if source in self._replies:
            return
        record = reply.record
        headers = sum(len(name) + len(value or b"") for name, value in record.headers)
        size = REPLY_BYTES + len(record.value or b"") + len(record.key or b"") + headers
        self._replies[source] = _Early(reply, sent, size)
        self.bytes += size
        while self.bytes > self._most:
            self._drop_oldest()

    def pop(self, source: Source) -> Reply | None:
        """Remove and return the reply to the request at ``source``."""
        early = self._replies.pop(source, None)
        if early is None:
            return None
        self.bytes -= early.bytes
        return early.reply

    def forget_before(self, oldest: int) -> None:
        """Drop what answers none of the requests from number ``oldest`` on."""
        while self._replies and next(iter(self._replies.values())).sent < oldest:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, early = self._replies.popitem(last=False)
        self.bytes -= early.bytes
