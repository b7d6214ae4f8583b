"""Ingestion of vote records into the join of their partition, with counts by status."""

import logging
from collections.abc import Callable

from catdog_stream import metrics
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.pipeline.voting.partition_state import VoteRecord
from catdog_stream.pipeline.voting.vote_budget import cost
from catdog_stream.pipeline.voting.vote_join import VoteJoin, VoteStatus

__all__ = ["VoteIngester"]

logger = logging.getLogger(__name__)

#: Largest number of unexpected voters that are logged.
MAX_UNEXPECTED = 100


class VoteIngester:
    """Reader of untrusted vote records.

    Args:
        topic: topic of the requests.
        clock: monotonic time in seconds.
    """

    def __init__(self, topic: str, clock: Callable[[], float]) -> None:
        self._topic = topic
        self._clock = clock
        self._unexpected: set[str] = set()

    def enter(self, vote_record: VoteRecord, join: VoteJoin[VoteRecord]) -> None:
        """Add a record to the join of its partition: a vote, a deadline marker, or neither."""
        # A vote in another partition is ignored: another jury member would count its request, too.
        place = (self._topic, vote_record.partition)
        vote = Vote.parse(vote_record.value)
        if vote is not None and (vote.source.topic, vote.source.partition) == place:
            self._enter_vote(vote, vote_record, join)
            return
        closing = DeadlineMarker.parse(vote_record.value)
        join.pass_over(vote_record, cost(vote_record.value))
        if closing is not None and (closing.topic, closing.partition) == place:
            join.close(closing.offsets)
        else:
            metrics.VOTES_READ.labels("other", VoteStatus.UNREADABLE).inc()

    def _enter_vote(self, vote: Vote, vote_record: VoteRecord, join: VoteJoin[VoteRecord]) -> None:
        status = join.add(vote, vote_record, self._clock(), cost(vote_record.value))
        unexpected = status is VoteStatus.UNEXPECTED
        metrics.VOTES_READ.labels("other" if unexpected else vote.voter, status).inc()
        if unexpected:
            self._log_unexpected(vote.voter)

    def _log_unexpected(self, unexpected: str) -> None:
        if unexpected not in self._unexpected and len(self._unexpected) < MAX_UNEXPECTED:
            self._unexpected.add(unexpected)
            logger.warning("The votes of %s are not counted: it is not expected.", unexpected)
