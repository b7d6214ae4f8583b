"""Connection that all requests share: opened at the first use, closed after an idle time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, CatDogError

__all__ = ["Shared"]

logger = logging.getLogger(__name__)

#: Seconds without users after which the connection is closed.
IDLE = 60.0
#: Seconds after which a new connection replaces it, because it does not read added partitions.
MAX_AGE = 300.0
#: Seconds between two checks that the connection is still in use.
LOOK = 0.5

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Held(Generic[T]):
    """Connection that is open or being opened."""

    ready: "asyncio.Future[T]"
    #: When opening began, and when the last user left.
    began: float
    used: float
    users: int = 0


class Shared(Generic[T]):
    """Single connection shared by all requests of a worker.

    Args:
        connect: opens a connection.
        usable: predicate; a connection for which it is false is replaced.
        idle: seconds without users after which the connection is closed.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[T]],
        *,
        usable: Callable[[T], bool],
        idle: float = IDLE,
    ) -> None:
        self._connect = connect
        self._usable = usable
        self._idle = idle
        self._current: _Held[T] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def use(self) -> AsyncIterator[T]:
        """Provide the connection. Raise ``BrokerError`` if it does not open in time."""
        held = self._held()
        held.users += 1
        try:
            try:
                async with asyncio.timeout(deadlines.CONNECT):
                    connection = await asyncio.shield(held.ready)
            except TimeoutError as error:
                raise BrokerError("Kafka does not answer.") from error
            yield connection
        finally:
            held.users -= 1
            held.used = asyncio.get_running_loop().time()

    @property
    def users(self) -> int:
        """Number of users of the connection, including those that wait for it."""
        return 0 if self._current is None else self._current.users

    def is_current(self, connection: object) -> bool:
        """Return true if ``connection`` is the current connection and usable."""
        current = self._current
        return (
            current is not None and self._is_good(current) and current.ready.result() is connection
        )

    def drop(self, connection: object) -> None:
        """Make the next user get a new connection, because this one may be broken."""
        if self.is_current(connection):
            self._current = None

    def close(self) -> None:
        """Close the connection, and open no new one."""
        self._closed = True
        self._current = None
        for task in self._tasks:
            task.cancel()

    def _held(self) -> _Held[T]:
        """Return the current connection, or a new one if the current one is not usable."""
        if self._closed:
            raise BrokerError("This worker is stopping.")
        current = self._current
        if current is None or (current.ready.done() and not self._is_good(current)):
            loop = asyncio.get_running_loop()
            current = self._current = _Held(loop.create_future(), loop.time(), loop.time())
            task = loop.create_task(self._hold(current))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return current

    def _is_good(self, held: _Held[T]) -> bool:
        ready = held.ready
        if not ready.done() or ready.exception() is not None or not self._usable(ready.result()):
            return False
        return asyncio.get_running_loop().time() - held.began < MAX_AGE

    async def _hold(self, held: _Held[T]) -> None:
        """Keep the connection open in this task while it is in use."""
        try:
            async with self._connect() as connection:
                held.ready.set_result(connection)
                while held.users or (self._current is held and self._is_lately_used(held)):
                    await asyncio.sleep(LOOK)
                self._forget(held)
        except asyncio.CancelledError:
            self._fail(held, BrokerError("This worker is stopping."))
            raise
        except (CatDogError, KafkaError, OSError, TimeoutError) as error:
            logger.warning("The web server has no connection to Kafka: %s", error)
            failure = (
                error if isinstance(error, BrokerError) else BrokerError(str(error) or repr(error))
            )
            self._fail(held, failure)
        except Exception as error:
            logger.exception("The web server has no connection to Kafka.")
            self._fail(held, BrokerError(repr(error)))
        finally:
            self._forget(held)

    def _is_lately_used(self, held: _Held[T]) -> bool:
        now = asyncio.get_running_loop().time()
        return self._is_good(held) and now - held.used < self._idle

    def _forget(self, held: _Held[T]) -> None:
        if self._current is held:
            self._current = None

    @staticmethod
    def _fail(held: _Held[T], error: BrokerError) -> None:
        if not held.ready.done():
            held.ready.set_exception(error)
            held.ready.exception()  # mark as retrieved
