"""The seam between the pipeline and whoever watches it."""

import logging
from dataclasses import dataclass
from typing import Protocol

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.timings import Timings
from catdog_stream.wire import Incoming

__all__ = ["Answered", "Observer", "Observers"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that Kafka has confirmed."""

    incoming: Incoming
    outcome: Outcome
    #: What the classifier has prepared of the picture, if that was asked for.
    prepared: object
    #: When the request reached which stage.
    timings: Timings


class Observer(Protocol):
    """Is told of each answer, in the event loop, where the next request waits: it must be quick."""

    def wants_picture(self) -> bool:
        """Whether it wants to see the picture of the request that was just read.

        A prepared picture is kept for it until the request is answered.
        """

    def answered(self, answer: Answered) -> None:
        """Take note of an answer."""


class Observers:
    """All who watch. Where one wants a picture, all are shown it."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Tell ``observer`` as well."""
        self._observers.append(observer)

    def wants_picture(self) -> bool:
        """Whether any of them does; each is asked, since some count how often they said yes."""
        answers = [observer.wants_picture() for observer in self._observers]
        return any(answers)

    def answered(self, answer: Answered) -> None:
        """Tell all of them, and go on whatever one makes of it.

        It was answered and counted: a fault of whoever watches must not stop the stream.
        """
        for observer in self._observers:
            try:
                observer.answered(answer)
            except Exception:
                source = str(answer.incoming.source)
                logger.exception(
                    "The answer to %s could not be shown.", source, extra={"source": source}
                )
