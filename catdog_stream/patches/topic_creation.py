"""Faust looks again for the broker that makes its topics.

Fault (Faust 0.15): it asks one broker, the first that it knows, who the controller is, and sends
that one the topic. If either does not answer, because it dies or is frozen just then, or is the
controller no more, the worker ends: with ``NodeNotReadyError`` where one starts while a broker
goes.

Repair: it tries again, with what the cluster says by then, until the worker is stopped. The time
limit that Faust means as milliseconds and waits for as seconds is left to ``request_deadlines``.
"""

import asyncio
from typing import Any

from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import Transport

__all__ = ["install"]

#: Seconds until the next try.
PAUSE = 0.5

_original = Transport._really_create_topic


async def _persistent(
    self: Any, owner: Any, client: Any, topic: str, *args: Any, **options: Any
) -> None:
    while not owner.should_stop:
        try:
            await _original(self, owner, client, topic, *args, **options)
        except KafkaError as error:
            if not error.retriable:
                raise
            reason: Exception = error
        except RuntimeError as error:  # "Invalid controller"
            reason = error
        else:
            return
        owner.log.warning("The topic %s is not made yet: %r. Trying again.", topic, reason)
        await asyncio.sleep(PAUSE)
        await client.force_metadata_update()


def install() -> None:
    """Have every transport of this process do so from now on."""
    Transport._really_create_topic = _persistent  # type: ignore[method-assign]
