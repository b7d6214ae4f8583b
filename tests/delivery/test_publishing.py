"""Tests of answers in Kafka: their partitions, their content, and their order."""

import asyncio
import math
import time as clock
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.app import build_app
from catdog_stream.delivery.label_writer import LabelWriter
from catdog_stream.delivery.publishing import KafkaPublisher, faust_timestamp
from catdog_stream.errors import BrokerError, Reason, Refusal, RejectedRequest
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.replies import replies
from catdog_stream.messages.wire import Headers, Incoming, Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.pipeline import Classified, Outcome
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from tests.support.configured import configured
from tests.support.metrics import broker_errors
from tests.support.names import LABELS, REJECTED, REQUESTS


@pytest.fixture(scope="module")
def small_topics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a broker of its own whose topics accept no picture."""
    with own_broker(tmp_path_factory.mktemp("publishing")) as broker:
        yield broker.address


CAT = Classified("dXJs", Verdict({"cat": 0.75, "dog": 0.25}, "test 1"))
BAD = RejectedRequest(Reason.NOT_JSON, "It is none.")
TIME = 1_700_000_000_123


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_survives_the_way_through_faust_to_the_millisecond(milliseconds: int) -> None:
    timestamp = faust_timestamp(milliseconds)
    assert timestamp is not None
    assert int(timestamp * 1000) == milliseconds  # as in Faust's producer


def incoming(
    offset: int,
    partition: int = 0,
    headers: Headers = (),
    key: bytes | None = b"key",
    time: int = TIME,
) -> Incoming:
    return Incoming(Source(REQUESTS, partition, offset), key, b"value", headers, time)


def published(
    address: str, scenario: Callable[[KafkaPublisher], Awaitable[None]], count: int
) -> list[ConsumerRecord]:
    """Return the records that ``scenario`` adds to Kafka."""

    async def run() -> list[ConsumerRecord]:
        # A limit of one byte for pictures: the producer accepts records of 160 KB at most.
        app = build_app(Settings(broker=f"kafka://{address}", max_image_bytes=1))
        partitions = await create_topics(app.settings.cluster)
        async with replies(app.settings.cluster) as stream:
            await app.producer.start()
            try:
                publisher = KafkaPublisher(
                    lambda: app.producer,
                    app.settings.cluster,
                    partitions=partitions.__getitem__,
                    max_bytes=app.settings.max_answer_bytes,
                    labels=LabelWriter.of(app.settings),
                )
                async with asyncio.timeout(30):
                    await scenario(publisher)
                    return [(await anext(stream)).record for _ in range(count)]
            finally:
                await app.producer.stop()

    return asyncio.run(run())


async def all_at_once(publisher: KafkaPublisher, answers: list[tuple[Incoming, Outcome]]) -> None:
    confirmations = [await publisher.publish(*answer) for answer in answers]
    for confirmation in confirmations:
        await confirmation


def test_answers_follow_the_format_of_the_requests() -> None:
    settings = Settings(
        request_format="auto", data_field="payload.image", label_format="json", max_image_bytes=1
    )
    publisher = build_app(settings).inference._publisher
    assert isinstance(publisher, KafkaPublisher)
    event = replace(
        incoming(5),
        value=b'{"payload":"%b"}' % (b"A" * settings.max_answer_bytes),
        headers=(("ce_id", b"7"),),
    )
    topic, label = publisher._answer(event, CAT)
    assert (topic, dict(label.headers).get("ce_id")) == (settings.cluster.names.labels, None)
    _, rejected = publisher._answer(event, BAD)
    assert (rejected.value, rejected.headers[0]) == (b'{"payload":null}', ("ce_id", b"7"))


@pytest.mark.integration
def test_an_answer_has_the_key_the_time_and_the_partition_of_its_request(
    small_topics: str,
) -> None:
    records = published(
        small_topics,
        lambda publisher: all_at_once(
            publisher, [(incoming(5, partition=3), CAT), (incoming(6, partition=11), BAD)]
        ),
        count=2,
    )
    found = {(record.topic, record.partition): record for record in records}
    assert set(found) == {(LABELS, 3), (REJECTED, 11 % 8)}
    for record in records:
        assert (record.key, record.timestamp) == (b"key", TIME)
    assert dict(found[LABELS, 3].headers)["source"] == b"catdogimage/3/5"
    assert found[REJECTED, 3].value == b"value"


@pytest.mark.integration
def test_what_cannot_be_written_is_rejected_in_its_place_not_behind_the_next(
    small_topics: str,
) -> None:
    # A rejection behind its successor would be counted as a repetition.
    heavy = incoming(0, headers=[("weight", b"x" * 600_000)])
    written: list[Outcome] = []

    async def scenario(publisher: KafkaPublisher) -> None:
        written.append(await (await publisher.publish(heavy, CAT)))
        written.append(await (await publisher.publish(incoming(1), BAD)))

    before = broker_errors("publish")
    records = published(small_topics, scenario, count=2)
    assert broker_errors("publish") == before + 1
    # The reported outcome is the written one, and it is the one that counts.
    assert isinstance(written[0], RejectedRequest)
    assert written[1] is BAD
    assert [dict(record.headers)["source"] for record in records] == [
        b"catdogimage/0/0",
        b"catdogimage/0/1",
    ]
    assert [dict(record.headers)["reason"] for record in records] == [b"too_large", b"not_json"]


def answers_of(records: list[ConsumerRecord]) -> dict[bytes, tuple[str, bytes | None]]:
    """Return topic and reason of each answer, by the source of its request."""
    headers = [(record, dict(record.headers)) for record in records]
    return {named["source"]: (record.topic, named.get("reason")) for record, named in headers}


@pytest.mark.integration
@pytest.mark.parametrize("time", [1_000, clock.time_ns() // 10**6 + 3 * 3_600_000, 2**63 - 1])
def test_an_answer_whose_time_is_refused_is_written_with_the_present_time(
    small_topics: str, time: int
) -> None:
    now = clock.time_ns() // 10**6
    answers: list[tuple[Incoming, Outcome]] = [
        (incoming(0, time=now), CAT),
        (incoming(1, time=time), CAT),
        (incoming(2, time=now), CAT),
        (incoming(3, time=time), BAD),
        (incoming(4, time=now), BAD),
    ]
    limit = {"message_timestamp_before_max_ms": 600_000}
    with configured(small_topics, LABELS, **limit), configured(small_topics, REJECTED, **limit):
        records = published(
            small_topics, lambda publisher: all_at_once(publisher, answers), count=5
        )
    assert answers_of(records) == {
        f"catdogimage/0/{offset}".encode(): (LABELS, None)
        if offset < 3
        else (REJECTED, b"not_json")
        for offset in range(5)
    }
    for record in records:
        if dict(record.headers)["source"][-1] in b"024":
            assert record.timestamp == now, "a neighbour keeps its time"
        else:
            assert now <= record.timestamp < now + 60_000


@pytest.mark.integration
def test_a_label_that_a_compacted_topic_refuses_costs_its_own_request_alone(
    small_topics: str,
) -> None:
    keys = [b"key", None, b"key", None, b"key"]
    answers: list[tuple[Incoming, Outcome]] = [
        (incoming(offset, key=key), CAT) for offset, key in enumerate(keys)
    ]
    with configured(small_topics, LABELS, cleanup_policy="compact"):
        records = published(
            small_topics, lambda publisher: all_at_once(publisher, answers), count=5
        )
    assert answers_of(records) == {
        f"catdogimage/0/{offset}".encode(): (
            (LABELS, None) if keys[offset] else (REJECTED, b"answer_refused")
        )
        for offset in range(5)
    }
    details = {dict(record.headers).get("detail", b"") for record in records}
    assert all(LABELS.encode() in detail for detail in details if detail)


@pytest.mark.integration
def test_where_no_answer_can_be_written_it_says_which_topic_refuses_it_and_why(
    small_topics: str,
) -> None:
    policy = {"cleanup_policy": "compact"}
    with (
        configured(small_topics, LABELS, **policy),
        configured(small_topics, REJECTED, **policy),
        pytest.raises(BrokerError, match=f"{REJECTED}.*key") as refused,
    ):
        published(
            small_topics,
            lambda publisher: all_at_once(publisher, [(incoming(0, key=None), CAT)]),
            count=0,
        )
    assert refused.value.refusal is Refusal.RECORD


@pytest.mark.integration
def test_labels_that_are_too_large_together_are_written_one_by_one(small_topics: str) -> None:
    answers: list[tuple[Incoming, Outcome]] = [(incoming(offset), CAT) for offset in range(20)]
    with configured(small_topics, LABELS, max_message_bytes=600):
        records = published(
            small_topics, lambda publisher: all_at_once(publisher, answers), count=20
        )
    assert {topic for topic, _ in answers_of(records).values()} == {LABELS}


@pytest.mark.integration
def test_an_answer_of_which_no_record_can_be_made_costs_its_own_request_alone(
    small_topics: str,
) -> None:
    broken = Classified("dXJs", Verdict({"cat": math.nan, "dog": math.nan}, "test 1"))
    answers: list[tuple[Incoming, Outcome]] = [(incoming(0), broken), (incoming(1), CAT)]
    records = published(small_topics, lambda publisher: all_at_once(publisher, answers), count=2)
    assert answers_of(records) == {
        b"catdogimage/0/0": (REJECTED, b"internal_error"),
        b"catdogimage/0/1": (LABELS, None),
    }
