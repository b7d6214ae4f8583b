"""Rate limit of pictures per client, with a token bucket."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.bucket import Bucket
from catdog_stream.web.clients import client_of

__all__ = ["Rates"]

#: Seconds of the rate that may be used at once.
BURST = 2.0
#: Maximum number of clients remembered; the client that was idle for longest is forgotten first.
MAX_CLIENTS = 10_000


class Rates:
    """Token buckets by client.

    Args:
        rate: pictures per second; 0: no limit.
        clock: monotonic clock, in seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, BURST * rate)
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of clients remembered."""
        return len(self._buckets)

    def check(self, address: str | None) -> None:
        """Raise ``Problem`` for a client that may not send a single picture now."""
        self._require(address, 1)

    def take(self, address: str | None, pictures: int) -> None:
        """Take n pictures from a client's bucket.

        A request for more than the bucket's capacity empties the bucket and leaves a debt.

        Raises:
            Problem: the bucket has too few.
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
