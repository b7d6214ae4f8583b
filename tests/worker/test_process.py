"""Tests of the end of a worker process."""

import asyncio

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from catdog_stream import deadlines
from catdog_stream.app import build_app
from catdog_stream.patches.topic_creation import TopicNotCreatedError
from catdog_stream.settings import Settings
from catdog_stream.worker.process import Worker


def refused_creation(topic: str) -> KafkaError:
    """Return the refusal of a topic as Faust raises it, with a sentence of its own."""
    error = TopicNotCreatedError(topic)
    error.__cause__ = TopicAuthorizationFailedError(f"Cannot create topic: {topic} (29): None")
    return error


def test_nothing_is_waited_for_when_nothing_is_left() -> None:
    async def end() -> None:
        async with asyncio.timeout(deadlines.LAST_TASKS / 2):
            await _worker()._sentinel_task()

    asyncio.run(end())


def test_what_was_cancelled_may_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    async def end() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await _worker()._sentinel_task()

    asyncio.run(end())
    assert cleaned == [True]


def test_what_does_not_end_is_left_behind() -> None:
    async def end() -> None:
        endless = asyncio.create_task(asyncio.Event().wait())
        async with asyncio.timeout(deadlines.LAST_TASKS + 5):
            await _worker()._sentinel_task()
        assert not endless.done()
        endless.cancel()

    asyncio.run(end())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            refused_creation("catdog_stream-__assignor-__leader"),
            "There is no topic catdog_stream-__assignor-__leader, and Kafka does not let anonymous "
            "users create it: create it, or grant Create on the topic "
            "catdog_stream-__assignor-__leader.",
        ),
        (
            GroupAuthorizationFailedError("catdog_stream"),
            "Kafka does not let anonymous users read the group catdog_stream: grant Read on the "
            "group catdog_stream.",
        ),
    ],
)
def test_an_error_of_kafka_ends_it_with_a_sentence(
    error: KafkaError, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def end() -> int:
        return _worker()._say_why(error)

    assert asyncio.run(end()) == 1
    assert capsys.readouterr().err == f"Error: {sentence}\n"


def _worker() -> Worker:
    return Worker(build_app(Settings()), loop=asyncio.get_running_loop())
