"""Tests of the counts that a worker shows."""

import pytest

from catdog_stream.settings import Settings
from catdog_stream.web.cluster.counts import Statistics, local_shards, parse_shards
from catdog_stream.worker.application import CatDogApp


def test_totals_are_sums() -> None:
    statistics = Statistics({"cat": 3, "dog": 6}, {"not_json": 3}, asked=2, answered=2)
    assert (statistics.total, statistics.rejected) == (9, 3)


def test_a_worker_shows_nothing_before_its_tables_are_recovered() -> None:
    assert local_shards(CatDogApp(Settings()), ()) is None


def test_a_name_of_a_partition_is_not_without_end() -> None:
    with pytest.raises(ValueError, match="partition"):
        parse_shards({"labels": {"x" * 301: {"cat": 1}}, "rejections": {}})
