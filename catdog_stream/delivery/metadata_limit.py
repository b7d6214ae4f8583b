"""Check before the first request that Kafka accepts the size of the counts beside the offsets.

A broker with a lower limit (``offset.metadata.max.bytes``) refuses the commit only once the counts
have grown: the worker would end then, and publish everything again at each start. So a worker first
commits its present state again, padded with blanks to the largest size that counts can have. This
needs no right beyond the right to commit.
"""

from collections.abc import Collection, Mapping

from aiokafka.errors import OffsetMetadataTooLargeError
from faust.types import TP

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.consumer_thread import RationedConsumerThread
from catdog_stream.delivery.counting import MAX_METADATA_BYTES
from catdog_stream.errors import BrokerError

__all__ = ["is_large_enough"]

#: Metadata of a partition without counts.
EMPTY = '{"labels":{},"rejections":{},"offset":0}'


async def is_large_enough(
    thread: RationedConsumerThread,
    generation: int,
    partitions: Collection[TP],
    tables: Mapping[str, CommittedTable],
) -> bool:
    """Commit the present position of one of ``partitions`` with metadata of the largest size.

    Args:
        thread: thread of the consumer.
        generation: generation of the group in which the partitions were taken over.
        partitions: partitions of the worker.
        tables: tables by the topic that they follow.

    Returns:
        ``True`` if Kafka has accepted the commit. ``False`` also if the worker has lost its
        membership.

    Raises:
        BrokerError: Kafka's limit is lower.
        KafkaError: Kafka refuses the commit for another reason.
    """
    states = {
        tp: tables[tp.topic].to_commit(tp.partition) for tp in partitions if tp.topic in tables
    }
    texts = {tp: state for tp, state in states.items() if isinstance(state, str)}
    positions = thread.positions(texts)
    if not positions:
        return False
    tp = max(positions, key=lambda tp: len(texts[tp]))
    text = texts[tp] or EMPTY
    filled = text + " " * (MAX_METADATA_BYTES - len(text.encode()))
    try:
        return await thread.commit_as(generation, {tp: (positions[tp], filled)})
    except OffsetMetadataTooLargeError as error:
        raise BrokerError(
            f"Kafka takes less than {MAX_METADATA_BYTES} bytes of metadata with a committed "
            "offset, and the counts may need as much: set "
            f"offset.metadata.max.bytes={MAX_METADATA_BYTES}, Kafka's default, on every broker."
        ) from error
