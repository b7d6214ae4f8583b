"""Turns of pictures that are sent to Kafka: each is in memory several times until it is there."""

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["Turns"]


class Turns:
    """Bytes that clients share, in the order in which they come.

    Args:
        most: bytes in all; one picture that needs more has its turn alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._used

    async def take(self, size: int, *, seconds: float) -> Callable[[], None]:
        """Wait for ``size`` bytes; return what releases them, and does nothing a second time.

        Raises ``TimeoutError`` after so many seconds.
        """
        if self._waiting or not self._has_room(size):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                async with asyncio.timeout(seconds):
                    await turn
            except BaseException:
                self._give_up(size, turn)
                raise
        else:
            self._used += size
        left = [size]
        return lambda: self._release(left.pop()) if left else None

    def _has_room(self, size: int) -> bool:
        return not self._used or self._used + size <= self._most

    def _release(self, size: int) -> None:
        self._used -= size
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting and self._has_room(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            self._used += size
            turn.set_result(None)

    def _give_up(self, size: int, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():  # it came at the same moment
            self._release(size)
        else:
            self._waiting.remove((size, turn))
            self._call_next()
