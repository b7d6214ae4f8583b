"""Faust's stream, changed to acknowledge a record only after its agent has finished with it.

Fault (Faust 0.15.3): a stream acknowledges in ``finally``. If the agent of a record fails or is
cancelled, the record is acknowledged when its stream is closed, and the commit at the end of the
worker loses it. ``take`` does the same with a whole batch. The iterator in C bypasses the consumer:
it acknowledges in lists of its own that grow with each record.

Repair: one iterator, in Python, with and without Faust's C extension. An agent that asks for the
next record has finished with the last one. An agent that fails, or is cancelled, never asks.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import faust
from faust.exceptions import Skip
from faust.types import ChannelT, EventT
from mode import Seconds, want_seconds
from mode.utils.futures import maybe_async

__all__ = ["Stream"]

T = TypeVar("T")

#: An event with its value after the stream's processors. Faust also streams over plain iterables,
#: which have no events.
Item = tuple[EventT[Any] | None, Any]

#: Longest time for which a stream reads waiting records without a return to the event loop, in
#: seconds.
MOST_ALONE = 0.001


class Stream(faust.Stream[T]):
    """Stream in which each record stays unacknowledged until the agent asks for the next one."""

    #: Events that the agent received and has not finished. They stay here when it leaves its loop
    #: by ``break``, or with an error that it handles.
    _left: Sequence[EventT[Any]] = ()
    #: Read that ``take`` began and did not wait for: it returns the next record to any caller.
    _pending: "asyncio.Task[Item] | None" = None
    #: Iterations in progress; an iteration that the agent has left ends a little later.
    _iterations = 0
    _started_by_iteration = False
    _others_ran_at = -math.inf

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over values; acknowledge each when the agent asks for the next one."""
        return self._values()

    async def _values(self) -> AsyncGenerator[T, None]:
        async with self._iterating():
            while not self.should_stop:
                try:
                    event, value = await self._read()
                except StopAsyncIteration:  # must not escape from a generator
                    return
                self._left = (event,) if event is not None and self.enable_acks else ()
                self.events_total += 1
                yield value
                await self._acknowledge_left()

    async def take(self, max_: int, within: Seconds) -> AsyncGenerator[Sequence[T], None]:
        """Iterate over batches of values.

        Args:
            max_: most values in one batch.
            within: seconds for which the first value of a batch waits for others; 0 or ``None``
                waits until the batch is full.
        """
        async for batch in self._acknowledged_batches(max_, within):
            yield [value for _, value in batch]

    async def take_events(
        self, max_: int, within: Seconds
    ) -> AsyncGenerator[Sequence[EventT[Any]], None]:
        """Iterate over batches of events; see ``take`` for the arguments."""
        async for batch in self._acknowledged_batches(max_, within):
            yield [event for event, _ in batch if event is not None]

    async def take_with_timestamp(
        self, max_: int, within: Seconds, timestamp_field_name: str
    ) -> AsyncGenerator[Sequence[T], None]:
        """Iterate over batches of values; add the record's time to values that are dictionaries.

        Args:
            max_: see ``take``.
            within: see ``take``.
            timestamp_field_name: key under which the time is added, in seconds since the epoch.
        """
        async for batch in self._acknowledged_batches(max_, within):
            for event, value in batch:
                if event is not None and isinstance(value, dict):
                    value[timestamp_field_name] = event.message.timestamp
            yield [value for _, value in batch]

    async def noack_take(  # type: ignore[override]  # Faust's hint is wrong
        self, max_: int, within: Seconds
    ) -> AsyncGenerator[Sequence[EventT[Any]], None]:
        """Iterate over batches of events that the agent acknowledges itself."""
        async for batch in self._batches(max_, within):
            yield [event for event, _ in batch if event is not None]

    async def _acknowledged_batches(
        self, max_: int, within: Seconds
    ) -> AsyncGenerator[list[Item], None]:
        async for batch in self._batches(max_, within):
            self._left = [event for event, _ in batch if event is not None]
            yield batch
            await self._acknowledge_left()

    async def _batches(self, max_: int, within: Seconds) -> AsyncGenerator[list[Item], None]:
        seconds = want_seconds(within) if within else None
        async with self._iterating():
            while not self.should_stop:
                batch: list[Item] = []
                try:
                    await self._fill(batch, max_, seconds)
                except StopAsyncIteration:
                    if batch:
                        yield batch
                    return
                yield batch

    async def _fill(self, batch: list[Item], max_: int, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        while len(batch) < max_:
            reading = self._pending = self._pending or loop.create_task(self._next_item())
            left = None if deadline is None else max(0.0, deadline - loop.time())
            done, _ = await asyncio.wait((reading,), timeout=left)
            if not done:
                return
            self._pending = None
            batch.append(reading.result())
            if deadline is None and seconds is not None:
                deadline = loop.time() + seconds

    @asynccontextmanager
    async def _iterating(self) -> AsyncIterator[None]:
        """Start the stream if it is not running, and stop it when its last iteration ends.

        An agent that leaves one loop and begins another has continued: its last record is done.
        """
        self._finalized = True
        self._iterations += 1
        self._started_by_iteration |= await self.maybe_start()
        try:
            await self._acknowledge_left()
            yield
        finally:
            self._iterations -= 1
            if not self._iterations:
                await self._end_iterating()

    async def _end_iterating(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
        self._set_current_event(None)
        self._channel_stop_iteration(self.channel)
        if self._started_by_iteration:
            self._started_by_iteration = False
            await self.stop()
            self.service_reset()

    async def _acknowledge_left(self) -> None:
        events, self._left = self._left, ()
        for event in events:
            await self.ack(event)

    def forget_left(self) -> None:
        """Leave the current records unacknowledged, because the agent has failed or was stopped."""
        self._left = ()

    async def _read(self) -> Item:
        pending, self._pending = self._pending, None
        return await (pending or self._next_item())

    async def _next_item(self) -> Item:
        """Return the next record of this worker's partitions, after the stream's processors.

        Raises:
            StopAsyncIteration: there are no more records.
        """
        channel = self.channel
        errors = None
        if isinstance(channel, ChannelT):
            errors = channel.queue._errors
        read = channel.__anext__
        while True:
            await self._let_others_run()
            if errors:
                raise errors.popleft()
            value: Any = await read()
            event = value if isinstance(value, EventT) else None
            self._set_current_event(event)
            if event is not None:
                if not self._takes(event):
                    continue
                value = event.value
            try:
                for processor in self._processors:
                    value = await maybe_async(processor(value))
                value = await self.on_merge(value)
            except Skip:
                if event is not None:
                    await self.ack(event)
                continue
            if event is not None or value is not None:
                return event, value

    async def _let_others_run(self) -> None:
        """Return to the event loop from time to time; while records wait, nothing else does."""
        now = time.monotonic()
        if now - self._others_ran_at >= MOST_ALONE:
            await asyncio.sleep(0)
            self._others_ran_at = time.monotonic()

    def _takes(self, event: EventT[Any]) -> bool:
        """Mark ``event`` as in progress; return ``False`` if its partition has moved since."""
        message = event.message
        app = self.app
        if not app.flow_control.is_active():
            return False
        if message.generation_id != app.consumer_generation_id:
            return False
        if message.topic in app.topics.acking_topics and not message.tracked:
            message.tracked = True
            app.consumer.unacked.add(message)
            app.sensors.on_message_in(message.tp, message.offset, message)
        self._on_stream_event_in(message.tp, message.offset, self, event)
        return True
