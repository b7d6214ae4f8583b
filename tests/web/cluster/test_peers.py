"""Tests of the other workers: polled in the background, kept when they are silent or gone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from catdog_stream.web.cluster.counts import Shards
from catdog_stream.web.cluster.ledger import HAND_OVER, Ledger
from catdog_stream.web.cluster.peers import INTERVAL, KEEP, LEAVING, Peers
from catdog_stream.web.cluster.state import PeerSnapshot, WorkerState
from catdog_stream.web.cluster.timeline import Timeline
from catdog_stream.web.cluster.view import PATIENCE, cluster_view, statistics

ONE, TWO = "http://one:6066", "http://two:6066"


def shards(partition: str, cats: int) -> Shards:
    return {"labels": {partition: {"cat": cats}}, "rejections": {}}


class Scene:
    """Two workers with the answers in ``answers``, polled at times that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.addresses = {ONE, TWO}
        self.asked: list[str] = []
        self.counted: list[str] = []
        self.answers: dict[str, Callable[[], Awaitable[PeerSnapshot]]] = {
            ONE: self.telling(shards("1", 1)),
            TWO: self.telling(shards("2", 2)),
        }
        self.ledger = Ledger(lambda: self.now)
        self.peers = Peers(
            lambda: self.addresses, self._ask, Timeline(), self.ledger, lambda: self.now
        )

    def telling(self, told: Shards | None) -> Callable[[], Awaitable[PeerSnapshot]]:
        async def tell() -> PeerSnapshot:
            return PeerSnapshot(WorkerState(shards=told))

        return tell

    def stopping(self) -> Callable[[], Awaitable[PeerSnapshot]]:
        async def tell() -> PeerSnapshot:
            return PeerSnapshot(WorkerState(facts={"stopping": True}))

        return tell

    async def _ask(
        self, address: str, _since: int, _seen: Iterable[str], counted: str
    ) -> PeerSnapshot:
        self.asked.append(address)
        self.counted.append(counted)
        return await self.answers[address]()

    def total(self, own: Shards | None = None) -> int:
        told = own or shards("0", 10)
        self.ledger.note("http://here", told)
        return statistics(told, self.peers, self.ledger).total

    def standings(self) -> list[str]:
        view = cluster_view("http://here", WorkerState(), self.peers, Timeline(), self.ledger, 0)
        return [each.standing for each in view.workers]


async def never() -> PeerSnapshot:
    await asyncio.Event().wait()
    raise AssertionError


async def refused() -> PeerSnapshot:
    raise ConnectionError("Nobody listens.")


def test_all_workers_are_asked_at_once_and_add_up() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        assert sorted(it.asked) == [ONE, TWO]
        assert it.total() == 13
        assert it.standings() == ["here", "answers", "answers"]

    asyncio.run(scenario())


def test_nobody_is_asked_more_often_than_twice_a_second_however_many_look() -> None:
    async def scenario() -> None:
        it = Scene()
        for _ in range(100):
            await it.peers.refresh(1.0)
        assert len(it.asked) == 2
        it.now += INTERVAL
        await it.peers.refresh(1.0)
        assert len(it.asked) == 4

    asyncio.run(scenario())


def test_a_frozen_worker_is_waited_for_once_and_keeps_what_it_told() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        it.answers[ONE] = never
        it.now += INTERVAL
        await it.peers.refresh(0.05)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(10):
            it.now += INTERVAL
            await it.peers.refresh(5.0)
        assert loop.time() - began < 1.0, "it was waited for again"
        assert it.total() == 13
        it.now += PATIENCE
        await it.peers.refresh(5.0)
        assert it.standings() == ["here", "silent", "answers"]
        it.peers.close()

    asyncio.run(scenario())


def test_a_worker_that_answers_again_is_believed_again() -> None:
    async def scenario() -> None:
        it = Scene()
        it.answers[ONE] = refused
        await it.peers.refresh(1.0)
        assert it.total() == 12
        assert it.standings() == ["here", "silent", "answers"]
        it.answers[ONE] = it.telling(shards("1", 5))
        it.now += INTERVAL
        await it.peers.refresh(1.0)
        await asyncio.sleep(0)
        assert it.total() == 17
        assert it.standings() == ["here", "answers", "answers"]

    asyncio.run(scenario())


def test_the_counts_of_a_worker_that_died_stay_up_until_its_successor_has_them() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        it.addresses = {TWO}
        it.now += INTERVAL
        it.answers[TWO] = it.telling({"labels": {"2": {"cat": 2}, "1": {}}, "rejections": {}})
        await it.peers.refresh(1.0)
        assert it.total() == 13, "its successor has the partition, and not yet the counts"
        assert it.standings() == ["here", "lost", "answers"]
        it.now += HAND_OVER
        it.answers[TWO] = it.telling(
            {"labels": {"2": {"cat": 2}, "1": {"cat": 4}}, "rejections": {}}
        )
        await it.peers.refresh(1.0)
        assert it.total() == 16
        it.now += KEEP
        await it.peers.refresh(1.0)
        assert it.standings() == ["here", "answers"]

    asyncio.run(scenario())


def test_the_counts_of_partitions_that_move_stay_up_until_they_are_told_again() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        assert it.total() == 13
        for told in (None, shards("2", 2)):
            it.answers[ONE] = it.answers[TWO] = it.telling(told)
            it.now += INTERVAL
            await it.peers.refresh(1.0)
            assert it.total() == 13
        assert statistics(None, it.peers, it.ledger).total == 13, "this one's own as well"
        assert statistics(None, it.peers, it.ledger).answered == 2

    asyncio.run(scenario())


def test_a_worker_that_announces_its_stop_has_left_and_is_not_lost() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        it.answers[ONE] = it.stopping()
        await it.peers.note_leaving(ONE)
        await it.peers.note_leaving("http://nobody:6066")
        assert it.standings() == ["here", "answers", "answers"], "it still answers"
        it.addresses = {TWO}
        it.peers.follow()
        assert it.standings() == ["here", "left", "answers"]
        it.addresses = {ONE, TWO}
        it.peers.follow()
        it.addresses = {TWO}
        it.peers.follow()
        assert it.standings() == ["here", "lost", "answers"], "the announcement held once"

    asyncio.run(scenario())


def test_an_announcement_that_the_worker_itself_does_not_confirm_hides_no_lost_worker() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        await it.peers.note_leaving(ONE)
        it.answers[TWO] = refused
        await it.peers.note_leaving(TWO)
        it.addresses = set()
        it.peers.follow()
        assert it.standings() == ["here", "lost", "lost"]

    asyncio.run(scenario())


def test_an_announcement_holds_for_a_while() -> None:
    async def scenario() -> None:
        it = Scene()
        await it.peers.refresh(1.0)
        it.answers[ONE] = it.stopping()
        await it.peers.note_leaving(ONE)
        it.now += LEAVING
        it.addresses = {TWO}
        it.peers.follow()
        assert it.standings() == ["here", "lost", "answers"]

    asyncio.run(scenario())


def test_a_worker_that_nobody_asks_may_be_well() -> None:
    async def scenario() -> None:
        it = Scene()
        it.peers.follow()
        assert it.standings() == ["here", "answers", "answers"]
        assert it.asked == []
        it.answers[ONE] = refused
        await it.peers.refresh(1.0)
        assert it.standings() == ["here", "silent", "answers"]
        it.now += 60
        assert it.standings() == ["here", "answers", "answers"], "that was a minute ago"

    asyncio.run(scenario())
