"""Who plays: workers that do everything, or voters and a jury."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["CASTS", "Part"]

COMMON = {"CATDOG_REPLICAS": "3", "CATDOG_THREADS": "1"}


@dataclass(frozen=True)
class Part:
    """What one of the processes is."""

    settings: Mapping[str, str] = field(default_factory=dict)
    module: str = "catdog_stream"
    #: Whether its page has the counts of answers; a voter's has those of votes.
    counts: bool = True


def _voter(name: str, cat: float) -> Part:
    told = {"CATDOG_ROLE": "voter", "CATDOG_VOTER": name, "CATDOG_TEST_CAT": str(cat)}
    return Part({**COMMON, **told}, "tests.support.voting_worker", counts=False)


_WORKER = Part(COMMON)
_JURY = Part(
    {**COMMON, "CATDOG_ROLE": "jury", "CATDOG_VOTERS": "a, b"}, "tests.support.voting_worker"
)

#: The last one's way to the brokers is by the proxies.
CASTS: Mapping[str, Sequence[Part]] = {
    "workers": (_WORKER, _WORKER, _WORKER),
    "court": (_voter("a", 0.9), _JURY, _voter("b", 0.3), _JURY),
}
