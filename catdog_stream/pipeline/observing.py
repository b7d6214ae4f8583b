"""Interface between a worker and the observers of its answers.

An observer that fails is logged and counted, and stops nothing: the request was answered.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from catdog_stream import metrics
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.timings import Timings

__all__ = ["Answered", "Observer", "Observers"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """Answer that Kafka has confirmed."""

    incoming: Incoming
    outcome: Outcome
    #: The prepared picture, if an observer asked for it.
    prepared: object
    #: Moments at which the request reached its stages.
    timings: Timings


class Observer:
    """Observer of answers; a subclass overrides what it needs.

    The methods run in the event loop and delay the next request, so must be quick.
    """

    def wants_picture(self) -> bool:
        """Return whether the observer needs the picture of the request that was just read.

        A prepared picture is then kept until the request is answered.
        """
        return False

    def answered(self, answer: Answered) -> None:
        """Process an answer of this worker."""

    def foreign_label(self, label: str, value: bytes | None, source: Source) -> None:
        """Process a label that another program wrote.

        Args:
            label: the class that it counts as.
            value: value of the record. It is untrusted.
            source: position of the record.
        """


class Observers:
    """All observers of a worker. If one needs a picture, all receive it."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Add an observer."""
        self._observers.append(observer)

    def wants_picture(self) -> bool:
        """Return whether any observer needs it. Ask each, because some count their answers."""
        return any(self._each(lambda observer: observer.wants_picture()))

    def answered(self, answer: Answered) -> None:
        """Notify all observers of an answer of this worker."""
        self._each(lambda observer: observer.answered(answer), answer.incoming.source)

    def foreign_label(self, label: str, value: bytes | None, source: Source) -> None:
        """Notify all observers of a label that another program wrote."""
        self._each(lambda observer: observer.foreign_label(label, value, source), source)

    def _each(self, notify: Callable[[Observer], T], source: Source | None = None) -> list[T]:
        results = []
        for observer in self._observers:
            try:
                results.append(notify(observer))
            except Exception:
                name = type(observer).__name__
                metrics.OBSERVER_ERRORS.labels(name).inc()
                logger.exception(
                    "The observer %s failed. Requests are not affected.",
                    name,
                    extra={} if source is None else {"source": str(source)},
                )
        return results
