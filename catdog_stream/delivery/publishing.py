"""Publishing of answers: labels to ``catdoglabel``, rejections to ``catdogimage-rejected``."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from faust.types import ProducerT

from catdog_stream.delivery.label_writer import LabelWriter
from catdog_stream.delivery.refusals import costs_request, explained_refusal
from catdog_stream.errors import BrokerError, Reason, Refusal, RejectedRequest
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.messages.wire import PICTURE_MEMBERS, Answer, Incoming, rejection
from catdog_stream.metrics import count_broker_error
from catdog_stream.pipeline.ordered_publisher import Outcome

__all__ = ["KafkaPublisher", "Lazy", "Writer"]

logger = logging.getLogger(__name__)


#: A larger record has a batch of its own: if it is refused, its own size is the cause.
SHARED_BATCH_BYTES = 16_384
#: Kafka accepts records of 1 MB by default, and a limit below half of that is not expected.
SURELY_TAKEN_BYTES = 500_000


def faust_timestamp(milliseconds: int | None) -> float | None:
    """Return Kafka's milliseconds as the seconds that Faust's producer needs.

    Faust multiplies by 1000 and truncates: half a millisecond more keeps the number exact.
    """
    return None if milliseconds is None else (milliseconds + 0.5) / 1000


class Lazy:
    """Coroutine that starts only when it is awaited, and need not be."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Outcome]:
        return self._begin().__await__()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Record for an answer, and the outcome that it represents."""

    topic: str
    answer: Answer
    #: Milliseconds since the epoch; ``None`` for now.
    time: int | None
    outcome: Outcome


class Writer(ABC):
    """Publisher through the producer of a Faust app. A subclass decides what is written.

    If a topic refuses an answer because of the record itself (see ``refusals``), the answer is
    written in another form: with the present time, or as a small rejection.

    Args:
        producer: returns the producer of the app.
        cluster: cluster that the app writes to.
    """

    #: Detail of the rejection of an answer that is too large for its topic.
    TOO_LARGE: str

    def __init__(self, producer: Callable[[], ProducerT], cluster: ClusterConfig) -> None:
        self._producer = producer
        self._cluster = cluster
        #: Held during a retry: a record that shares its batch with a bad one is refused, too.
        self._alone = asyncio.Lock()

    @abstractmethod
    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        """Return the topic and the record for an answer."""

    @abstractmethod
    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Answer]:
        """Return the topic and the smallest record to replace an answer that its topic refuses."""

    @abstractmethod
    async def _partition(self, topic: str, incoming: Incoming) -> int:
        """Return the partition for the record."""

    @abstractmethod
    def _time_of(self, incoming: Incoming) -> int | None:
        """Return the record's time, in milliseconds since the epoch; ``None`` for now."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Pass one answer to the producer, in order; await the result for its confirmation.

        The confirmation returns the outcome as it was written. It raises ``BrokerError``, with the
        topic and the cause, if no answer to the request can be written.
        """
        if isinstance(outcome, RejectedRequest):
            _log_rejection(incoming, outcome)
        try:
            topic, answer = self._answer(incoming, outcome)
        except Exception:
            source = str(incoming.source)
            logger.exception("No record for the answer to %s.", source, extra={"source": source})
            outcome = RejectedRequest(Reason.INTERNAL_ERROR, "The answer cannot be written.")
            topic, answer = self._answer(incoming, outcome)
        attempt = _Attempt(topic, answer, self._time_of(incoming), outcome)
        sent = await self._send(incoming, attempt)
        if answer.size <= SURELY_TAKEN_BYTES:
            return Lazy(partial(self._confirmed, sent, incoming, attempt))
        # A replacement for a refused answer must not be overtaken by later answers either.
        confirmation = asyncio.ensure_future(self._confirmed(sent, incoming, attempt))
        await asyncio.wait((confirmation,))
        return confirmation

    async def _confirmed(
        self, sent: Awaitable[object], incoming: Incoming, attempt: _Attempt
    ) -> Outcome:
        """Await ``sent``, retry a record that was refused; return the outcome that is in Kafka."""
        refused = await self._refusal(sent, attempt)
        if refused is None:
            return attempt.outcome
        async with self._alone:
            return await self._again(incoming, attempt, refused)

    async def _again(self, incoming: Incoming, attempt: _Attempt, refused: BrokerError) -> Outcome:
        # Kafka may refuse a batch because of another record: first retry the same record alone.
        for again in (attempt, replace(attempt, time=None)):
            if refused.refusal is Refusal.TOO_LARGE and (
                again.time != attempt.time or again.answer.size > SHARED_BATCH_BYTES
            ):
                break
            if (refusal := await self._refusal(self._write(incoming, again), again)) is None:
                return again.outcome
            refused = refusal
        error = attempt.outcome
        if not isinstance(error, RejectedRequest):
            if refused.refusal is Refusal.TOO_LARGE:
                error = RejectedRequest(Reason.TOO_LARGE, self.TOO_LARGE)
            else:
                error = RejectedRequest(Reason.ANSWER_REFUSED, refused.message)
            _log_rejection(incoming, error)
        topic, bare = self._bare(incoming, error)
        for time in (attempt.time, None):
            again = _Attempt(topic, bare, time, error)
            if (refusal := await self._refusal(self._write(incoming, again), again)) is None:
                return error
            refused = refusal
        raise refused

    async def _refusal(self, sent: Awaitable[object], attempt: _Attempt) -> BrokerError | None:
        """Return why an attempt failed; ``None`` once Kafka has it.

        Raises:
            BrokerError: no retry can help.
        """
        try:
            await sent
        except Exception as error:
            count_broker_error("publish")
            refused = explained_refusal(error, self._cluster, attempt.topic)
            refused.__cause__ = error
            if not costs_request(refused):
                raise refused from error
            return refused
        return None

    async def _write(self, incoming: Incoming, attempt: _Attempt) -> None:
        await (await self._send(incoming, attempt))

    async def _send(self, incoming: Incoming, attempt: _Attempt) -> Awaitable[object]:
        answer = attempt.answer
        try:
            return await self._producer().send(
                attempt.topic,
                answer.key,
                answer.value,
                partition=await self._partition(attempt.topic, incoming),
                timestamp=faust_timestamp(attempt.time),
                headers=list(answer.headers),
            )
        except Exception as error:  # noqa: BLE001 - it is raised where confirmation is waited for
            refused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused


def _log_rejection(incoming: Incoming, error: RejectedRequest) -> None:
    source = str(incoming.source)
    logger.warning(
        "%s rejected: %s: %s", source, error.reason, error.detail, extra={"source": source}
    )


class KafkaPublisher(Writer):
    """Publisher of labels and rejections, each in its request's partition and with its time.

    Args:
        producer: returns the producer of the app.
        cluster: cluster that the app writes to.
        partitions: returns the number of partitions of a topic of answers.
        max_bytes: largest record that may be written, in bytes.
        labels: writer of the labels.
        picture_members: members of a request's JSON that may hold the picture.
    """

    TOO_LARGE = "The label cannot be written."

    def __init__(
        self,
        producer: Callable[[], ProducerT],
        cluster: ClusterConfig,
        *,
        partitions: Callable[[str], int],
        max_bytes: int,
        labels: LabelWriter,
        picture_members: Collection[str] = PICTURE_MEMBERS,
    ) -> None:
        super().__init__(producer, cluster)
        self._partitions = partitions
        self._max_bytes = max_bytes
        self._labels = labels
        self._picture_members = picture_members

    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        if isinstance(outcome, RejectedRequest):
            return self._cluster.names.rejected, rejection(
                incoming,
                outcome,
                max_bytes=self._max_bytes,
                picture_members=self._picture_members,
            )
        return self._cluster.names.labels, self._labels.write(incoming, outcome)

    def _bare(self, incoming: Incoming, error: RejectedRequest) -> tuple[str, Answer]:
        return self._cluster.names.rejected, rejection(incoming, error, max_bytes=0)

    async def _partition(self, topic: str, incoming: Incoming) -> int:
        return incoming.source.partition % self._partitions(topic)

    def _time_of(self, incoming: Incoming) -> int | None:
        return incoming.timestamp_ms
