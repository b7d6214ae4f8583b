"""Tests of the counts that a worker shows."""

from catdog_stream.app import build_app
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.settings import Settings
from catdog_stream.web.cluster.counts import Statistics, local_shards


def test_totals_are_sums() -> None:
    statistics = Statistics({"cat": 3, "dog": 6}, {"not_json": 3}, asked=2, answered=2)
    assert (statistics.total, statistics.rejected) == (9, 3)


def test_a_worker_shows_nothing_before_its_tables_are_recovered() -> None:
    consumer = build_app(Settings()).consumer
    for is_settled in (False, True):
        member = GroupMember("catdogimage", lambda: consumer, iter((is_settled,)).__next__)
        assert local_shards(member, ()) is None
