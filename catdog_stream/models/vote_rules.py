"""Rules that combine several verdicts on the same picture into the decision of a jury.

The functions are pure: the same ballots give the same bits, in one process or in several, if the
caller passes them in a fixed order. The order of arrival does not matter.

``log_odds``, the default, takes the weighted mean of the logarithms of the probabilities, class by
class, and normalizes the result to a sum of 1. For two classes this is the weighted mean of their
log-odds: a confident voter counts for more than an uncertain one.

``majority`` counts, by weight, the likeliest class of each ballot. The mean of the logarithms
breaks a tie. The probabilities come from the ballots for the winning class, combined as in
``log_odds``, so the likeliest class is the winner.

A class that a voter does not have gets probability 0 from that voter. No probability counts as less
than ``LEAST_CHANCE``, so that even a voter with probability 1 can be outvoted.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from catdog_stream.models.verdict import Verdict

__all__ = ["MAX_WEIGHT", "RULES", "Ballot", "Rule", "decide"]

Rule = Literal["log_odds", "majority"]
RULES: tuple[Rule, ...] = ("log_odds", "majority")

LEAST_CHANCE = 1e-6
#: Largest weight of a voter; 1 is the default weight.
MAX_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class Ballot:
    """The verdict of one voter, with its weight.

    Raises:
        ValueError: the weight is not above 0, or it is above ``MAX_WEIGHT``.
    """

    voter: str
    verdict: Verdict
    #: Weight of the vote, relative to the other ballots.
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a weight out of range."""
        if not 0 < self.weight <= MAX_WEIGHT:
            raise ValueError(f"the weight {self.weight} is not above 0 and at most {MAX_WEIGHT:g}")


def decide(ballots: Sequence[Ballot], rule: Rule = "log_odds") -> Verdict:
    """Return the decision of one ballot or more.

    The classes are in the order of the first ballot, followed by the further classes of the later
    ballots. The stack is ``jury`` and the stacks of the ballots: ``jury inception_v3/1+lite/2``.
    The OOD score is the weighted mean of the ballots that have one. The decision is ``unknown`` if
    more than half of the ballots with an OOD score, by weight, are ``unknown``. The probabilities
    of a single ballot are returned as they are.
    """
    classes = tuple(dict.fromkeys(name for each in ballots for name in each.verdict.scores))
    return Verdict(
        scores=_log_odds(ballots, classes) if rule == "log_odds" else _majority(ballots, classes),
        stack=f"jury {'+'.join(each.verdict.stack.replace(' ', '/') for each in ballots)}",
        familiarity=_familiarity(ballots),
        unknown=_unknown(ballots),
    )


def _log_odds(ballots: Collection[Ballot], classes: Sequence[str]) -> Mapping[str, float]:
    if len(ballots) == 1:
        (only,) = ballots
        return {name: only.verdict.scores.get(name, 0.0) for name in classes}
    logs = _mean_logs(ballots, classes)
    most = max(logs.values())
    parts = {name: math.exp(log - most) for name, log in logs.items()}
    total = math.fsum(parts.values())
    return {name: part / total for name, part in parts.items()}


def _majority(ballots: Sequence[Ballot], classes: Sequence[str]) -> Mapping[str, float]:
    by_name: dict[str, list[Ballot]] = {}
    for each in ballots:
        by_name.setdefault(each.verdict.likeliest, []).append(each)
    votes = {name: math.fsum(each.weight for each in found) for name, found in by_name.items()}
    most = max(votes.values())
    # Equal within the rounding error: 0.1 + 0.2 ties with 0.3.
    tied = [name for name in classes if name in votes and math.isclose(votes[name], most)]
    logs = _mean_logs(ballots, tied)
    return _log_odds(by_name[max(tied, key=lambda name: logs[name])], classes)


def _mean_logs(ballots: Collection[Ballot], classes: Sequence[str]) -> dict[str, float]:
    total = math.fsum(each.weight for each in ballots)
    return {
        name: math.fsum(
            each.weight * math.log(max(each.verdict.scores.get(name, 0.0), LEAST_CHANCE))
            for each in ballots
        )
        / total
        for name in classes
    }


def _familiarity(ballots: Sequence[Ballot]) -> float | None:
    known = [(each.weight, each.verdict.familiarity) for each in ballots]
    scored = [(weight, value) for weight, value in known if value is not None]
    if not scored:
        return None
    return math.fsum(weight * value for weight, value in scored) / math.fsum(w for w, _ in scored)


def _unknown(ballots: Sequence[Ballot]) -> bool:
    scored = [
        each for each in ballots if each.verdict.unknown or each.verdict.familiarity is not None
    ]
    unknown = math.fsum(each.weight for each in scored if each.verdict.unknown)
    return unknown > math.fsum(each.weight for each in scored) / 2
