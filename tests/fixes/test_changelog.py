"""A table writes its changes when it is asked to, and knows which of them Kafka has confirmed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from faust.types import TP, FutureMessage

from catdog_stream.application import CatDogApp
from catdog_stream.fixes.changelog import ConfirmedTable
from catdog_stream.settings import Settings

SECONDS = 10.0


def play(
    story: Callable[[ConfirmedTable, list[asyncio.Future[Any]]], Coroutine[Any, Any, None]],
) -> None:
    """Run ``story`` with a table and two changes of it that are on their way to Kafka."""

    async def run() -> None:
        table = cast(ConfirmedTable, CatDogApp(Settings()).Table("numbers"))
        changes = [asyncio.get_running_loop().create_future() for _ in range(2)]
        table._unconfirmed.update(cast(list[FutureMessage], changes))
        async with asyncio.timeout(SECONDS):
            await story(table, changes)

    asyncio.run(run())


def test_it_waits_for_every_change() -> None:
    async def story(table: ConfirmedTable, changes: list[asyncio.Future[Any]]) -> None:
        waiting = asyncio.create_task(table.confirmed())
        changes[0].set_result(None)
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        changes[1].set_result(None)
        await waiting
        await table.confirmed()  # nothing is left to wait for

    play(story)


def test_a_change_that_kafka_refused_is_an_error_now_and_later() -> None:
    async def story(table: ConfirmedTable, changes: list[asyncio.Future[Any]]) -> None:
        changes[0].set_result(None)
        changes[1].set_exception(ConnectionError("Kafka is gone"))
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await table.confirmed()

    play(story)


def test_whoever_gives_up_waiting_does_not_take_the_changes_with_him() -> None:
    """A commit has a time limit; a change that it cancelled would cancel every later commit."""

    async def story(table: ConfirmedTable, changes: list[asyncio.Future[Any]]) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(table.confirmed(), 0.01)
        for change in changes:
            change.set_result(None)
        await table.confirmed()

    play(story)


class Changelog:
    """What a table with two partitions writes, as long as they are assigned to its worker."""

    def __init__(self, table: ConfirmedTable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table = table
        self.sent: list[tuple[object, ...]] = []
        self.assigned = {0, 1}
        topic = table.changelog_topic_name
        monkeypatch.setattr(
            table.app.consumer, "assignment", lambda: {TP(topic, n) for n in self.assigned}
        )
        monkeypatch.setattr(table, "partition_for_key", lambda key: key % 2)
        monkeypatch.setattr(table, "send_changelog", lambda *change: self.sent.append(change))

    def set(self, key: int, value: str) -> None:
        self.table.data[key] = value
        self.table.on_key_set(key, value)


def test_only_the_latest_value_of_a_key_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(table: ConfirmedTable, _changes: object) -> None:
        changelog = Changelog(table, monkeypatch)
        for key, value in ((1, "a"), (2, "b"), (1, "c")):
            changelog.set(key, value)
        assert not changelog.sent
        for _ in range(2):
            table.send_changes()
            assert changelog.sent == [(1, 1, "c"), (0, 2, "b")]

    play(story)


def test_a_worker_writes_nothing_into_what_belongs_to_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one counts on; the value that comes back with the partition is the right one."""

    async def story(table: ConfirmedTable, _changes: object) -> None:
        changelog = Changelog(table, monkeypatch)
        changelog.set(1, "ours")
        changelog.assigned = {0}
        table.send_changes()
        assert not changelog.sent
        table.data[1] = "theirs"  # recovery
        changelog.assigned = {0, 1}
        table.send_changes()
        assert changelog.sent == [(1, 1, "theirs")]

    play(story)
