"""Publishing answers: labels to ``catdoglabel``, rejections to ``catdogimage-rejected``."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any

import faust
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.exceptions import ProducerSendError

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.metrics import count_broker_error
from catdog_stream.pipeline.answering import Outcome
from catdog_stream.topics import LABELS, REJECTED
from catdog_stream.wire import Answer, Incoming, rejection, verdict_label

__all__ = ["KafkaPublisher", "Writer"]

logger = logging.getLogger(__name__)


#: Kafka takes records of 1 MB where nothing else is configured; nobody configures half of it.
SURELY_TAKEN_BYTES = 500_000


def faust_timestamp(milliseconds: int | None) -> float | None:
    """Kafka's milliseconds as Faust's producer wants them, in seconds.

    It multiplies by 1000 and cuts off: half a millisecond more keeps the number exact.
    """
    return None if milliseconds is None else (milliseconds + 0.5) / 1000


class _Lazy:
    """A coroutine that starts when it is awaited, and may never be."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Outcome]:
        return self._begin().__await__()


class Writer(ABC):
    """Publishes through the producer of a Faust app. What is written is told by who inherits it.

    Args:
        app: the app.
    """

    #: What is said of an answer that its topic does not take.
    TOO_LARGE: str

    def __init__(self, app: faust.App) -> None:
        self._app = app

    @abstractmethod
    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        """The record for an answer, and its topic."""

    @abstractmethod
    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Answer]:
        """The least that can be said in the place of an answer that its topic does not take."""

    @abstractmethod
    async def _partition(self, topic: str, incoming: Incoming) -> int:
        """Where the record goes."""

    @abstractmethod
    def _time_of(self, incoming: Incoming) -> int | None:
        """The record's time, in milliseconds since the epoch; ``None`` for now."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Hand one answer to the producer, in order; await the result for its confirmation.

        That is the outcome as it was written.
        """
        if isinstance(outcome, RejectedRequest):
            source = str(incoming.source)
            logger.warning(
                "%s rejected: %s: %s",
                source,
                outcome.reason,
                outcome.detail,
                extra={"source": source},
            )
            error = outcome
        else:
            error = RejectedRequest(Reason.TOO_LARGE, self.TOO_LARGE)
        topic, answer = self._answer(incoming, outcome)
        sent = await self._send(topic, incoming, answer)
        if answer.size <= SURELY_TAKEN_BYTES:
            return _Lazy(partial(self._or_bare_rejection, sent, incoming, outcome, error))
        # What goes out in the place of a refused answer must not be overtaken either.
        confirmation = asyncio.ensure_future(
            self._or_bare_rejection(sent, incoming, outcome, error)
        )
        await asyncio.wait((confirmation,))
        return confirmation

    async def _or_bare_rejection(
        self,
        confirmation: Awaitable[object],
        incoming: Incoming,
        outcome: Outcome,
        error: RejectedRequest,
    ) -> Outcome:
        """Await ``confirmation``; an answer too large for its topic goes out without its weight."""
        try:
            await confirmation
        except MessageSizeTooLargeError:
            count_broker_error("publish")
            topic, answer = self._bare(incoming, error)
            await (await self._send(topic, incoming, answer))
            return error
        except KafkaError:
            count_broker_error("publish")
            raise
        return outcome

    async def _send(self, topic: str, incoming: Incoming, answer: Answer) -> Awaitable[object]:
        try:
            return await self._app.producer.send(
                topic,
                answer.key,
                answer.value,
                partition=await self._partition(topic, incoming),
                timestamp=faust_timestamp(self._time_of(incoming)),
                headers=list(answer.headers),
            )
        except ProducerSendError as error:
            if not isinstance(error.__cause__, MessageSizeTooLargeError):
                count_broker_error("publish")
                raise
            refused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            refused.set_exception(error.__cause__)
            return refused


class KafkaPublisher(Writer):
    """Publishes labels and rejections, each in its request's partition and with its time.

    Args:
        app: the app.
        partitions: tells the number of partitions of a topic of answers.
        max_bytes: largest record that may be written.
    """

    TOO_LARGE = "The label cannot be written."

    def __init__(self, app: faust.App, *, partitions: Callable[[str], int], max_bytes: int) -> None:
        super().__init__(app)
        self._partitions = partitions
        self._max_bytes = max_bytes

    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        if isinstance(outcome, RejectedRequest):
            return REJECTED, rejection(incoming, outcome, max_bytes=self._max_bytes)
        verdict = outcome.verdict
        return LABELS, verdict_label(
            incoming,
            text=verdict.text,
            url=outcome.url,
            verdict=verdict.label,
            scores=verdict.scores,
            stack=verdict.stack,
            familiarity=verdict.familiarity,
            notes=verdict.notes,
            fields=outcome.fields,
        )

    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Answer]:
        return REJECTED, rejection(incoming, error, max_bytes=0)

    async def _partition(self, topic: str, incoming: Incoming) -> int:
        return incoming.source.partition % self._partitions(topic)

    def _time_of(self, incoming: Incoming) -> int | None:
        return incoming.timestamp_ms
