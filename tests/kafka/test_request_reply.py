"""Tests that a request's answer is distinguished from other answers, at any time of arrival."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import MessageSizeTooLargeError, NotLeaderForPartitionError
from aiokafka.structs import RecordMetadata, TopicPartition

from catdog_stream.errors import BrokerError
from catdog_stream.kafka import early_replies
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.request_reply import RequestReply
from catdog_stream.settings import Settings
from tests.support.names import LABELS, REQUESTS

DEADLINE = 5.0


class Sender:
    """Producer whose confirmations come when the test says so."""

    def __init__(self) -> None:
        self.deliveries: list[asyncio.Future[RecordMetadata]] = []

    async def send(self, topic: str, value: bytes | None, **_: Any) -> Any:
        assert topic == REQUESTS
        if value == b"too large":
            raise MessageSizeTooLargeError
        self.deliveries.append(asyncio.get_running_loop().create_future())
        return self.deliveries[-1]

    def confirm(self, number: int) -> None:
        """Confirm request ``number`` at the same offset of partition 0."""
        place = (REQUESTS, 0, TopicPartition(REQUESTS, 0), number, None, 0, 0)
        self.deliveries[number].set_result(RecordMetadata(*place))


def reply(offset: int, topic: str = LABELS) -> Reply:
    """Return an answer to the request at ``offset``."""
    value = orjson.dumps({"label": f"label {offset}", "url": None})
    headers = [("source", f"{REQUESTS}/0/{offset}".encode())]
    return Reply(ConsumerRecord(topic, 0, 0, 0, 0, None, value, None, 0, len(value), headers))


class Stream:
    """Replies that arrive when the test adds them, and an error at the end."""

    def __init__(self) -> None:
        self._replies: asyncio.Queue[Reply | None] = asyncio.Queue()

    def put(self, *replies: Reply) -> None:
        for each in replies:
            self._replies.put_nowait(each)

    def fail(self) -> None:
        self._replies.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Reply]:
        while (each := await self._replies.get()) is not None:
            yield each
        raise BrokerError("Kafka stopped answering.")


def play(
    scenario: Callable[[RequestReply, Sender, Stream, list[Reply]], Awaitable[None]],
) -> None:
    async def run() -> None:
        sender: Any = Sender()
        stream, heard = Stream(), list[Reply]()
        request_reply = RequestReply(sender, Settings().cluster, heard.append)
        reading = asyncio.create_task(request_reply.read(aiter(stream)))
        async with asyncio.timeout(DEADLINE):
            await scenario(request_reply, sender, stream, heard)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(run())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def labels(replies: Sequence[Reply]) -> list[str | None]:
    return [each.label for each in replies]


def test_each_request_gets_its_own_answer_and_the_first_one() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, heard: list[Reply]
    ) -> None:
        questions = [await request_reply.send(b"value") for _ in range(3)]
        for number in range(3):
            sender.confirm(number)
        await turns()
        stream.put(reply(7), reply(2), reply(0), reply(2), reply(1))
        answers = [await question.reply for question in questions]
        assert labels(answers) == ["label 0", "label 1", "label 2"]
        assert len(heard) == 5, "whoever asked"

    play(scenario)


def test_an_answer_may_come_before_kafka_says_where_the_request_stands() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, _: list[Reply]
    ) -> None:
        question = await request_reply.send(b"value")
        stream.put(reply(0), reply(9))
        await turns()
        assert not question.reply.done()
        sender.confirm(0)
        assert (await question.reply).label == "label 0"
        assert not request_reply._early, "what answers others is not kept"

    play(scenario)


def test_who_does_not_wait_is_forgotten() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, _: list[Reply]
    ) -> None:
        early_replies, late = await request_reply.send(b"value"), await request_reply.send(b"value")
        early_replies.reply.cancel()
        sender.confirm(0)
        sender.confirm(1)
        await turns()
        late.reply.cancel()
        await turns()
        assert not request_reply._waiting
        stream.put(reply(0), reply(1))
        await turns()

    play(scenario)


def test_a_request_that_kafka_refuses_has_no_answer() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, _stream: Stream, _: list[Reply]
    ) -> None:
        with pytest.raises(MessageSizeTooLargeError):
            await request_reply.send(b"too large")
        question = await request_reply.send(b"value")
        sender.deliveries[0].set_exception(NotLeaderForPartitionError())
        with pytest.raises(BrokerError, match="leads a partition of the topic catdogimage now"):
            await question.sent
        with pytest.raises(BrokerError):
            await question.reply

    play(scenario)


def test_when_answers_can_no_more_be_read_everybody_who_waits_is_told() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, _: list[Reply]
    ) -> None:
        waits, unconfirmed = await request_reply.send(b"value"), await request_reply.send(b"value")
        sender.confirm(0)
        await turns()
        assert request_reply.failure is None
        stream.fail()
        with pytest.raises(BrokerError, match="stopped answering"):
            await waits.reply
        sender.confirm(1)
        with pytest.raises(BrokerError):
            await unconfirmed.reply
        assert await unconfirmed.sent
        with pytest.raises(BrokerError):
            await request_reply.send(b"value")

    play(scenario)


def test_a_request_that_is_never_confirmed_has_no_more_than_so_much_kept() -> None:
    """Simulate many foreign answers while one of our requests is always unconfirmed."""

    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, _: list[Reply]
    ) -> None:
        await request_reply.send(b"never confirmed")
        for number in range(1, 3000):
            question = await request_reply.send(b"value")
            stream.put(reply(10_000 + number), large(20_000 + number))
            await turns()
            question.reply.cancel()
            sender.confirm(number)
            await turns()
            assert request_reply._early.bytes <= early_replies.MAX_BYTES
        assert len(request_reply._early) < early_replies.MAX_BYTES / early_replies.REPLY_BYTES

    play(scenario)


def test_what_was_read_before_the_oldest_unconfirmed_request_was_sent_is_not_kept() -> None:
    async def scenario(
        request_reply: RequestReply, sender: Sender, stream: Stream, _: list[Reply]
    ) -> None:
        await request_reply.send(b"value")
        for number in range(1, 200):  # one is always unconfirmed
            question = await request_reply.send(b"value")
            stream.put(reply(10_000 + number))
            await turns()
            sender.confirm(number - 1)
            await turns()
            assert len(request_reply._early) <= 1, "answers of others, from before it was sent"
            question.reply.cancel()
        last = await request_reply.send(b"value")
        stream.put(reply(200))
        await turns()
        sender.confirm(199)
        sender.confirm(200)
        assert (await last.reply).label == "label 200"

    play(scenario)


def large(offset: int) -> Reply:
    """Return a foreign rejection with its picture."""
    headers = [("source", f"{REQUESTS}/1/{offset}".encode())]
    return Reply(ConsumerRecord(LABELS, 0, 0, 0, 0, None, bytes(100_000), None, 0, 0, headers))
