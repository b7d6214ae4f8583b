"""Queue of pictures for Kafka: each is in memory several times until Kafka has confirmed it."""

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["Turns"]


class Turns:
    """Byte budget that clients share, first come, first served.

    Args:
        most: total bytes; a picture that needs more is sent alone.
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
        """Wait for ``size`` bytes; return a function that releases them, at its first call only.

        Raises:
            TimeoutError: the bytes were not available within ``seconds``.
        """
        if self._waiting or not self._fits(size):
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

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._most

    def _release(self, size: int) -> None:
        self._used -= size
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.done():
                if not self._fits(size):
                    return
                self._used += size
                turn.set_result(None)
            self._waiting.popleft()  # a cancelled one, too: its task has not run yet

    def _give_up(self, size: int, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():  # granted at the same moment
            self._release(size)
        else:
            turn.cancel()
            self._call_next()
