"""Unconfirmed sends of agents: no offset is committed before Kafka confirms them.

Fault (Faust 0.15.3): ``await topic.send(...)`` returns as soon as the record is in the producer's
buffer. If Kafka refuses the record later, Faust logs one line and commits the offset of the record
that the agent processed: the answer is lost.

Repair: every send through a topic, a sink, ``forward``, ``group_by`` or a table is remembered until
Kafka has confirmed it, and a commit waits for the sends made before it. A failed send whose result
no agent has awaited stops the worker, and nothing more is committed.
"""

import asyncio
from collections.abc import Generator
from typing import Any, cast

import faust
from faust.types import FutureMessage
from faust.types.tuples import RecordMetadata

from catdog_stream.errors import BrokerError

__all__ = ["Topic", "UnconfirmedSends"]


class Sent(asyncio.Future[RecordMetadata]):
    """Result of a send, which knows whether an agent has awaited it."""

    #: If true, the agent handles the failure of the send, or fails itself.
    is_awaited = False

    def __init__(self, sending: "asyncio.Future[RecordMetadata]") -> None:
        super().__init__(loop=sending.get_loop())
        sending.add_done_callback(self._settle)

    def __await__(self) -> Generator[Any, None, RecordMetadata]:
        self.is_awaited = True
        return super().__await__()

    def _settle(self, sending: "asyncio.Future[RecordMetadata]") -> None:
        if self.done():
            return
        if sending.cancelled():
            self.cancel()
        elif (error := sending.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(sending.result())


class UnconfirmedSends:
    """Sends of one app that Kafka has not confirmed."""

    def __init__(self) -> None:
        self._unconfirmed: dict[asyncio.Future[Any], str] = {}
        #: Sends that failed since the last check, with their topics.
        self._failed: list[tuple[asyncio.Future[Any], str]] = []

    def __len__(self) -> int:
        return len(self._unconfirmed)

    def __contains__(self, send: object) -> bool:
        return send in self._unconfirmed

    def add(self, topic: str, send: "asyncio.Future[Any]") -> None:
        """Remember ``send``, which writes to ``topic``, until it is confirmed."""
        self._unconfirmed[send] = topic
        send.add_done_callback(self._on_done)

    def _on_done(self, send: "asyncio.Future[Any]") -> None:
        topic = self._unconfirmed.pop(send)
        if not send.cancelled() and send.exception() is not None:
            self._failed.append((send, topic))

    async def confirmed(self) -> None:
        """Wait until Kafka has confirmed every send that was made before this call.

        Raises:
            BrokerError: a send failed, and no agent has awaited its result.
        """
        if self._unconfirmed:
            await asyncio.wait(tuple(self._unconfirmed))
        self.check()

    def check(self) -> None:
        """Raise ``BrokerError`` if a send failed whose result no agent has awaited."""
        for send, topic in self._failed:
            if not getattr(send, "is_awaited", False):
                raise BrokerError(
                    f"A record that an agent sent to the topic {topic} was not written: "
                    f"{send.exception()!r}."
                )
        self._failed.clear()


class Topic(faust.Topic):
    """Topic whose sends are remembered until Kafka has confirmed them."""

    #: ``False`` for copies that nothing depends on.
    is_confirmed_before_commit = True

    def send_soon(self, **options: Any) -> FutureMessage:
        """Put a record into the producer's buffer; see Faust's ``send_soon``."""
        message = super().send_soon(**options)
        if self.is_confirmed_before_commit:
            self._sends.add(self.get_topic_name(), message)
        return message

    async def publish_message(self, fut: FutureMessage, wait: bool = False) -> Any:
        """Pass a record to the producer; see Faust's ``publish_message``."""
        sending = await super().publish_message(fut, wait)
        if wait or not self.is_confirmed_before_commit or fut in self._sends:
            return sending
        sent = Sent(cast("asyncio.Future[RecordMetadata]", sending))
        self._sends.add(self.get_topic_name(), sent)
        return sent

    @property
    def _sends(self) -> UnconfirmedSends:
        return cast(UnconfirmedSends, cast(Any, self.app).sends)
