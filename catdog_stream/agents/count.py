"""Agent that counts the labels that other programs write to ``catdoglabel``.

Labels of this application are counted when they are acknowledged (see ``classify``) and skipped
here. Another program, such as a hand-written loop beside this application, writes no ``source``
header, or a wrong one.
"""

from collections.abc import Callable

import faust
from aiokafka.structs import ConsumerRecord
from faust.types import EventT, StreamT

from catdog_stream.agents.messages import headers_of, mark, source_of
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import counted, counting_source, label_of, marked
from catdog_stream.delivery.manual_ack import settled_events
from catdog_stream.pipeline.observing import Observers

__all__ = ["add_count_labels", "answers_a_request"]

#: Maximum offset of a request beyond the end of its partition that this worker knows. That end may
#: be older than the label, and for a moment the new leader of a partition reports an earlier end:
#: 27 of a worker's own labels were counted as foreign. Fewer requests than this arrive in that
#: time, and invented offsets are far beyond it.
UNSEEN_REQUESTS = 1_000_000


def add_count_labels(
    app: faust.App, labels: faust.TopicT, counts: CommittedTable, observers: Observers
) -> None:
    """Register the agent with ``app``."""

    @app.agent(labels, name="count_labels")
    async def count_labels(stream: StreamT[bytes]) -> None:
        """Count each foreign label once."""
        async for event in settled_events(stream):
            count(event)
            await stream.ack(event)

    def count(event: EventT[bytes]) -> None:
        message = event.message
        label = label_of(message.value, headers_of(message))
        shard = counted(counts.get(message.partition), "labels", label, message.offset)
        if shard is not None:
            counts[message.partition] = marked(shard, mark(message))
            observers.foreign_label(label, message.value, source_of(message))


def answers_a_request(
    record: ConsumerRecord,
    *,
    requests_topic: str,
    partitions: int,
    end_of: Callable[[str, int], float],
) -> bool:
    """Return true if the label is this application's own, so the stream can skip it.

    Args:
        record: the label.
        requests_topic: name of the topic of requests.
        partitions: number of partitions of the topic of labels.
        end_of: returns the last known end of a partition; infinity if it is another worker's.
    """
    own = source_of(record)
    source = counting_source(
        headers_of(record),
        own,
        requests_topic=requests_topic,
        partitions=partitions,
    )
    if source is own:
        return False
    # A request that does not exist yet has no answer. If another worker has its partition, only
    # that worker knows the end.
    return source.offset < end_of(source.topic, source.partition) + UNSEEN_REQUESTS
