"""Publishing of votes: a voter's verdict on each request goes to ``catdogvote``."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from faust.types import ProducerT

from catdog_stream import deadlines
from catdog_stream.delivery.publishing import Writer
from catdog_stream.errors import RejectedRequest
from catdog_stream.kafka.cluster import KNOWN_POLL_SECONDS, create_votes
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Answer, Incoming
from catdog_stream.pipeline.ordered_publisher import Outcome

__all__ = ["VotePublisher"]


class VotePublisher(Writer):
    """Publisher of votes in the place of labels and rejections.

    A vote goes to the partition with the number of its request's partition, and to no other: one
    member of the jury must see all votes on a request. If the topic of requests has more
    partitions, the topic of votes gets as many.

    Args:
        producer: returns the producer of the app.
        voter: name of the voter.
        weight: returns the weight of a stack, by its name and version.
        cluster: cluster that the app writes to, where votes may need more partitions.
    """

    TOO_LARGE = "The vote cannot be written."

    def __init__(
        self,
        producer: Callable[[], ProducerT],
        *,
        voter: str,
        weight: Callable[[str], float],
        cluster: ClusterConfig,
    ) -> None:
        super().__init__(producer, cluster)
        self._voter = voter
        self._weight = weight

    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        if isinstance(outcome, RejectedRequest):
            vote = self._vote(incoming, outcome)
        else:
            stack = outcome.verdict.stack
            vote = Vote(
                self._voter,
                incoming.source,
                outcome.verdict,
                self._weight(stack),
                incoming.key,
                outcome.url,
                outcome.fields,
                incoming.headers,
                incoming.timestamp_ms,
            )
        return self._cluster.names.votes, Answer(None, vote.dump(), ())

    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Answer]:
        return self._cluster.names.votes, Answer(None, self._vote(incoming, error).dump(), ())

    def _vote(self, incoming: Incoming, error: RejectedRequest) -> Vote:
        """Return a rejecting vote. It holds no request: the jury reads the request itself."""
        return Vote(self._voter, incoming.source, error, timestamp_ms=incoming.timestamp_ms)

    def _time_of(self, _incoming: Incoming) -> int | None:
        return None  # now: retention deletes old records, and must not delete an unread vote

    async def _partition(self, topic: str, incoming: Incoming) -> int:
        partition = incoming.source.partition
        client = cast(Any, self._producer())._ensure_producer().client
        known = client.cluster.partitions_for_topic(topic)
        if known is not None and partition not in known:
            await create_votes(self._cluster, partition + 1)
            async with asyncio.timeout(deadlines.TOPIC_KNOWN):
                while partition not in client.cluster.partitions_for_topic(topic):
                    await asyncio.sleep(KNOWN_POLL_SECONDS)
                    await client.force_metadata_update()
        return partition
