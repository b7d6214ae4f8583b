"""Plain facts that the state of the stream is assessed by."""

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
    """Severity, the value of the metric; ``INFO`` needs no action."""

    OK = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3


#: The label of the metric: there are no others.
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
    """One cause, in a sentence of plain text that may contain text of other workers."""

    severity: Severity
    #: ``None``: nothing is wrong.
    cause: Cause | None
    sentence: str
    #: When the named worker was heard of last, in seconds since the epoch.
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
        """The level of the worst condition."""
        return max((each.severity for each in self.conditions), default=Severity.OK)

    @property
    def causes(self) -> frozenset[Cause]:
        """The causes of warnings and of what is worse."""
        return frozenset(
            each.cause
            for each in self.conditions
            if each.cause and each.severity >= Severity.WARNING
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests of the whole group, by the offsets in Kafka; ``None``: unknown."""

    #: Requests per second that arrived and were answered.
    arriving: float | None = None
    answered: float | None = None
    #: Requests that wait, those in work included.
    waiting: int | None = None
    #: Seconds for which requests have waited and none was answered.
    stalled: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkerFact:
    """One worker of the group, or one that has left it."""

    name: str
    standing: Literal["here", "answers", "silent", "lost", "left"] = "answers"
    #: When it was heard of last, in seconds since the epoch; ``None``: never.
    heard: float | None = None
    #: Reasons why it is not ready; empty: it is ready.
    problems: Sequence[str] = ()
    #: Seconds for which it has not been ready.
    unready: float = 0.0
    #: ``True`` if the problems pass without help: it starts, or partitions are being assigned.
    passing: bool = False
    #: ``True`` if it lacks nothing but a partition.
    spare: bool = False


@dataclass(frozen=True, slots=True)
class DriftFact:
    """One quantity of a stack that differs from its reference by more than chance."""

    stack: str
    quantity: str
    index: float
    limit: float
    #: Share of pictures that are labelled unknown, 0 to 1, now and in the reference.
    unknown: float | None = None
    unknown_before: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A warning that another part of a worker states, in a sentence of plain text."""

    sentence: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """Everything that the state of the stream depends on."""

    workers: Sequence[WorkerFact] = ()
    flow: Flow = field(default_factory=Flow)
    #: ``True`` if the offsets of the group were known once and are not now.
    lag_unknown: bool = False
    #: Seconds until an answer, the wait in Kafka included, of the last seconds.
    typical: float | None = None
    slowest: float | None = None
    #: Answers and rejections of the last minutes.
    answers: int = 0
    rejected: int = 0
    drift: Sequence[DriftFact] = ()
    faults: Sequence[Fault] = ()
    #: Seconds without an answer that are normal: a jury waits for votes.
    patience: float = 0.0
    #: ``requests``, or ``votes`` that wait for a jury's decision.
    unit: str = "requests"
