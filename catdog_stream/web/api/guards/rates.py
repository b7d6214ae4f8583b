"""How many pictures each client may send: as much as a bucket holds that fills steadily."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.bucket import Bucket
from catdog_stream.web.clients import client_of

__all__ = ["Rates"]

#: Seconds' worth that may be sent at once.
BURST = 2.0
#: Clients that are remembered; the one that has sent nothing for longest is forgotten first.
MAX_CLIENTS = 10_000


class Rates:
    """A bucket for each client.

    Args:
        rate: pictures per second; 0: as many as it likes.
        clock: seconds that only ever grow.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, BURST * rate)
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Clients that are remembered."""
        return len(self._buckets)

    def check(self, address: str | None) -> None:
        """Raise ``Problem`` for a client that may not send a single picture now."""
        self._require(address, 1)

    def take(self, address: str | None, pictures: int) -> None:
        """Take n pictures out of a client's bucket.

        More than a bucket holds take all of it, and leave it in debt.

        Raises:
            Problem: they are not in it.
        """
        self._require(address, pictures)
        if not self._rate:
            return
        client = client_of(address)
        if client not in self._buckets:
            self._buckets[client] = Bucket(self._rate, self._most, self._clock)
        self._buckets[client].charge(pictures)
        self._buckets.move_to_end(client)
        while len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)

    def _require(self, address: str | None, pictures: int) -> None:
        left, needed = self._left(address), min(pictures, self._most)
        if self._rate and left < needed:
            raise Problem(
                429,
                f"A client may send {self._rate:g} pictures per second.",
                headers={"Retry-After": str(math.ceil((needed - left) / self._rate))},
            )

    def _left(self, address: str | None) -> float:
        bucket = self._buckets.get(client_of(address))
        return self._most if bucket is None else bucket.left
