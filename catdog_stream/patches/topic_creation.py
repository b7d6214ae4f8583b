"""Patch: Faust retries the creation of topics, and creates none that exists.

Fault (Faust 0.15): it asks one broker, the first that it knows, for the controller, and sends the
topic to the controller. If either does not answer, because it dies or is frozen at that moment, or
is not the controller any more, the worker ends: with ``NodeNotReadyError`` if it starts while a
broker stops. Faust also requests topics that exist, unless its client happens to track them: a user
without the right ``Create`` is refused, though nothing must be created.

Repair: it first asks if the topic exists. It tries again, with new metadata of the cluster, until
the worker is stopped. A final refusal is raised as ``TopicNotCreatedError``, with the topic.
``request_deadlines`` repairs the time limit, which Faust gives in milliseconds and waits for in
seconds.
"""

import asyncio
from typing import Any

from aiokafka.errors import KafkaError, NoError
from aiokafka.protocol.metadata import MetadataRequest
from faust.transport.drivers.aiokafka import Transport

__all__ = ["TopicNotCreatedError", "install"]

#: Seconds until the next try.
PAUSE = 0.5

_original = Transport._really_create_topic


class TopicNotCreatedError(KafkaError):  # type: ignore[misc]
    """Kafka refuses to create ``topic``; the cause is ``__cause__``."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


async def _persistent(
    self: Any, owner: Any, client: Any, topic: str, *args: Any, **options: Any
) -> None:
    while not owner.should_stop:
        try:
            if await _exists(client, topic):
                return
            await _original(self, owner, client, topic, *args, **options)
        except KafkaError as error:
            if not error.retriable:
                raise TopicNotCreatedError(topic) from error
            reason: Exception = error
        except RuntimeError as error:  # "Invalid controller"
            reason = error
        else:
            return
        owner.log.warning("The topic %s is not made yet: %r. Trying again.", topic, reason)
        await asyncio.sleep(PAUSE)
        await client.force_metadata_update()


async def _exists(client: Any, topic: str) -> bool:
    """Return whether Kafka lists the topic; a topic that is hidden from the user is not listed."""
    request = MetadataRequest([topic], allow_auto_topic_creation=False)
    answer = await client.send(client.get_random_node(), request)
    return any(code == NoError.errno and name == topic for code, name, *_ in answer.topics)


def install() -> None:
    """Patch every transport of this process."""
    Transport._really_create_topic = _persistent  # type: ignore[method-assign]
