"""Timer that applies the corrections of ``catdog-stream recount`` to the counts."""

import logging

import faust
from aiokafka.errors import KafkaError

from catdog_stream.delivery.group_member import GroupMember

__all__ = ["add_correct_counts"]

logger = logging.getLogger(__name__)

#: Seconds between two checks for corrections, each two small requests to the cluster.
INTERVAL = 10.0


def add_correct_counts(app: faust.App, member: GroupMember) -> None:
    """Register the timer with ``app``."""

    @app.timer(interval=INTERVAL)  # type: ignore[untyped-decorator]
    async def correct_counts() -> None:
        """Apply the corrections for the partitions of this worker, if there are any."""
        try:
            await member.consumer.correct_counts()
        except KafkaError as error:
            logger.debug("Corrections of the counts cannot be read: %r", error)
