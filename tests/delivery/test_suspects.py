"""Tests of a request that ends workers: it is found and rejected; its neighbours are answered."""

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from catdog_stream.delivery.counting import MAX_METADATA_BYTES, from_metadata
from catdog_stream.delivery.suspects import DEATHS_IN_COMPANY, Suspects

TOPIC = "catdogimage"
SHARD = '{"labels":{},"rejections":{},"offset":0}'


class DeathError(Exception):
    """End of the process: only the commits remain."""


@dataclass
class Cluster:
    """Requests, with their commits and answers."""

    partitions: int
    requests: int
    poison: Collection[tuple[int, int]] = ()
    committed: dict[TP, OffsetAndMetadata] = field(default_factory=dict)
    answered: set[tuple[int, int]] = field(default_factory=set)
    rejected: set[tuple[int, int]] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return len(self.answered | self.rejected) == self.partitions * self.requests


class Life:
    """Worker from its start to its death."""

    def __init__(self, cluster: Cluster, *, parallel: int, commits: float, seed: int) -> None:
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.now = 0.0
        self.suspects = Suspects({TOPIC}, clock=lambda: self.now)
        self.settled: dict[TP, int] = {}
        self.in_work: list[Any] = []
        self._parallel = parallel
        self._commits = commits

    async def run(self) -> None:
        """Process the remaining requests. Raises ``DeathError``."""
        self.suspects.take_over(self.cluster.committed)
        waiting: list[Any] = [
            SimpleNamespace(tp=tp, topic=TOPIC, partition=number, offset=offset)
            for number in range(self.cluster.partitions)
            for tp in [TP(TOPIC, number)]
            for offset in range(
                self.cluster.committed.get(tp, OffsetAndMetadata(0, "")).offset,
                self.cluster.requests,
            )
        ]
        by_offset = sorted(waiting, key=lambda message: (message.offset, message.partition))
        for message in by_offset:
            rejected = await self.suspects.examine(
                message,
                commit=self.commit,
                is_current=lambda: True,
                in_flight=self._work_goes_on,
                most_in_flight=self._parallel,
            )
            if rejected is not None:
                assert rejected.reason == "stopped_workers"
                self.cluster.rejected.add((message.partition, message.offset))
            message.rejected = rejected is not None
            self.in_work.append(message)
            while len(self.in_work) > self._parallel:
                self._work_goes_on()
            if self.chance.random() < self._commits:
                await self.commit()
        while self._work_goes_on():
            pass

    def _work_goes_on(self) -> int:
        """Process one request and return the number of remaining ones."""
        if self.in_work:
            if any(self._is_poison(message) for message in self.in_work[: self._parallel]):
                raise DeathError
            message = self.in_work.pop(0)
            self.now += 0.05
            self.settled[message.tp] = message.offset + 1
            if not message.rejected:
                self.cluster.answered.add((message.partition, message.offset))
        return len(self.in_work)

    def _is_poison(self, message: Any) -> bool:
        return not message.rejected and (message.partition, message.offset) in self.cluster.poison

    async def commit(self) -> None:
        """Commit as the consumer does."""
        written = {}
        for tp in self.settled.keys() | self.suspects.unwritten:
            before = self.cluster.committed.get(tp, OffsetAndMetadata(0, "")).offset
            offset = max(self.settled.get(tp, 0), before)
            if offset > before or tp in self.suspects.unwritten:
                text = self.suspects.marked(tp, offset, SHARD)
                written[tp] = OffsetAndMetadata(offset, text)
        self.cluster.committed.update(written)
        self.suspects.note_committed(written)


def deaths_until_all_is_answered(
    cluster: Cluster, *, parallel: int, commits: float, seed: int, most: int
) -> int:
    for deaths in range(most):
        life = Life(cluster, parallel=parallel, commits=commits, seed=seed + deaths)
        try:
            asyncio.run(life.run())
        except DeathError:
            continue
        assert cluster.over
        return deaths
    raise AssertionError(f"{most} workers died")


PLACES = st.tuples(st.integers(0, 2), st.integers(0, 19))


@settings(max_examples=200)
@given(
    st.sets(PLACES, min_size=1, max_size=3),
    st.integers(1, 12),
    st.floats(0.01, 1),
    st.integers(0, 1000),
)
def test_only_those_that_end_workers_are_set_aside(
    poison: set[tuple[int, int]], parallel: int, commits: float, seed: int
) -> None:
    cluster = Cluster(3, 20, poison)
    # Other workers, which start behind the last commit, may have to find each of them again.
    most = 4 * (DEATHS_IN_COMPANY + 1) * len(poison)
    deaths_until_all_is_answered(cluster, parallel=parallel, commits=commits, seed=seed, most=most)
    assert cluster.rejected == poison
    assert not cluster.answered & poison


def test_three_deaths_are_enough() -> None:
    for place in ((0, 0), (1, 3), (2, 7)):
        cluster = Cluster(3, 20, {place})
        assert (
            deaths_until_all_is_answered(cluster, parallel=30, commits=0.0, seed=0, most=9)
            == DEATHS_IN_COMPANY + 1
        )


def test_without_a_death_each_partition_costs_one_commit_and_no_request_waits() -> None:
    async def scenario() -> None:
        cluster = Cluster(3, 100)
        life = Life(cluster, parallel=8, commits=0.0, seed=0)
        commits = []
        commit = life.commit

        async def counted() -> None:
            commits.append(len(life.suspects.unwritten))
            await commit()

        life.commit = counted  # type: ignore[method-assign]
        await life.run()
        assert commits == [1, 1, 1]
        second = Suspects({TOPIC})
        second.take_over(cluster.committed)
        assert second.unwritten == set(cluster.committed), "one commit for all of them"

    asyncio.run(scenario())


def test_a_worker_that_ends_in_good_order_leaves_no_mark() -> None:
    async def scenario() -> None:
        cluster = Cluster(2, 0)
        for begun in (1, 2, 3):
            life = Life(cluster, parallel=1, commits=0, seed=0)
            life.suspects.take_over(
                cluster.committed
                or {TP(TOPIC, number): OffsetAndMetadata(7, SHARD) for number in range(2)}
            )
            await life.commit()
            mark = orjson.loads(cluster.committed[TP(TOPIC, 0)].metadata)["begun"]
            assert mark == (begun if begun < 3 else 1)
            if begun == 2:
                life.suspects.release()
                await life.commit()
                assert cluster.committed[TP(TOPIC, 0)].metadata == SHARD

    asyncio.run(scenario())


def test_progress_takes_deaths_away() -> None:
    tp = TP(TOPIC, 0)
    suspects = Suspects({TOPIC})
    suspects.take_over({tp: OffsetAndMetadata(7, SHARD[:-1] + ',"begun":2}')})
    assert orjson.loads(suspects.marked(tp, 7, SHARD))["begun"] == 3
    assert orjson.loads(suspects.marked(tp, 8, SHARD))["begun"] == 1


@pytest.mark.parametrize(
    "metadata",
    ["", "null", "[]", "7", "garbage", '{"begun":"2"}', '{"alone":[]}', '{"begun":null}'],
)
def test_metadata_of_any_other_making_is_no_mark(metadata: str) -> None:
    tp = TP(TOPIC, 0)
    suspects = Suspects({TOPIC})
    suspects.take_over({tp: OffsetAndMetadata(7, metadata)})
    assert orjson.loads(suspects.marked(tp, 7, ""))["begun"] == 1


def test_the_counts_beside_a_mark_stay_and_have_precedence() -> None:
    tp = TP(TOPIC, 0)
    suspects = Suspects({TOPIC})
    suspects.take_over({tp: OffsetAndMetadata(7, "")})
    assert from_metadata(suspects.marked(tp, 7, SHARD)) == from_metadata(SHARD)
    full = orjson.dumps({"labels": {"é" * 32: 1}, "x": "x" * (MAX_METADATA_BYTES - 100)}).decode()
    assert len(suspects.marked(tp, 7, full).encode()) <= MAX_METADATA_BYTES
    other = TP("catdoglabel", 0)
    assert suspects.marked(other, 7, SHARD) == SHARD
