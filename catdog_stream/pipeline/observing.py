"""Interface between the pipeline and its observers."""

import logging
from dataclasses import dataclass
from typing import Protocol

from catdog_stream.messages.wire import Incoming
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.timings import Timings

__all__ = ["Answered", "Observer", "Observers"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """Answer that Kafka has confirmed."""

    incoming: Incoming
    outcome: Outcome
    #: The prepared picture, if an observer asked for it.
    prepared: object
    #: Moments at which the request reached its stages.
    timings: Timings


class Observer(Protocol):
    """Observer of answers. Runs in the event loop and delays the next request, so must be quick."""

    def wants_picture(self) -> bool:
        """Return whether the observer needs the picture of the request that was just read.

        A prepared picture is then kept until the request is answered.
        """

    def answered(self, answer: Answered) -> None:
        """Process an answer."""


class Observers:
    """All observers. If one needs a picture, all receive it."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Add an observer."""
        self._observers.append(observer)

    def wants_picture(self) -> bool:
        """Return whether any observer does. Each one is asked, because some count their answers."""
        answers = [observer.wants_picture() for observer in self._observers]
        return any(answers)

    def answered(self, answer: Answered) -> None:
        """Notify all observers, also if one of them fails.

        The request was answered and counted: a fault of an observer must not stop the stream.
        """
        for observer in self._observers:
            try:
                observer.answered(answer)
            except Exception:
                source = str(answer.incoming.source)
                logger.exception(
                    "The answer to %s could not be shown.", source, extra={"source": source}
                )
