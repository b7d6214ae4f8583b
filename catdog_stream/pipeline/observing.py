"""The seam between the pipeline and whoever watches it."""

import logging
from typing import Protocol

from catdog_stream.pipeline.moments import Moments
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.wire import Incoming

__all__ = ["NOBODY", "Observer", "Observers", "show"]

logger = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told of each answer, in the event loop, where the next request waits: it must be quick."""

    def wants_picture(self) -> bool:
        """Whether it wants to see the picture of the request that was just read.

        A prepared picture is kept for it until the request is answered.
        """

    def answered(
        self,
        incoming: Incoming,
        outcome: Outcome,
        seconds: float,
        prepared: object,
        moments: Moments,
    ) -> None:
        """Take note of an answer that Kafka has confirmed.

        Args:
            incoming: the request.
            outcome: what became of it.
            seconds: from taking the request to the confirmation.
            prepared: what the classifier has prepared of the picture, if that was asked for.
            moments: when the request reached which stage.
        """


class _Nobody:
    def wants_picture(self) -> bool:
        return False

    def answered(self, *_anything: object) -> None:
        pass


#: Watches nothing.
NOBODY: Observer = _Nobody()


class Observers:
    """Several observers, as one. Where one wants a picture, all are shown it."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Tell ``observer`` as well."""
        self._observers.append(observer)

    def wants_picture(self) -> bool:
        """Whether any of them does; each is asked, since some count how often they said yes."""
        answers = [observer.wants_picture() for observer in self._observers]
        return any(answers)

    def answered(
        self,
        incoming: Incoming,
        outcome: Outcome,
        seconds: float,
        prepared: object,
        moments: Moments,
    ) -> None:
        """Tell all of them."""
        for observer in self._observers:
            show(observer, incoming, outcome, seconds, prepared, moments)


def show(
    observer: Observer,
    incoming: Incoming,
    outcome: Outcome,
    seconds: float,
    prepared: object,
    moments: Moments,
) -> None:
    """Tell ``observer`` of an answer, and go on whatever it makes of it.

    It was answered and counted: a fault of whoever watches must not stop the stream.
    """
    try:
        observer.answered(incoming, outcome, seconds, prepared, moments)
    except Exception:
        source = str(incoming.source)
        logger.exception("The answer to %s could not be shown.", source, extra={"source": source})
