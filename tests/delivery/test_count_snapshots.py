"""Tests of counts that are too large for the metadata of an offset."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.app import build_app
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.count_snapshots import (
    Reference,
    Snapshot,
    new_key,
    reference_in,
    resolved,
)
from catdog_stream.delivery.counting import (
    MAX_METADATA_BYTES,
    Shard,
    counted,
    from_metadata,
    marked,
)
from catdog_stream.delivery.marks import mark_of
from catdog_stream.settings import Settings

DEADLINE = 10.0


def shard_of(labels: Mapping[str, int], offset: int) -> Shard:
    return {"labels": dict(labels), "rejections": {"timeout": 2}, "offset": offset}


MANY = {f"class {number}": number for number in range(1, 1001)}


def reference_of(text: str | None) -> Reference:
    found = reference_in(text or "")
    assert found is not None
    return found


class Changelog:
    """Partition of a changelog, with what compaction does to it."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Any]] = []

    def write(self, key: int, value: Any) -> int:
        self.records.append((key, value))
        return len(self.records) - 1

    async def send(self, *, key: int, value: Any, **_: Any) -> Any:
        position = self.write(key, orjson.loads(orjson.dumps(value)))

        async def confirmed() -> Any:
            return SimpleNamespace(offset=position)

        return confirmed()

    def sent(self, key: int, value: Any) -> Any:
        """Write, and return the record as Faust's future of it."""
        position = self.write(key, value)
        future = SimpleNamespace(
            cancelled=lambda: False,
            exception=lambda: None,
            result=lambda: SimpleNamespace(offset=position),
        )
        future.add_done_callback = lambda callback: callback(future)
        return future

    def compacted(self) -> dict[int, tuple[int, Any]]:
        """Return position to key and value of the records that compaction keeps."""
        last = {key: position for position, (key, _) in enumerate(self.records)}
        kept = {position: self.records[position] for position in last.values()}
        return {at: record for at, record in kept.items() if record[1] is not None}

    def snapshot(self, reference: Reference | None) -> Snapshot | None:
        if reference is None or reference.position not in (kept := self.compacted()):
            return None
        key, value = kept[reference.position]
        assert key == reference.key
        return Snapshot(reference.position, key, value)


@pytest.fixture
def changelog() -> Changelog:
    return Changelog()


def table_on(changelog: Changelog, monkeypatch: pytest.MonkeyPatch) -> CommittedTable:
    """Return a new worker's table, with all of the changelog read."""
    app = build_app(Settings())
    table = cast(CommittedTable, app.Table("numbers", partitions=2, follows="catdogimage"))
    monkeypatch.setattr(table.changelog_topic, "send", changelog.send)
    monkeypatch.setattr(
        table,
        "send_changelog",
        lambda _partition, key, value, *_serializers: changelog.sent(key, value),
    )
    table.apply_changelog_batch(
        [
            cast(
                Any,
                SimpleNamespace(
                    key=k,
                    value=v,
                    message=SimpleNamespace(
                        partition=0, key=str(k).encode(), value=orjson.dumps(v), offset=at
                    ),
                ),
            )
            for at, (k, v) in enumerate(changelog.records)
        ]
    )
    return table


def committed(table: CommittedTable, *, accepted: bool = True) -> str:
    """Commit partition 0 as the consumer does; return the metadata."""
    state = table.to_commit(0)
    if isinstance(state, str):
        text: str | None = state
    else:
        text = asyncio.run(asyncio.wait_for(table.write_snapshot(0, state), DEADLINE))
    assert text is not None
    if accepted:
        table.copy_to_changelog(0, text)
    return text


def restored(table: CommittedTable, metadata: str, changelog: Changelog) -> Shard:
    reference = table.references({0: metadata}).get(0)
    table.restore(0, metadata, reference, changelog.snapshot(reference))
    return cast(Shard, table.data[0])


def test_counts_of_a_thousand_names_are_a_snapshot_and_the_changes_since(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 500_500)
    first = committed(table)
    assert len(first.encode()) < MAX_METADATA_BYTES
    table[0] = counted(table[0], "labels", "class 7", 500_500) or table[0]
    table[0] = marked(table[0], mark_of(500_500, 1.0, b"x"))
    second = committed(table)
    assert reference_of(second).key == reference_of(first).key, "the changes fit"
    assert reference_of(second).since == {"labels": {"class 7": 1}, "rejections": {}}
    successor = table_on(changelog, monkeypatch)
    assert restored(successor, second, changelog) == table[0]
    assert reference_of(committed(successor)) == reference_of(second)


def test_a_new_snapshot_is_written_when_the_changes_do_not_fit(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)
    first = reference_of(committed(table))
    table[0] = shard_of({name: count + 1 for name, count in MANY.items()}, 2)
    text = committed(table)
    assert reference_of(text).key != first.key
    assert first.key not in {key for key, _ in changelog.compacted().values()}, "it is deleted"
    assert restored(table_on(changelog, monkeypatch), text, changelog) == table[0]


def test_a_snapshot_stays_until_a_commit_that_names_another_one_is_accepted(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)
    accepted = committed(table)
    for number in range(3):  # its own commits fail, and those of a worker that was cut off
        table[0] = shard_of({name: count + number for name, count in MANY.items()}, 2 + number)
        committed(table, accepted=False)
    assert restored(table_on(changelog, monkeypatch), accepted, changelog)["labels"] == MANY


def test_a_successor_deletes_what_a_dead_worker_has_left(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)
    accepted = committed(table)
    table[0] = shard_of({name: count + 1 for name, count in MANY.items()}, 2)
    committed(table, accepted=False)  # and the worker dies
    successor = table_on(changelog, monkeypatch)
    restored(successor, accepted, changelog)
    text = committed(successor)
    kept = {key for key, _ in changelog.compacted().values()}
    assert kept == {0, reference_of(text).key}


def test_a_worker_that_gets_a_partition_back_deletes_what_others_have_named_meanwhile(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, other = (table_on(changelog, monkeypatch) for _ in range(2))
    table[0] = shard_of(MANY, 1)
    restored(other, committed(table), changelog)
    other[0] = shard_of({name: count + 1 for name, count in MANY.items()}, 2)
    restored(table, committed(other), changelog)
    table[0] = shard_of({name: count + 2 for name, count in MANY.items()}, 3)
    text = committed(table)
    assert {key for key, _ in changelog.compacted().values()} == {0, reference_of(text).key}


def unconfirmed(
    table: CommittedTable, changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> "asyncio.Future[Any]":
    """Let a table write without confirmation; return the future that confirms."""
    confirmed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def send(*, key: int, value: Any, **_: Any) -> Any:
        changelog.write(key, value)
        return confirmed

    monkeypatch.setattr(table.changelog_topic, "send", send)
    return confirmed


def test_a_snapshot_that_is_confirmed_late_is_not_named_by_who_got_the_partition_back(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check a write whose partition moved away and back: others may have deleted its record."""
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)

    async def scenario() -> str | None:
        confirmed = unconfirmed(table, changelog, monkeypatch)
        write = asyncio.ensure_future(table.write_snapshot(0, table[0]))
        await asyncio.sleep(0)
        table.restore(0, "")
        confirmed.set_result(SimpleNamespace(offset=0))
        return await write

    assert asyncio.run(asyncio.wait_for(scenario(), DEADLINE)) is None
    assert not isinstance(table.to_commit(0), str), "a new one is needed"


def test_an_unconfirmed_snapshot_is_waited_for_and_not_written_again(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)

    async def scenario() -> str | None:
        confirmed = unconfirmed(table, changelog, monkeypatch)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(table.write_snapshot(0, table[0]), 0.01)
        confirmed.set_result(SimpleNamespace(offset=0))
        return await table.write_snapshot(0, table[0])

    text = asyncio.run(asyncio.wait_for(scenario(), DEADLINE))
    assert (reference_of(text).position, len(changelog.records)) == (0, 1)


def test_when_the_changelog_was_created_again_the_next_commit_writes_a_new_snapshot(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 1)
    committed(table)
    changelog.records.clear()
    committed(table)
    text = committed(table)
    assert reference_of(text).position > 0
    assert restored(table_on(changelog, monkeypatch), text, changelog) == table[0]


def test_without_committed_offsets_the_copy_names_the_snapshot(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 77)
    committed(table)
    assert restored(table_on(changelog, monkeypatch), "", changelog) == table[0]


def test_counts_that_shrink_are_text_again_and_the_snapshot_is_deleted(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 5)
    committed(table)
    table[0] = shard_of({"cat": 5}, 6)  # after a recount
    text = committed(table)
    assert from_metadata(text) == table[0]
    assert {key for key, _ in changelog.compacted().values()} == {0}
    assert restored(table_on(changelog, monkeypatch), "", changelog) == table[0]


def test_a_lost_snapshot_is_said_and_the_offset_stays(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = table_on(changelog, monkeypatch)
    table[0] = shard_of(MANY, 500_500)
    text = committed(table)
    successor = table_on(Changelog(), monkeypatch)
    shard = restored(successor, text, Changelog())
    assert (shard["labels"], shard["offset"]) == ({}, 500_500)
    assert "recount" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"labels":{},"rejections":{},"offset":1}',
        '{"snapshot":[1],"since":{"labels":{},"rejections":{}},"offset":1}',
        '{"snapshot":[-1,2],"since":{"labels":{},"rejections":{}},"offset":1}',
        '{"snapshot":[1,-2],"since":{"labels":{}},"offset":1}',
        '{"snapshot":[1,-2],"since":{"labels":{},"rejections":{}}}',
    ],
)
def test_what_another_client_committed_is_no_reference(text: str) -> None:
    assert reference_in(text) is None


counts = st.dictionaries(st.sampled_from([f"n{n}" for n in range(30)]), st.integers(1, 9))


@given(counts, counts)
def test_any_change_since_a_snapshot_comes_back(
    before: dict[str, int], after: dict[str, int]
) -> None:
    snapshot = Snapshot(3, new_key(), shard_of(before, 4))
    shard = marked(shard_of(after, 9), mark_of(8, None, None))
    shard["recount"] = 12
    assert resolved(reference_of(snapshot.metadata(shard)), snapshot) == shard
