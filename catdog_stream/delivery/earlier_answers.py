"""Detection of requests that were answered before their offsets and counts were lost.

The result is used for a log message only. If labels decided where reading starts, everyone who may
write a label could make workers skip requests.
"""

from collections.abc import Collection, Mapping
from contextlib import aclosing

from aiokafka import TopicPartition

from catdog_stream.kafka.bounded_reader import Extent, consumer, records_of
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.messages.wire import Source

__all__ = ["answered_before"]

#: Number of labels to read, the last ones of a partition.
TAIL = 16


async def answered_before(cluster: ClusterConfig, partitions: Collection[int]) -> Mapping[int, int]:
    """Return the partitions of requests that have labels, with the last request that has one.

    Args:
        cluster: the cluster.
        partitions: numbers of the partitions of requests to check.

    Raises:
        BrokerError: the broker does not answer.
    """
    async with consumer(
        cluster, auto_offset_reset="earliest", max_partition_fetch_bytes=cluster.max_answer_bytes
    ) as reader:
        requests = {number: TopicPartition(cluster.names.requests, number) for number in partitions}
        ends = await reader.end_offsets(list(requests.values()))
        asked = {number: tp for number, tp in requests.items() if ends[tp]}
        labels = (await topic_partitions(cluster)).get(cluster.names.labels, 0)
        if not asked or not labels:
            return {}
        tails = {TopicPartition(cluster.names.labels, number % labels) for number in asked}
        begins, label_ends = (
            await reader.beginning_offsets(list(tails)),
            await reader.end_offsets(list(tails)),
        )
        part = Extent(
            {tp: (max(begins[tp], label_ends[tp] - TAIL), label_ends[tp]) for tp in tails}
        )
        found: dict[int, int] = {}
        async with aclosing(records_of(reader, part, TAIL)) as records:
            async for record in records:
                source = Source.parse(dict(record.headers).get("source"))
                if (
                    source is not None
                    and (tp := asked.get(source.partition)) is not None
                    and source.topic == cluster.names.requests
                    and source.offset < ends[tp]
                ):
                    found[source.partition] = max(source.offset, found.get(source.partition, 0))
        return found
