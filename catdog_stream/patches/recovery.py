"""Patch: a table recovery that Kafka did not answer starts again.

Fault (Faust 0.15.3): each step of a recovery has a time limit, and ``Recovery._wait`` treats a step
that exceeds it like a stopped service. The task that recovers tables ends silently, and partitions
that are assigned to the worker from then on are never read: a coordinator that is away for half a
minute while a worker joins is enough. A temporary error of Kafka ends the worker instead.

Repair: a step without an answer, or with a temporary error, restarts the whole recovery, as a
rebalance during the recovery does.
"""

import asyncio

from aiokafka.errors import KafkaError, KafkaTimeoutError
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Seconds
from mode.services import WaitArgT

from catdog_stream import deadlines

__all__ = ["PersistentRecovery"]


class PersistentRecovery(Recovery):
    """`Recovery` that continues until it has recovered the tables or the worker stops."""

    async def _wait(self, coro: WaitArgT, timeout: Seconds | None = None) -> None:
        try:
            await super()._wait(coro, timeout)
        except ServiceStopped:
            if self.should_stop:
                raise
            reason = "Kafka has not answered"
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, KafkaError) and not _passes(error):
                raise
            reason = repr(error)
        else:
            return
        self.log.warning("Tables are not recovered yet: %s. Trying again.", reason)
        await asyncio.sleep(deadlines.TRY_AGAIN)
        self.signal_recovery_start.set()
        raise RebalanceAgain


def _passes(error: KafkaError) -> bool:
    return error.retriable or isinstance(error, KafkaTimeoutError)
