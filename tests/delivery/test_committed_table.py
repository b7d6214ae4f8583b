"""A table whose values travel with the committed offsets, and are copied to a changelog."""

from typing import cast

import pytest

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import Shard, to_metadata
from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp


def shard(cats: int, offset: int) -> Shard:
    return {"labels": {"cat": cats}, "rejections": {}, "offset": offset}


@pytest.fixture
def table() -> CommittedTable:
    app = CatDogApp(Settings())
    return cast(CommittedTable, app.Table("numbers", partitions=2, follows="catdogimage"))


@pytest.fixture
def changelog(
    table: CommittedTable, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, int, Shard]]:
    """What goes to the changelog: partition, key, value."""
    sent: list[tuple[int, int, Shard]] = []
    monkeypatch.setattr(table, "send_changelog", lambda *change: sent.append(change))
    return sent


def test_a_change_waits_for_the_commit(
    table: CommittedTable, changelog: list[tuple[int, int, Shard]]
) -> None:
    table[1] = shard(3, 5)
    assert not changelog
    assert table.metadata(1) == to_metadata(shard(3, 5))
    assert table.metadata(0) == ""
    table.copy_to_changelog(1)
    assert changelog == [(1, 1, shard(3, 5))]


def test_a_partition_that_the_changelog_has_not_got_yet_is_not_copied(
    table: CommittedTable, changelog: list[tuple[int, int, Shard]]
) -> None:
    table[2] = shard(1, 1)
    table.copy_to_changelog(2)
    assert not changelog


def test_what_was_committed_takes_the_place_of_what_was_only_counted(table: CommittedTable) -> None:
    table[0] = shard(9, 12)  # of a generation that is over, or of a copy that arrived late
    table.restore(0, to_metadata(shard(7, 10)))
    assert table[0] == shard(7, 10)


@pytest.mark.parametrize("metadata", ["", "{}", "not json", '{"labels": 1}', "null"])
def test_where_nothing_was_committed_the_copy_counts(table: CommittedTable, metadata: str) -> None:
    table[0] = shard(7, 10)
    table.restore(0, metadata)
    assert table[0] == shard(7, 10)
