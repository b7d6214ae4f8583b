"""Facts from which the state of the stream is assessed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, get_args

__all__ = [
    "CAUSES",
    "WORKING",
    "Cause",
    "Condition",
    "DriftFact",
    "Fault",
    "Flow",
    "Health",
    "Severity",
    "StreamFacts",
    "WorkerFact",
]


class Severity(IntEnum):
    """Severity of a condition, and value of the metric; ``INFO`` needs no action."""

    OK = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3


#: All values of the metric's label.
Cause = Literal[
    "not_ready",
    "stalled",
    "falling_behind",
    "slow",
    "lag_unknown",
    "rejecting",
    "worker_silent",
    "worker_lost",
    "worker_left",
    "drift",
    "fault",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


@dataclass(frozen=True, slots=True)
class Condition:
    """Cause with a sentence of plain text that may contain text of other workers."""

    severity: Severity
    #: ``None``: nothing is wrong.
    cause: Cause | None
    sentence: str
    #: Time of the named worker's last response, in seconds since the epoch.
    heard: float | None = None


WORKING = Condition(Severity.OK, None, "Working.")


@dataclass(frozen=True, slots=True)
class Health:
    """State of the stream."""

    #: The worst condition, or a sentence about a stream that works.
    headline: Condition = WORKING
    #: All conditions, the worst first.
    conditions: Sequence[Condition] = ()

    @property
    def severity(self) -> Severity:
        """Severity of the worst condition."""
        return max((each.severity for each in self.conditions), default=Severity.OK)

    @property
    def causes(self) -> frozenset[Cause]:
        """Causes of all conditions that are at least warnings."""
        return frozenset(
            each.cause
            for each in self.conditions
            if each.cause and each.severity >= Severity.WARNING
        )

    @property
    def held(self) -> frozenset[Cause]:
        """Causes of all conditions: their limits are lower in the next assessment."""
        return frozenset(each.cause for each in self.conditions if each.cause)


@dataclass(frozen=True, slots=True)
class Flow:
    """Rates of the whole group's requests, from the offsets in Kafka; ``None``: unknown."""

    #: Requests per second that arrived and were answered.
    arriving: float | None = None
    answered: float | None = None
    #: Number of waiting requests, including those in flight.
    waiting: int | None = None
    #: Seconds for which requests have waited without any answer.
    stalled: float = 0.0
    #: Change of ``waiting`` per second in the last seconds.
    growth: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerFact:
    """Worker of the group, or a worker that has left the group."""

    name: str
    standing: Literal["here", "answers", "silent", "lost", "left"] = "answers"
    #: Time of its last response, in seconds since the epoch; ``None`` if there was none.
    heard: float | None = None
    #: Reasons why it is not ready; empty: it is ready.
    problems: Sequence[str] = ()
    #: Seconds for which it has not been ready.
    unready: float = 0.0
    #: ``True`` if the problems are temporary: it starts, or partitions are being assigned.
    passing: bool = False
    #: ``True`` if it only lacks a partition.
    spare: bool = False


@dataclass(frozen=True, slots=True)
class DriftFact:
    """Quantity of a stack that differs significantly from its reference."""

    stack: str
    quantity: str
    index: float
    limit: float
    #: Share of pictures labelled unknown, 0 to 1, now and in the reference.
    unknown: float | None = None
    unknown_before: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Warning of another part of a worker, in a sentence of plain text."""

    sentence: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """All facts on which the state of the stream depends."""

    workers: Sequence[WorkerFact] = ()
    flow: Flow = field(default_factory=Flow)
    #: ``True`` if the offsets of the group were known earlier and are unknown now.
    lag_unknown: bool = False
    #: Median and maximum latency of the last seconds, in seconds, including the wait in Kafka.
    typical: float | None = None
    slowest: float | None = None
    #: Answers and rejections of the last minutes.
    answers: int = 0
    rejected: int = 0
    drift: Sequence[DriftFact] = ()
    faults: Sequence[Fault] = ()
    #: Seconds without an answer that are normal, because a jury waits for votes.
    patience: float = 0.0
    #: ``requests``, or ``votes`` that wait for a jury's decision.
    unit: str = "requests"
