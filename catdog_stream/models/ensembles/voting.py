"""A jury in one process: a classifier whose members, classifiers too, vote.

Each member prepares the picture itself, since members may need different sizes. Members compute
one after the other: each of them uses all its threads for the batch, so members that compute at the
same time would only compete for the cores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from catdog_stream.errors import StackError
from catdog_stream.models.classes import listed
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import Ballot, Rule, decide

__all__ = ["Member", "VotingClassifier"]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the jury: a classifier and the weight of its vote."""

    classifier: Classifier
    weight: float = 1.0
    """Weight of the vote, above 0."""

    @property
    def stack(self) -> str:
        """Name and version of the classifier, as ``NAME/VERSION``."""
        return f"{self.classifier.name}/{self.classifier.version}"


class VotingClassifier:
    """Classifier that combines the verdicts of its members by a vote rule.

    A prepared picture is a tuple with the prepared picture of each member, in the order of the
    members. Verdicts have the note ``votes``, with the vote of each member.

    Args:
        members: two or more, with the same classes in any order. The order of the first one counts.
        rule: the vote rule.

    Raises:
        StackError: there is one member only, a stack is repeated, or the classes differ.
    """

    def __init__(self, members: Sequence[Member], rule: Rule = "log_odds") -> None:
        first, *others = members
        if not others:
            raise StackError(f"{first.stack} has nobody to vote with.")
        if len({member.stack for member in members}) < len(members):
            raise StackError("Each stack has one vote, and one of them is named twice.")
        for other in others:
            if set(other.classifier.classes) != set(first.classifier.classes):
                raise StackError(
                    f"{first.stack} and {other.stack} cannot vote with each other: one tells "
                    f"{listed(first.classifier.classes)} apart, the other "
                    f"{listed(other.classifier.classes)}."
                )
        self.members = tuple(members)
        self._rule = rule
        classifiers = [member.classifier for member in members]
        self.name = "jury"
        self.version = "+".join(member.stack for member in members)
        self.engine = "+".join(dict.fromkeys(each.engine for each in classifiers))
        self.classes = tuple(first.classifier.classes)
        self.batch_size = max(each.batch_size for each in classifiers)
        self.on_gpu = all(each.on_gpu for each in classifiers)

    def prepare(self, data: bytes) -> tuple[Prepared, ...]:
        """Prepare the picture for each member. Raises the first ``RejectedRequest`` of a member."""
        return tuple(member.classifier.prepare(data) for member in self.members)

    def classify(self, pictures: Sequence[tuple[Prepared, ...]]) -> list[Verdict]:
        """Return a decision for each picture, the same bits whatever else is in the batch."""
        answers = [
            member.classifier.classify([picture[place] for picture in pictures])
            for place, member in enumerate(self.members)
        ]
        return [self._decide(verdicts) for verdicts in zip(*answers, strict=True)]

    def _decide(self, verdicts: Sequence[Verdict]) -> Verdict:
        ballots = [
            Ballot(member.stack, verdict, member.weight)
            for member, verdict in zip(self.members, verdicts, strict=True)
        ]
        return replace(decide(ballots, self._rule), notes={"votes": _votes(ballots)})

    def warm_up(self) -> None:
        """Warm up every member."""
        for member in self.members:
            member.classifier.warm_up()

    def close(self) -> None:
        """Close every member."""
        for member in self.members:
            member.classifier.close()


def _votes(ballots: Sequence[Ballot]) -> str:
    """Return the votes as JSON, voter to vote, short for any number of classes."""
    return orjson.dumps({each.voter: _vote(each.verdict) for each in ballots}).decode()


def _vote(verdict: Verdict) -> dict[str, str | float]:
    return {
        "verdict": verdict.label,
        "chance": round(verdict.scores[verdict.likeliest], 6),
        "stack": verdict.stack,
    }
