"""Decision on one request from its votes."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.votes import Vote
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import Ballot, Rule, decide
from catdog_stream.pipeline.outcome import Classified, Outcome

__all__ = ["Decision", "votes_header"]


@dataclass(frozen=True, slots=True)
class Decision:
    """All votes on a request that were in when it was decided; there is at least one."""

    votes: tuple[Vote, ...]
    #: Expected voters that have not voted.
    missing: tuple[str, ...]
    #: Time at which the first vote on the request was read.
    since: float

    def outcome(self, rule: Rule) -> Outcome:
        """Combine the votes: return a rejection only if all votes are rejections."""
        ballots = [
            (vote, Ballot(vote.voter, vote.answer, vote.weight))
            for vote in self.votes
            if isinstance(vote.answer, Verdict)
        ]
        if not ballots:
            (first, *_) = self.votes
            assert isinstance(first.answer, RejectedRequest)
            return first.answer
        verdict = decide([ballot for _, ballot in ballots], rule)
        notes = {"votes": votes_header(self.votes)}
        if self.missing:
            notes["missing"] = ",".join(self.missing)
        (vote, _), *_ = ballots
        noted = Verdict(verdict.scores, verdict.stack, verdict.familiarity, verdict.unknown, notes)
        return Classified(vote.url, noted, vote.fields)


def votes_header(votes: Sequence[Vote]) -> str:
    """Return the votes of all voters as JSON, of a size that does not depend on the classes."""
    return orjson.dumps({vote.voter: _vote_entry(vote.answer) for vote in votes}).decode()


def _vote_entry(answer: Verdict | RejectedRequest) -> dict[str, str | float]:
    if isinstance(answer, RejectedRequest):
        return {"reason": answer.reason.value}
    return {
        "verdict": answer.label,
        "chance": round(answer.scores[answer.likeliest], 6),
        "stack": answer.stack,
    }
