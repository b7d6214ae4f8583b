"""aiokafka does not hammer a broker that has nothing for it.

Fault (noida-db 0.2.3, the embedded broker): a request for records is answered at once where there
are none, although the client allows it to wait for some. aiokafka then asks again, thousands of
times a second: each idle consumer keeps a core busy, and the broker half of another.

Repair: an empty answer that came far too soon is followed by a pause, a longer one while earlier
records are still to be read. Kafka waits as it is asked to; it gets there after an error alone.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from aiokafka.consumer.fetcher import Fetcher

__all__ = ["install"]

#: Seconds. The longest that a record waits for the next request, on the embedded broker alone.
PAUSE = 0.005
#: The same where earlier records are still to be read: nobody waits for new ones.
PAUSE_WITH_UNREAD = 0.05

_original = Fetcher._proc_fetch_request


async def _unhurried(fetcher: Any, assignment: Any, node_id: int, request: Any) -> bool:
    started = time.monotonic()
    has_records: bool = await _original(fetcher, assignment, node_id, request)
    waited = time.monotonic() - started
    if not has_records and waited < min(PAUSE, fetcher._fetch_max_wait_ms / 1000):
        # Cancelled or not, the answer has come.
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(PAUSE_WITH_UNREAD if fetcher._records else PAUSE)
    return has_records


def install() -> None:
    """Slow down every consumer of this process from now on."""
    Fetcher._proc_fetch_request = _unhurried
