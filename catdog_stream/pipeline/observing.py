"""The seam between the pipeline and whoever watches it."""

from typing import Protocol

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.wire import Incoming

__all__ = ["NOBODY", "Observer"]


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
    ) -> None:
        """Take note of an answer that Kafka has confirmed.

        Args:
            incoming: the request.
            outcome: what became of it.
            seconds: from taking the request to the confirmation.
            prepared: what the classifier has prepared of the picture, if that was asked for.
        """


class _Nobody:
    def wants_picture(self) -> bool:
        return False

    def answered(self, *_anything: object) -> None:
        pass


#: Watches nothing.
NOBODY: Observer = _Nobody()
