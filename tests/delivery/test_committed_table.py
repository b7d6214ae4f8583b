"""Tests of a table whose values are in the commits' metadata and are copied to a changelog."""

from typing import cast

import pytest

from catdog_stream.app import build_app
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import Shard, marked, to_metadata
from catdog_stream.delivery.marks import mark_of
from catdog_stream.settings import Settings


def shard(cats: int, offset: int) -> Shard:
    return {"labels": {"cat": cats}, "rejections": {}, "offset": offset}


@pytest.fixture
def table() -> CommittedTable:
    app = build_app(Settings())
    return cast(CommittedTable, app.Table("numbers", partitions=2, follows="catdogimage"))


@pytest.fixture
def changelog(
    table: CommittedTable, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, int, Shard]]:
    """Return the records of the changelog: partition, key, value."""
    sent: list[tuple[int, int, Shard]] = []
    monkeypatch.setattr(table, "send_changelog", lambda *change: sent.append(change))
    return sent


def test_a_change_waits_for_the_commit(
    table: CommittedTable, changelog: list[tuple[int, int, Shard]]
) -> None:
    table[1] = shard(3, 5)
    assert not changelog
    assert table.to_commit(1) == to_metadata(shard(3, 5))
    assert table.to_commit(0) == ""
    table.copy_to_changelog(1, to_metadata(shard(3, 5)) or "")
    assert changelog == [(1, 1, shard(3, 5))]


def test_a_partition_that_the_changelog_has_not_got_yet_is_not_copied(
    table: CommittedTable, changelog: list[tuple[int, int, Shard]]
) -> None:
    table[2] = shard(1, 1)
    table.copy_to_changelog(2, to_metadata(shard(1, 1)) or "")
    assert not changelog


def test_what_was_committed_takes_the_place_of_what_was_only_counted(table: CommittedTable) -> None:
    table[0] = shard(9, 12)  # of an old generation, or of a late copy
    table.restore(0, to_metadata(shard(7, 10)) or "")
    assert table[0] == shard(7, 10)


@pytest.mark.parametrize("metadata", ["", "{}", "not json", '{"labels": 1}', "null"])
def test_where_nothing_was_committed_the_copy_counts(table: CommittedTable, metadata: str) -> None:
    table[0] = shard(7, 10)
    table.restore(0, metadata)
    assert table[0] == shard(7, 10)


def test_a_log_that_begins_again_is_counted_from_there_beside_what_was_counted(
    table: CommittedTable,
) -> None:
    table[0] = marked(shard(7, 40), mark_of(16, 1, b""))
    table[0] = marked(table[0], mark_of(39, 2, b""))
    assert table.marks(0)[0][0] == 39
    table.begin_again("catdogimage", 0, 17)
    assert table.counted_up_to(0) == 17
    assert {mark[0] for mark in table.marks(0)} == {16}
    assert table[0]["labels"] == {"cat": 7}
    table.begin_again("catdogimage", 0, 0)
    assert (table.counted_up_to(0), table.marks(0)) == (0, [])
    table.begin_again("catdogimage", 1, 0)
    assert table.counted_up_to(1) == 0, "nothing was counted there"


def test_a_jury_counts_by_the_offsets_of_requests_and_has_marks_of_votes() -> None:
    app = build_app(Settings())
    made = app.Table("numbers", partitions=2, follows="catdogvote", counts="catdogimage")
    table = cast(CommittedTable, made)
    table[0] = marked(shard(7, 40), mark_of(99, 2, b""))
    table.begin_again("catdogvote", 0, 0)
    assert (table.counted_up_to(0), table.marks(0)) == (40, [])
    table[0] = marked(shard(7, 40), mark_of(99, 2, b""))
    table.begin_again("catdogimage", 0, 0)
    assert (table.counted_up_to(0), len(table.marks(0))) == (0, 5)
