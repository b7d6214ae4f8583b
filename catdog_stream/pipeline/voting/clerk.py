"""Puts the records of the votes into dockets, and counts what becomes of them."""

import logging
from collections.abc import Callable

from catdog_stream import metrics
from catdog_stream.pipeline.voting.bench import Paper
from catdog_stream.pipeline.voting.docket import Docket, Fate
from catdog_stream.pipeline.voting.room import cost
from catdog_stream.votes import Closing, Vote

__all__ = ["Clerk"]

logger = logging.getLogger(__name__)

#: So many voters that nobody expects are told of at most.
MAX_STRANGERS = 100


class Clerk:
    """Reads records, which anybody may have written.

    Args:
        topic: of the requests.
        clock: seconds that never go back.
    """

    def __init__(self, topic: str, clock: Callable[[], float]) -> None:
        self._topic = topic
        self._clock = clock
        self._strangers: set[str] = set()

    def enter(self, paper: Paper, docket: Docket[Paper]) -> None:
        """Put a record into the docket of its partition: a vote, a closing, or neither."""
        # Wherever else it stands, another member of the jury would count the request as well.
        place = (self._topic, paper.partition)
        vote = Vote.parse(paper.value)
        if vote is not None and (vote.source.topic, vote.source.partition) == place:
            self._enter_vote(vote, paper, docket)
            return
        closing = Closing.parse(paper.value)
        docket.pass_over(paper, cost(paper.value))
        if closing is not None and (closing.topic, closing.partition) == place:
            docket.close(closing.offsets)
        else:
            metrics.VOTES_READ.labels("other", Fate.UNREADABLE).inc()

    def _enter_vote(self, vote: Vote, paper: Paper, docket: Docket[Paper]) -> None:
        fate = docket.add(vote, paper, self._clock(), cost(paper.value))
        stranger = fate is Fate.STRANGER
        metrics.VOTES_READ.labels("other" if stranger else vote.voter, fate).inc()
        if stranger:
            self._tell_of(vote.voter)

    def _tell_of(self, stranger: str) -> None:
        if stranger not in self._strangers and len(self._strangers) < MAX_STRANGERS:
            self._strangers.add(stranger)
            logger.warning("The votes of %s are not counted: it is not expected.", stranger)
