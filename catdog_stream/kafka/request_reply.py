"""Request and reply over Kafka: send requests, and await the answer of each one.

::

    async with request_reply(cluster) as stream:
        value, headers = request_format.write(picture, url)
        question = await stream.send(value, headers=headers)
        reply = await question.reply
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from catdog_stream.kafka.client import producer
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.early_replies import EarlyReplies
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.replies import Reply, replies
from catdog_stream.messages.wire import Source

__all__ = ["Question", "RequestReply", "request_reply"]


@dataclass(frozen=True, eq=False, slots=True)
class Question:
    """One request. Both of its futures raise ``BrokerError``."""

    #: Place of the request in Kafka, once Kafka has confirmed it.
    sent: "asyncio.Future[Source]"
    #: First answer to the request. A caller that does not need it cancels the future.
    reply: "asyncio.Future[Reply]"


class RequestReply:
    """Client that sends requests and matches their answers. Made by ``request_reply``.

    Args:
        sender: a started producer.
        cluster: the cluster that it sends to.
        on_reply: called with every reply in the stream, also those to other clients, as it is read.
    """

    def __init__(
        self,
        sender: AIOKafkaProducer,
        cluster: ClusterConfig,
        on_reply: Callable[[Reply], object] | None = None,
    ) -> None:
        self._sender = sender
        self._cluster = cluster
        self._on_reply = on_reply
        #: Numbers of the requests whose place Kafka has not confirmed yet, the oldest first.
        self._unconfirmed: dict[int, None] = {}
        self._number = 0
        self._waiting: dict[Source, asyncio.Future[Reply]] = {}
        self._early = EarlyReplies()
        self._failure: BaseException | None = None

    @property
    def failure(self) -> BaseException | None:
        """Why no more answers can arrive; ``None`` while they can."""
        return self._failure

    async def send(
        self,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Question:
        """Send one request to Kafka, in order. Returns before Kafka confirms it.

        Raises:
            BrokerError: answers cannot be read any more.
            KafkaError: the producer refused the request, for example because it is too large.
        """
        if self._failure is not None:
            raise self._failure
        loop = asyncio.get_running_loop()
        question = Question(loop.create_future(), loop.create_future())
        self._number += 1
        number = self._number
        self._unconfirmed[number] = None
        try:
            delivery = await self._sender.send(
                self._cluster.names.requests,
                value,
                key=key,
                headers=list(headers),
                partition=partition,
                timestamp_ms=timestamp_ms,
            )
        except BaseException:
            self._confirmed(number)
            raise
        delivery.add_done_callback(lambda done: self._on_sent(number, question, done))
        return question

    def _on_sent(
        self, number: int, question: Question, delivery: "asyncio.Future[RecordMetadata]"
    ) -> None:
        if delivery.cancelled():
            question.sent.cancel()
            question.reply.cancel()
        elif (error := delivery.exception()) is not None:
            failure = broker_error(
                error, self._cluster, Access.topic("Write", self._cluster.names.requests)
            )
            failure.__cause__ = error
            _fail(question.sent, failure)
            _fail(question.reply, failure)
        else:
            record = delivery.result()
            source = Source(record.topic, record.partition, record.offset)
            if not question.sent.cancelled():
                question.sent.set_result(source)
            early = self._early.pop(source)
            if question.reply.done():
                pass  # nobody waits for it
            elif early is not None:
                question.reply.set_result(early)
            elif self._failure is not None:
                _fail(question.reply, self._failure)
            else:
                self._waiting[source] = question.reply
                question.reply.add_done_callback(lambda _: self._waiting.pop(source, None))
        self._confirmed(number)

    def _confirmed(self, number: int) -> None:
        del self._unconfirmed[number]
        oldest = next(iter(self._unconfirmed), self._number + 1)
        self._early.forget_before(oldest)

    async def read(self, stream: AsyncIterator[Reply]) -> None:
        """Process replies from ``stream`` until it fails; then fail every request that waits."""
        try:
            async for reply in stream:
                if self._on_reply is not None:
                    self._on_reply(reply)
                self._take(reply)
        except Exception as error:
            self._failure = error
            for waiting in tuple(self._waiting.values()):
                _fail(waiting, error)
            raise

    def _take(self, reply: Reply) -> None:
        source = reply.source
        if source is None:
            return
        waiting = self._waiting.get(source)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(reply)
        elif self._unconfirmed:
            self._early.keep(reply, source, self._number)


def _fail(future: "asyncio.Future[Source] | asyncio.Future[Reply]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # marks it as retrieved: the caller may ignore it


@asynccontextmanager
async def request_reply(
    cluster: ClusterConfig,
    *,
    on_reply: Callable[[Reply], object] | None = None,
    sender: AIOKafkaProducer | None = None,
) -> AsyncIterator[RequestReply]:
    """Connect to ``cluster``; creates missing topics.

    Args:
        cluster: the cluster.
        on_reply: called with every reply in the stream, also those to other clients, as it is read.
            An exception from it ends the reading.
        sender: a started producer to use instead of a new one.

    Raises:
        BrokerError: no broker answers, it stopped answering, or it refused.
    """
    sending = producer(cluster) if sender is None else nullcontext(sender)
    async with replies(cluster) as stream, sending as started:
        questions = RequestReply(started, cluster, on_reply)
        reading = asyncio.ensure_future(questions.read(stream))
        try:
            yield questions
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):  # raised to the waiting callers
                await reading
