"""Tests of votes in Kafka: their partitions, and the message if a vote cannot be written."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from catdog_stream.app import build_app
from catdog_stream.delivery.voting import VotePublisher
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.kafka.cluster import create_topics, create_votes, topic_partitions
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Headers, Incoming, Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.pipeline import Classified
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from tests.support.names import REQUESTS, VOTES

pytestmark = pytest.mark.integration

CAT = Verdict({"cat": 0.75, "dog": 0.25}, "test 1")
CLASSIFIED = Classified("dXJs", CAT, {"url": "dXJs", "mine": [1], "data": None})
PARTITIONS = 2
LONG_AGO = 1_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a broker of its own whose topics have few partitions and accept no picture."""
    with own_broker(tmp_path_factory.mktemp("voting")) as started:
        yield started.address


def incoming(partition: int, offset: int, headers: Headers = ()) -> Incoming:
    return Incoming(Source(REQUESTS, partition, offset), b"\xff", b"value", headers, LONG_AGO)


@pytest.mark.long
def test_a_vote_stands_in_the_partition_of_its_request_and_says_all_that_an_answer_needs(
    broker: str,
) -> None:
    async def scenario() -> None:
        settings = Settings(broker=f"kafka://{broker}", max_image_bytes=1, partitions=PARTITIONS)
        app = build_app(settings)
        await create_topics(settings.cluster)
        partitions = await create_votes(settings.cluster, PARTITIONS)
        assert partitions[VOTES] == PARTITIONS
        publisher = VotePublisher(
            lambda: app.producer,
            voter="lite",
            weight={"test 1": 2.5}.__getitem__,
            cluster=settings.cluster,
        )
        heavy = [("weight", b"x" * 600_000)]
        await app.producer.start()
        try:
            sent = [
                await publisher.publish(incoming(1, 5, [("a", b"\xff")]), CLASSIFIED),
                await publisher.publish(
                    incoming(1, 6), RejectedRequest(Reason.NOT_AN_IMAGE, "None.")
                ),
                # Larger than the producer accepts.
                await publisher.publish(incoming(1, 7, heavy), CLASSIFIED),
                # A partition that was added to the requests meanwhile.
                await publisher.publish(incoming(4, 0), CLASSIFIED),
            ]
            outcomes = [await each for each in sent]
        finally:
            await app.producer.stop()
        assert (await topic_partitions(settings.cluster))[VOTES] == 5
        assert isinstance(outcomes[2], RejectedRequest)
        first, second, third = [vote for vote, _ in await votes(broker, 1, 3)]
        assert first == Vote(
            *("lite", Source(REQUESTS, 1, 5), CAT, 2.5, b"\xff", "dXJs", CLASSIFIED.fields),
            (("a", b"\xff"),),
            LONG_AGO,
        )
        assert isinstance(second.answer, RejectedRequest)
        assert second.answer.reason is Reason.NOT_AN_IMAGE
        assert isinstance(third.answer, RejectedRequest)
        assert (third.source.offset, third.answer.reason) == (7, Reason.TOO_LARGE)
        ((added, time_ms),) = await votes(broker, 4, 1)
        assert added.source == Source(REQUESTS, 4, 0)
        assert time_ms > LONG_AGO, "Kafka would delete it before it is read"

    asyncio.run(asyncio.wait_for(scenario(), 60))


async def votes(address: str, partition: int, count: int) -> list[tuple[Vote, int]]:
    """Return the votes of a partition, and their times."""
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as reader:
        reader.assign([TopicPartition(VOTES, partition)])
        found = []
        for _ in range(count):
            record = await reader.getone()
            vote = Vote.parse(record.value)
            assert vote is not None
            found.append((vote, record.timestamp))
        return found
