"""One verdict out of several on the same picture: what a jury decides.

Pure: in one process and between several the same ballots give the same bits, whichever order they
came in, as long as they are handed over in a fixed one.

``log_odds``, the default, takes the weighted mean of the logarithms of the chances, class by class,
and has them add up to 1 again. Of two classes that is the weighted mean of their log-odds: whoever
is sure counts for more than whoever hesitates.

``majority`` counts, by weight, the classes that are the likeliest to each; of as many votes, the
mean of the logarithms decides. The chances are those of the voters who won, put together as above:
so the likeliest class is the one that won.

A class that a voter does not know has no chance with it. No chance counts as less than
``LEAST_CHANCE``, so that nobody is so sure that no others can outvote it.
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
#: How much more than 1 a voter can count.
MAX_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one voter says.

    Raises:
        ValueError: the weight is not above 0, and at most ``MAX_WEIGHT``.
    """

    voter: str
    verdict: Verdict
    #: How much it counts, relative to the other ones.
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a weight that cannot be used."""
        if not 0 < self.weight <= MAX_WEIGHT:
            raise ValueError(f"the weight {self.weight} is not above 0 and at most {MAX_WEIGHT:g}")


def decide(ballots: Sequence[Ballot], rule: Rule = "log_odds") -> Verdict:
    """The verdict that the ballots, one or more, come to.

    Its classes are in the order of the first ballot, and then of those behind it that know more.
    Its stack is ``jury`` and those of the ballots: ``jury inception_v3/1+lite/2``. It is as
    familiar as the weighted mean of those that can tell says, and unknown if more than half of
    these, by weight, say so. A single ballot decides with the chances that it gives.
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
    votes = {
        name: math.fsum(each.weight for each in ballots if each.verdict.likeliest == name)
        for name in classes
    }
    most = max(votes.values())
    # As many but for rounding: 0.1 + 0.2 are as many as 0.3.
    tied = [name for name in classes if math.isclose(votes[name], most)]
    logs = _mean_logs(ballots, tied)
    winner = max(tied, key=lambda name: logs[name])
    return _log_odds([each for each in ballots if each.verdict.likeliest == winner], classes)


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
    told = [(weight, value) for weight, value in known if value is not None]
    if not told:
        return None
    return math.fsum(weight * value for weight, value in told) / math.fsum(w for w, _ in told)


def _unknown(ballots: Sequence[Ballot]) -> bool:
    told = [
        each for each in ballots if each.verdict.unknown or each.verdict.familiarity is not None
    ]
    unknown = math.fsum(each.weight for each in told if each.verdict.unknown)
    return unknown > math.fsum(each.weight for each in told) / 2
