"""Findings of a run, as a table by kind of fault."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.lane import Happened

__all__ = ["Findings", "table"]

#: Seconds after a fault in which requests may still wait because of it.
AFTER = 10.0


@dataclass
class Findings:
    """Result of one run: the true number of requests, and the violations of the guarantee."""

    requests: int = 0
    published_twice: int = 0
    #: Requests that were rejected because the worker was killed that processed them alone.
    stopped: int = 0
    #: Sentences, one for each violation; empty if the guarantee held.
    broken: list[str] = field(default_factory=list)


def table(
    happened: Iterable[Happened], confirmed: Mapping[str, float], answered: Mapping[str, float]
) -> Iterator[str]:
    """Yield a line for each kind: how often, the number of requests meanwhile, their longest wait.

    Faults of different kinds overlap: a wait is listed under each kind that overlaps it.

    Args:
        happened: the faults.
        confirmed: source to the time at which Kafka had the request.
        answered: source to the time of its first answer.
    """
    kinds: dict[str, list[Happened]] = defaultdict(list)
    for fault in happened:
        kinds[fault.kind].append(fault)
    yield f"{'fault':<18} {'times':>5} {'requests':>8} {'longest wait, s':>16}"
    for kind, faults in sorted(kinds.items()):
        waits = _waits(faults, confirmed, answered)
        yield f"{kind:<18} {len(faults):>5} {len(waits):>8} {max(waits, default=0):>16.1f}"


def _waits(
    faults: Sequence[Happened], confirmed: Mapping[str, float], answered: Mapping[str, float]
) -> list[float]:
    return [
        answered[source] - at
        for source, at in confirmed.items()
        if source in answered and any(fault.began <= at <= fault.ended + AFTER for fault in faults)
    ]
