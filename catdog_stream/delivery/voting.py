"""Publishing votes: what a voter says of each request goes to ``catdogvote``."""

from collections.abc import Callable

import faust

from catdog_stream.delivery.publishing import KafkaPublisher
from catdog_stream.errors import RejectedRequest
from catdog_stream.kafka.cluster import create_votes
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.pipeline.pipeline import Outcome
from catdog_stream.topics import VOTES
from catdog_stream.votes import Vote
from catdog_stream.wire import Answer, Incoming

__all__ = ["VotePublisher"]


class VotePublisher(KafkaPublisher):
    """Publishes votes in the place of labels and rejections.

    A vote stands in the partition that has its request's number, and in no other: one member of the
    jury must see all votes on a request. Where requests have more partitions, votes get them, too.

    Args:
        app: the app.
        voter: who votes.
        weight: how much a stack counts, by its name and version.
        cluster: where votes may need more partitions.
        partitions: tells how many partitions votes have.
    """

    TOO_LARGE = "The vote cannot be written."

    def __init__(
        self,
        app: faust.App,
        *,
        voter: str,
        weight: Callable[[str], float],
        cluster: ClusterConfig,
        partitions: Callable[[str], int],
    ) -> None:
        super().__init__(app, partitions=partitions, max_bytes=0)
        self._voter = voter
        self._weight = weight
        self._cluster = cluster
        self._known = 0

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
        return VOTES, Answer(None, vote.dump(), ())

    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Incoming, Answer]:
        return VOTES, incoming, Answer(None, self._vote(incoming, error).dump(), ())

    def _vote(self, incoming: Incoming, error: RejectedRequest) -> Vote:
        """A rejection needs nothing of its request: the jury reads the request itself."""
        return Vote(self._voter, incoming.source, error, timestamp_ms=incoming.timestamp_ms)

    def _time_of(self, _incoming: Incoming) -> int | None:
        """A vote on an old request must not be deleted before it is read."""
        return None

    async def _partition(self, topic: str, incoming: Incoming) -> int:
        partition = incoming.source.partition
        if partition >= max(self._known, self._partitions(topic)):
            self._known = (await create_votes(self._cluster, partition + 1))[topic]
        return partition
