"""Votes for tests of the join and the decision."""

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict


def vote(voter: str, offset: int, cat: float = 0.75, weight: float = 1.0) -> Vote:
    verdict = Verdict({"cat": cat, "dog": 1 - cat}, f"{voter} 1")
    return Vote(voter, Source("catdogimage", 0, offset), verdict, weight, url=f"of-{voter}")


def no(voter: str, reason: Reason = Reason.NOT_AN_IMAGE) -> Vote:
    return Vote(voter, Source("catdogimage", 0, 0), RejectedRequest(reason, f"{voter} says no."))
