"""Topologies for a run: workers with all tasks, with 1,000 classes, or voters and a jury."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["TOPOLOGIES", "Part"]

COMMON = {"CATDOG_REPLICAS": "3", "CATDOG_THREADS": "1"}


@dataclass(frozen=True)
class Part:
    """Settings and module of one process."""

    settings: Mapping[str, str] = field(default_factory=dict)
    module: str = "catdog_stream"
    #: True if its page shows the counts of answers; the page of a voter shows counts of votes.
    counts: bool = True


def _voter(name: str, cat: float) -> Part:
    told = {"CATDOG_ROLE": "voter", "CATDOG_VOTER": name, "CATDOG_TEST_CAT": str(cat)}
    return Part({**COMMON, **told}, "tests.support.voting_worker", counts=False)


_WORKER = Part(COMMON)
_JURY = Part(
    {**COMMON, "CATDOG_ROLE": "jury", "CATDOG_VOTERS": "a, b"}, "tests.support.voting_worker"
)

_MANY_CLASSES = Part({**COMMON, "CATDOG_CLASSIFIER": "tests.support.thousand_classes:Thousand"})

#: The last process of each topology reaches the brokers through the proxies.
TOPOLOGIES: Mapping[str, Sequence[Part]] = {
    "workers": (_WORKER, _WORKER, _WORKER),
    "classes": (_MANY_CLASSES, _MANY_CLASSES, _MANY_CLASSES),
    "voting": (_voter("a", 0.9), _JURY, _voter("b", 0.3), _JURY),
}
