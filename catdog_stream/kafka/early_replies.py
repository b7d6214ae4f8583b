"""Replies that are read before Kafka confirms the offset of the request that they answer.

Nearly all such replies answer requests of other clients. So a reply is kept only while a request
that was sent before the reply was read is unconfirmed. All kept replies share a limit in bytes.
"""

from collections import OrderedDict
from dataclasses import dataclass

from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.wire import Source

__all__ = ["MAX_BYTES", "EarlyReplies"]

#: Limit in bytes for all replies together; the oldest is dropped first. The answer to its request
#: is then found in Kafka only.
MAX_BYTES = 16 * 1024 * 1024
#: Bytes of memory per reply besides its value, key and headers.
REPLY_BYTES = 1500


@dataclass(frozen=True, slots=True)
class _Early:
    reply: Reply
    #: Number of the last request that was sent before the reply was read.
    sent: int
    bytes: int


class EarlyReplies:
    """Buffer of the first reply to each request, the oldest first.

    Args:
        most: limit in bytes for all replies.
    """

    def __init__(self, most: int = MAX_BYTES) -> None:
        self._most = most
        self._replies: OrderedDict[Source, _Early] = OrderedDict()
        #: Bytes in use.
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._replies)

    def keep(self, reply: Reply, source: Source, sent: int) -> None:
        """Keep the reply to the request at ``source``, unless one is kept already.

        Args:
            reply: the reply.
            source: place of the request in Kafka.
            sent: number of the last request that was sent. Numbers never decrease.
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
        """Drop replies that answer none of the requests from number ``oldest`` on."""
        while self._replies and next(iter(self._replies.values())).sent < oldest:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, early = self._replies.popitem(last=False)
        self.bytes -= early.bytes
