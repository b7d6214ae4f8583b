"""Tests of the conditions under which a worker commits, acknowledges and writes its counts."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaTimeoutError,
    NoError,
    NotCoordinatorForGroupError,
    OffsetMetadataTooLargeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.exceptions import ProducerSendError
from faust.types import TP

from catdog_stream import deadlines
from catdog_stream.app import build_app
from catdog_stream.delivery.suspects import Suspects
from catdog_stream.settings import Settings
from tests.support.metrics import broker_errors

REQUESTS = TP("catdogimage", 0)
DEADLINE = 10.0


def consumer(generation: int = 7) -> Any:
    """Return the consumer of an application without a connection, with an assigned partition."""
    it = cast(Any, build_app(Settings()).consumer)
    it.cluster = None  # no logs to compare with
    it.app.topics.acks_enabled_for = lambda _topic: True
    it.app.consumer_generation_id = it._taken_over = generation
    it.assignment = lambda: {REQUESTS}
    return it


class Record(SimpleNamespace):
    """Message of Faust, with the fields that the consumer reads."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def message(generation: int, offset: int = 0) -> Any:
    return Record(
        tracked=True,
        acked=False,
        generation_id=generation,
        tp=REQUESTS,
        topic=REQUESTS.topic,
        offset=offset,
    )


def delivered(it: Any, offset: int) -> Any:
    """Return a message of the current generation that the consumer has delivered to its agent."""
    it._tracker(REQUESTS).deliver(offset)
    return message(it.app.consumer_generation_id, offset)


def committed_by(it: Any) -> list[dict[TP, tuple[int, str]]]:
    """Let Kafka accept every commit of a consumer; return the list that they are added to."""
    committed: list[dict[TP, tuple[int, str]]] = []

    async def commit_as(_generation: int, offsets: dict[TP, tuple[int, str]]) -> bool:
        committed.append(offsets)
        return True

    it._thread.commit_as = commit_as
    return committed


def test_behind_what_was_handed_back_nothing_is_acknowledged_in_that_generation() -> None:
    async def scenario() -> None:
        it = consumer()
        handed_back: list[bool] = []

        async def abandon() -> None:
            handed_back.append(True)

        it.on_drain_timeout = abandon
        first, behind = message(7), message(7)
        assert it.is_current(behind)
        it._unacked_messages = {id(first)}
        await it.wait_empty()
        assert handed_back
        assert not it.ack(behind)
        it.app.consumer_generation_id = it._taken_over = 8
        assert it.is_current(message(8))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadlines, "DRAIN", 0.05)
        asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_nothing_is_committed_or_acknowledged_before_the_counts_are_restored() -> None:
    """Check recovery: positions are right and counts are not yet, and both are written together."""

    async def scenario() -> None:
        it = consumer()
        table = it.app.Table("numbers", partitions=1, follows=REQUESTS.topic)
        table.copy_to_changelog = lambda *_copied: None
        asked: list[object] = []

        async def commit_as(*write: object) -> bool:
            asked.append(write)
            return True

        async def committed() -> dict[TP, OffsetAndMetadata]:
            assert not it.ack(message(8, 60)), "it would count on what is not there yet"
            await it._commit_tps([REQUESTS], start_new_transaction=False)
            shard = {"labels": {"cat": 50}, "rejections": {}, "offset": 50}
            return {REQUESTS: OffsetAndMetadata(50, orjson.dumps(shard).decode())}

        it._thread.commit_as = commit_as
        it.go_to_committed = committed
        assert it.ack(message(7, 40))
        it.app.consumer_generation_id = 8
        table.data[0] = {"labels": {"cat": 3}, "rejections": {}, "offset": 3}  # the count so far
        it._read_to = {REQUESTS: 50}
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        await it.perform_seek()
        assert not asked
        assert table.data[0]["labels"] == {"cat": 50}
        assert it.ack(message(8, 50))
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert len(asked) == 1

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_revoked_partition_of_which_nothing_was_read_is_not_committed_at_its_beginning() -> None:
    """Check a revocation just after the start: Faust has forgotten the committed offset by then."""

    async def scenario() -> None:
        it = consumer()
        committed = committed_by(it)
        it.suspects = Suspects({REQUESTS.topic})
        it.suspects.take_over({REQUESTS: OffsetAndMetadata(298, "")})
        it._committed_offset[REQUESTS] = 298
        await it._commit_if_possible()
        assert [offsets[REQUESTS][0] for offsets in committed] == [298]
        del it._committed_offset[REQUESTS]
        await it._commit_if_possible()
        assert len(committed) == 1, "it would have everything answered again"

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_the_beginning_is_committed_where_it_is_known() -> None:
    """Check a first request that is processed alone: a commit before it says which one it is."""

    async def scenario() -> None:
        it = consumer()
        committed = committed_by(it)
        it._tracker(REQUESTS).deliver(0)
        it._corrected.add(REQUESTS)
        await it.commit()
        assert [offsets[REQUESTS][0] for offsets in committed] == [0]

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


OTHER = TP("catdogimage", 1)
MANY = {f"class {number}": number for number in range(1, 1001)}


@pytest.mark.parametrize("error", [KafkaTimeoutError(), ProducerSendError("full"), None])
def test_a_snapshot_that_cannot_be_written_delays_its_own_partition_alone(
    error: Exception | None,
) -> None:
    """Check a changelog whose leader is away; a correction that comes meanwhile is not lost."""

    async def scenario() -> None:
        it = consumer()
        it.assignment = lambda: {REQUESTS, OTHER}
        table = it.app.Table("numbers", partitions=2, follows=REQUESTS.topic)
        table.copy_to_changelog = lambda *_copied: None
        table.data[0] = {"labels": {"cat": 3}, "rejections": {}, "offset": 3}
        table.data[1] = {"labels": MANY, "rejections": {}, "offset": 3}
        fails = True

        async def write_snapshot(_partition: int, _shard: object) -> str:
            it._corrected |= {REQUESTS, OTHER}
            if fails and error is not None:
                raise error
            if fails:
                await asyncio.Event().wait()
            return "named"

        committed = committed_by(it)
        table.write_snapshot = write_snapshot
        it._read_to = {REQUESTS: 3, OTHER: 3}
        await it._commit_tps([REQUESTS, OTHER], start_new_transaction=False)
        assert [set(offsets) for offsets in committed] == [{REQUESTS}]
        fails = False
        await it._commit_tps([REQUESTS, OTHER], start_new_transaction=False)
        assert [set(offsets) for offsets in committed[1:]] == [{REQUESTS}, {OTHER}]
        assert committed[2][OTHER] == (3, "named")
        assert it._corrected == {REQUESTS, OTHER}, "the correction came while it was written"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadlines, "PRODUCE", 0.05)
        asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_commit_that_failed_is_made_again_with_what_has_come_since() -> None:
    async def scenario() -> None:
        it = consumer()
        answers = iter([False, True])
        asked: list[tuple[int, object]] = []

        async def commit_as(generation: int, offsets: object) -> bool:
            asked.append((generation, offsets))
            return next(answers)

        it._thread.commit_as = commit_as
        for offset in (3, 4):
            assert it.ack(delivered(it, offset))
            await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert asked == [(7, {REQUESTS: (4, "")}), (7, {REQUESTS: (5, "")})]
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert len(asked) == 2, "it is committed"

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_worker_marks_what_it_takes_over_until_it_ends_in_good_order() -> None:
    async def scenario() -> None:
        it = consumer()
        asked: list[Any] = []

        async def commit_as(_generation: int, offsets: Any) -> bool:
            asked.append(offsets[REQUESTS])
            return True

        async def committed() -> dict[TP, OffsetAndMetadata]:
            it._committed_offset[REQUESTS] = 3
            return {REQUESTS: OffsetAndMetadata(3, '{"begun":1}')}

        it._thread.commit_as = commit_as
        it.go_to_committed = committed
        await it.perform_seek()
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert asked == [(3, '{"begun":2}')], "once"
        assert it.ack(delivered(it, 3))
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert asked[1:] == [(4, '{"begun":1}')], "it got further"
        it.in_good_order = lambda: False
        await it._commit_if_possible()
        assert len(asked) == 2, "it dies of a request"
        it.in_good_order = lambda: True
        await it._commit_if_possible()
        assert asked[2:] == [(4, "")]

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_marks_of_transactions_between_requests_hold_up_no_commit() -> None:
    """Use a log with control records, in which the offsets of requests have gaps."""

    async def scenario() -> None:
        it = consumer()
        for offset in range(0, 600, 2):
            assert it.ack(delivered(it, offset))
        assert it._committable(REQUESTS) == 599

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


@pytest.mark.parametrize(
    ("generation", "code", "taken"),
    [
        (7, NoError.errno, True),
        (7, IllegalGenerationError.errno, False),
        (7, UnknownMemberIdError.errno, False),
        (7, RebalanceInProgressError.errno, False),
        (7, NotCoordinatorForGroupError.errno, False),
        (6, NoError.errno, False),  # never sent: the worker rejoined the group meanwhile
    ],
)
def test_offsets_are_committed_in_the_name_of_their_generation_or_not_at_all(
    generation: int, code: int, taken: bool
) -> None:
    sent: list[Any] = []

    class Coordinator:
        group_id, generation, member_id = "group", 7, "member"

        async def _send_req(self, request: Any) -> Any:
            sent.append(request)
            return SimpleNamespace(topics=[("catdogimage", [(0, code)])])

        def coordinator_dead(self) -> None:
            pass

    thread = consumer()._consumer_thread
    thread._ensure_consumer = lambda: SimpleNamespace(_coordinator=Coordinator())
    assert asyncio.run(thread._commit_as(generation, {REQUESTS: (5, "{}")})) is taken
    assert len(sent) == (generation == Coordinator.generation)


def test_metadata_that_kafka_will_never_take_is_an_error() -> None:
    class Coordinator:
        group_id, generation, member_id = "group", 7, "member"

        async def _send_req(self, _request: Any) -> Any:
            code = OffsetMetadataTooLargeError.errno
            return SimpleNamespace(topics=[("catdogimage", [(0, code)])])

    thread = consumer()._consumer_thread
    thread._ensure_consumer = lambda: SimpleNamespace(_coordinator=Coordinator())
    with pytest.raises(OffsetMetadataTooLargeError):
        asyncio.run(thread._commit_as(7, {REQUESTS: (5, "{}")}))


@pytest.mark.parametrize(
    ("code", "errors"),
    [
        (NoError.errno, 0),
        (RebalanceInProgressError.errno, 0),  # no error: the worker lost its place
        (NotCoordinatorForGroupError.errno, 1),
    ],
)
def test_offsets_that_kafka_does_not_take_are_an_error_but_for_a_lost_place(
    code: int, errors: int
) -> None:
    class Coordinator:
        group_id, generation, member_id = "group", 7, "member"

        async def _send_req(self, _request: Any) -> Any:
            return SimpleNamespace(topics=[("catdogimage", [(0, code)])])

        def coordinator_dead(self) -> None:
            pass

    thread = consumer()._consumer_thread
    thread._ensure_consumer = lambda: SimpleNamespace(_coordinator=Coordinator())
    before = broker_errors("commit")
    asyncio.run(thread._commit_as(7, {REQUESTS: (5, "{}")}))
    assert broker_errors("commit") == before + errors


def test_a_commit_at_a_rebalance_is_bounded_even_behind_one_that_hangs() -> None:
    async def scenario() -> None:
        it = consumer()
        hangs = asyncio.Event()
        it._commit_fut = asyncio.get_running_loop().create_future()
        it._thread.commit_as = lambda *_: hangs.wait()
        began = time.monotonic()
        await it._commit_if_possible()
        assert time.monotonic() - began < 1
        assert not it._commit_fut.cancelled(), "it belongs to another task"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadlines, "LAST_COMMIT", 0.1)
        asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_the_last_commit_has_what_was_acknowledged_while_another_was_under_way() -> None:
    async def scenario() -> None:
        it = consumer()
        asked: list[object] = []
        under_way, go_on = asyncio.Event(), asyncio.Event()

        async def commit_as(_generation: int, offsets: object) -> bool:
            asked.append(offsets)
            under_way.set()
            await go_on.wait()
            return True

        it._thread.commit_as = commit_as
        assert it.ack(delivered(it, 3))
        periodic = asyncio.create_task(it.commit())
        await under_way.wait()
        assert it.ack(delivered(it, 4))
        last = asyncio.create_task(it.wait_empty())
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(periodic, last)
        assert asked == [{REQUESTS: (4, "")}, {REQUESTS: (5, "")}]

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))
