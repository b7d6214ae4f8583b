"""A connection that all share: opened when it is needed, closed when nobody needs it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Generic, TypeVar

from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, CatDogError

__all__ = ["Shared"]

logger = logging.getLogger(__name__)

#: Seconds without anybody after which it is closed.
IDLE = 60.0
#: Between two looks at whether it is still needed.
LOOK = 0.5
#: Seconds that its end is waited for.
CLOSE = 2.0

T = TypeVar("T")


class Shared(Generic[T]):
    """One connection for all of a worker.

    Args:
        connect: makes one.
        usable: whether it can still be used; one that cannot is replaced.
        idle: seconds without anybody after which it is closed.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[T]],
        *,
        usable: Callable[[T], bool] = lambda _: True,
        idle: float = IDLE,
    ) -> None:
        self._connect = connect
        self._usable = usable
        self._idle = idle
        #: The one in use, or the one that is being opened.
        self._current: asyncio.Future[T] | None = None
        self._held: set[asyncio.Task[None]] = set()
        self._users = 0
        self._used = 0.0
        self._closed = False

    @asynccontextmanager
    async def use(self) -> AsyncIterator[T]:
        """The connection. Raises ``BrokerError`` if there is none before long."""
        self._users += 1
        try:
            yield await self._opened()
        finally:
            self._users -= 1
            self._used = asyncio.get_running_loop().time()

    def is_current(self, connection: object) -> bool:
        """Whether it is the one that is in use, and can still be used."""
        current = self._current
        return (
            current is not None
            and current.done()
            and current.exception() is None
            and current.result() is connection
            and self._usable(current.result())
        )

    def drop(self) -> None:
        """Have whoever comes next get another one: this one is not to be trusted any more."""
        self._current = None

    async def close(self) -> None:
        """Close it, and open none any more."""
        self._closed = True
        self._current = None
        for task in self._held:
            task.cancel()
        if self._held:
            await asyncio.wait(self._held, timeout=CLOSE)

    async def _opened(self) -> T:
        if self._closed:
            raise BrokerError("This worker is stopping.")
        current = self._current
        if current is None or (current.done() and not self._usable(current.result())):
            loop = asyncio.get_running_loop()
            current = self._current = loop.create_future()
            task = loop.create_task(self._hold(current))
            self._held.add(task)
            task.add_done_callback(self._held.discard)
        try:
            async with asyncio.timeout(deadlines.CONNECT):
                return await asyncio.shield(current)
        except TimeoutError as error:
            raise BrokerError("Kafka does not answer.") from error

    async def _hold(self, ready: "asyncio.Future[T]") -> None:
        """Keep it open in this task, as long as it is needed."""
        try:
            async with self._connect() as connection:
                ready.set_result(connection)
                while self._needed(ready):
                    await asyncio.sleep(LOOK)
                self._forget(ready)
        except (CatDogError, KafkaError, OSError, TimeoutError) as error:
            if ready.done():
                logger.warning("The web server's connection to Kafka broke: %s", error)
            else:
                self._fail(ready, BrokerError(str(error)))
        except asyncio.CancelledError:
            self._fail(ready, BrokerError("This worker is stopping."))
            raise
        except Exception as error:
            logger.exception("The web server's connection to Kafka broke.")
            self._fail(ready, BrokerError(repr(error)))
        finally:
            self._forget(ready)

    def _needed(self, ready: "asyncio.Future[T]") -> bool:
        if self._users:
            return True  # of one that was replaced, too: somebody may wait for its answer
        now = asyncio.get_running_loop().time()
        return (
            self._current is ready
            and self._usable(ready.result())
            and now - self._used < self._idle
        )

    def _forget(self, ready: "asyncio.Future[T]") -> None:
        if self._current is ready:
            self._current = None

    @staticmethod
    def _fail(ready: "asyncio.Future[T]", error: BrokerError) -> None:
        with suppress(asyncio.InvalidStateError):
            ready.set_exception(error)
            ready.exception()  # nobody need look
