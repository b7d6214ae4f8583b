"""Events for agents that acknowledge records themselves."""

from collections.abc import AsyncIterator
from typing import cast

from faust.types import EventT, StreamT

from catdog_stream.delivery.consumer import Consumer

__all__ = ["acknowledge_through", "settled_events"]


async def settled_events(stream: StreamT[bytes]) -> AsyncIterator[EventT[bytes]]:
    """Yield the events of ``stream`` that arrive outside rebalances.

    Nothing is acknowledged here: the caller does so with ``stream.ack(event)``. An event that
    arrives while partitions move or tables recover is dropped. The seek to the committed offsets,
    which ends each rebalance, delivers it again.
    """
    stream.enable_acks = False
    consumer = cast(Consumer, stream.app.consumer)
    async for event in stream.events():
        if stream.app.rebalancing or not consumer.is_current(event.message):
            consumer.forget(event.message)
        else:
            yield event


async def acknowledge_through(stream: StreamT[bytes], event: EventT[bytes]) -> None:
    """Acknowledge ``event`` and every record in front of it in its partition."""
    cast(Consumer, stream.app.consumer).acknowledge_before(event.message)
    await stream.ack(event)
