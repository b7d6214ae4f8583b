"""Tests of batches: they form while the model is busy, and wait only as long as it pays."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.pipeline.batch_policy import BatchPolicy
from catdog_stream.pipeline.batching import Batcher
from catdog_stream.testing.virtual_time import run_in_virtual_time

DEADLINE = 20.0


class Doubler:
    """Model that doubles numbers; it records its batches, and waits when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        assert self.go_on.wait(DEADLINE)
        if 13 in items:
            raise ValueError("13 cannot be doubled")
        return [2 * item for item in items]


@asynccontextmanager
async def running(
    process: Callable[[Sequence[int]], Sequence[int]], max_batch: int = 4
) -> AsyncIterator[Batcher[int, int]]:
    with ThreadPoolExecutor(1) as executor:

        async def in_thread(items: Sequence[int]) -> Sequence[int]:
            return await asyncio.get_running_loop().run_in_executor(executor, process, items)

        batcher = Batcher(in_thread, BatchPolicy(max_batch=max_batch, max_wait=0))
        server = asyncio.create_task(batcher.run())
        try:
            async with asyncio.timeout(DEADLINE):
                yield batcher
        finally:
            server.cancel()
            with suppress(asyncio.CancelledError):
                await server


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def queued_behind_one(
    batcher: Batcher[int, int], doubler: Doubler, items: Sequence[int]
) -> list[int | BaseException]:
    """Submit the first item, and the others while the model processes it."""
    doubler.go_on.clear()
    first = batcher.submit(items[0])
    await until(lambda: len(doubler.batches) == 1)
    others = [batcher.submit(item) for item in items[1:]]
    await asyncio.sleep(0)  # one turn of the loop: each task has submitted
    doubler.go_on.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_a_lone_item_is_served_at_once() -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            assert await batcher.submit(21) == 42
        assert doubler.batches == [[21]]

    asyncio.run(scenario())


def test_what_queues_while_the_model_is_busy_becomes_the_next_batch() -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            assert await queued_behind_one(batcher, doubler, [1, 2, 3, 4]) == [2, 4, 6, 8]
        assert doubler.batches == [[1], [2, 3, 4]]

    asyncio.run(scenario())


def test_a_batch_never_exceeds_its_limit() -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler, max_batch=3) as batcher:
            answers = await queued_behind_one(batcher, doubler, list(range(9)))
            assert answers == [2 * item for item in range(9)]
        assert doubler.batches == [[0], [1, 2, 3], [4, 5, 6], [7, 8]]

    asyncio.run(scenario())


def test_an_item_that_spoils_its_batch_fails_alone() -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            answers = await queued_behind_one(batcher, doubler, [1, 2, 13, 4])
            assert answers[:2] == [2, 4]
            assert isinstance(answers[2], ValueError)
            assert answers[3] == 8
            assert await batcher.submit(5) == 10  # it continues
        assert doubler.batches == [[1], [2, 13, 4], [2], [13], [4], [5]]

    asyncio.run(scenario())


@pytest.mark.parametrize("item", [13, 3])
def test_an_item_that_nobody_waits_for_any_more_disturbs_no_other(item: int) -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            doubler.go_on.clear()
            given_up = batcher.submit(item)
            await until(lambda: len(doubler.batches) == 1)
            given_up.cancel()
            other = batcher.submit(2)
            await asyncio.sleep(0)
            doubler.go_on.set()
            assert await other == 4

    asyncio.run(scenario())


def test_an_item_given_up_before_its_batch_goes_is_not_classified() -> None:
    async def scenario() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            doubler.go_on.clear()
            submitted = [batcher.submit(item) for item in range(5)]
            await until(lambda: len(doubler.batches) == 1)
            late = [batcher.submit(item) for item in (5, 6, 7)]
            await asyncio.sleep(0)
            submitted[4].cancel()
            late[1].cancel()
            await asyncio.sleep(0)
            doubler.go_on.set()
            assert await asyncio.gather(*submitted[:4], late[0], late[2]) == [0, 2, 4, 6, 10, 14]
        assert doubler.batches == [[0, 1, 2, 3], [5, 7]]

    asyncio.run(scenario())


def test_an_item_given_up_while_its_batch_is_repeated_is_left_out() -> None:
    calls: list[list[int]] = []

    async def takes_a_second(items: Sequence[int]) -> Sequence[int]:
        calls.append(list(items))
        await asyncio.sleep(1)
        if 13 in items:
            raise ValueError
        return items

    async def scenario() -> None:
        batcher = Batcher(takes_a_second, BatchPolicy(max_batch=4, max_wait=0))
        server = asyncio.create_task(batcher.run())
        bad, given_up, good = (batcher.submit(item) for item in (13, 2, 4))
        await asyncio.sleep(1.5)
        given_up.cancel()
        assert await good == 4
        assert isinstance(bad.exception(), ValueError)
        server.cancel()

    run_in_virtual_time(scenario())
    assert calls == [[13, 2, 4], [13], [4]]


def test_the_next_batch_goes_while_another_one_is_under_way_but_not_a_third() -> None:
    sizes: list[int] = []

    async def takes_a_second(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        await asyncio.sleep(1)
        return items

    async def scenario() -> None:
        batcher = Batcher(takes_a_second, BatchPolicy(max_batch=4, max_wait=0), parallel=2)
        server = asyncio.create_task(batcher.run())
        answers = [batcher.submit(item) for item in range(10)]
        await asyncio.sleep(0.5)
        assert sizes == [4, 4]
        assert await asyncio.gather(*answers) == list(range(10))
        assert asyncio.get_running_loop().time() == pytest.approx(2)
        server.cancel()

    run_in_virtual_time(scenario())
    assert sizes == [4, 4, 2]


def test_stopping_stops_what_is_under_way() -> None:
    async def takes_days(items: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(1e6)
        return items

    async def scenario() -> None:
        batcher = Batcher(takes_days, BatchPolicy(max_batch=1, max_wait=0))
        server = asyncio.create_task(batcher.run())
        waiting = batcher.submit(1)
        await asyncio.sleep(1)
        server.cancel()
        await asyncio.wait((server,))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        waiting.cancel()

    run_in_virtual_time(scenario())


def test_a_model_that_forgets_an_answer_is_an_error_not_a_shift() -> None:
    async def scenario() -> None:
        async def forgets(_items: Sequence[int]) -> list[int]:
            return []

        batcher = Batcher(forgets, BatchPolicy(max_batch=4, max_wait=0))
        waiting = batcher.submit(1)
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(ValueError, match="shorter"):
                await batcher.run()
        waiting.cancel()

    asyncio.run(scenario())


MS = 0.001


@dataclass
class Call:
    """One call of the model: its items, its start and its end."""

    items: list[int]
    began: float
    ended: float = 0.0


@dataclass
class Simulation:
    """Batcher in virtual time, in front of a model whose batch of n costs ``a + b * n``.

    Item number k arrives ``gaps[k]`` after the one before it; the items in ``bad`` break their
    batch.
    """

    a: float
    b: float
    max_wait: float
    max_batch: int = 64
    bad: frozenset[int] = frozenset()
    #: True if the cost is known before the first item arrives.
    taught: bool = True
    calls: list[Call] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def run(self, gaps: Sequence[float]) -> list[int | BaseException]:
        """Return the answer to each item: its own number, or its error."""
        return run_in_virtual_time(self._run(gaps))

    async def _run(self, gaps: Sequence[float]) -> list[int | BaseException]:
        policy = BatchPolicy(max_batch=self.max_batch, max_wait=self.max_wait)
        for size in (1, 4, 2, 8) * 3 if self.taught else ():
            policy.served(size, self.a + self.b * size)
        batcher = Batcher(self._model, policy)
        server = asyncio.create_task(batcher.run())
        tasks = []
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            tasks.append(asyncio.create_task(self._submit(batcher, number)))
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        server.cancel()
        return answers

    async def _submit(self, batcher: Batcher[int, int], number: int) -> int:
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        self.arrivals.append(arrived)
        answer = await batcher.submit(number)
        self.latencies.append(loop.time() - arrived)
        return answer

    async def _model(self, items: Sequence[int]) -> Sequence[int]:
        loop = asyncio.get_running_loop()
        call = Call(list(items), loop.time())
        self.calls.append(call)
        await asyncio.sleep(self.a + self.b * len(items))
        call.ended = loop.time()
        if self.bad.intersection(items):
            raise ValueError(items)
        return items


GAPS = st.lists(st.sampled_from([0.0, 0.1, 0.5, 2.0, 10.0, 200.0]).map(lambda ms: ms * MS))
#: Costs of GPUs, of CPUs, and of devices in between.
COSTS = st.sampled_from([(8.0, 0.1), (30.0, 0.0), (0.0, 17.0), (5.0, 5.0)]).map(
    lambda cost: (cost[0] * MS, cost[1] * MS)
)
WAITS = st.sampled_from([0.0, 1 * MS, 5 * MS, 50 * MS])


@given(gaps=GAPS, cost=COSTS, max_wait=WAITS, bad=st.frozensets(st.integers(0, 20)))
def test_whatever_comes_is_served_in_order_in_time_and_on_its_own_account(
    gaps: list[float], cost: tuple[float, float], max_wait: float, bad: frozenset[int]
) -> None:
    it = Simulation(*cost, max_wait=max_wait, max_batch=5, bad=bad)
    answers = it.run(gaps)

    for number, answer in enumerate(answers):
        assert isinstance(answer, ValueError) if number in bad else answer == number
    first_tries = [call for call in it.calls if not _is_retry(call, it.calls, bad)]
    assert [item for call in first_tries for item in call.items] == list(range(len(gaps)))
    idle_since = 0.0
    for call in it.calls:
        assert 1 <= len(call.items) <= 5
        assert call.began <= max(idle_since, it.arrivals[call.items[0]] + max_wait) + 1e-6
        idle_since = call.ended


def _is_retry(call: Call, calls: list[Call], bad: frozenset[int]) -> bool:
    """Return True if the one item of ``call`` was in an earlier batch that failed."""
    earlier = calls[: calls.index(call)]
    return any(set(call.items) < set(other.items) and bad & set(other.items) for other in earlier)


@given(gaps=GAPS)
def test_on_a_cpu_nothing_is_different_from_never_waiting(gaps: list[float]) -> None:
    patient = Simulation(0.0, 17 * MS, max_wait=50 * MS, max_batch=8)
    hasty = Simulation(0.0, 17 * MS, max_wait=0, max_batch=8)
    assert patient.run(gaps) == hasty.run(gaps)
    assert patient.calls == hasty.calls


def bursts(items: int, gap: float, pause: float) -> list[float]:
    """Return Poisson arrivals in 50 bursts of ``items``, ``pause`` apart."""
    dice = random.Random(2015)
    rest = items - 1
    return [
        dice.expovariate(1 / mean_gap) for _ in range(50) for mean_gap in [pause] + [gap] * rest
    ]


def test_on_a_gpu_the_rest_of_a_burst_is_waited_for_and_all_are_answered_sooner() -> None:
    gaps = bursts(8, 0.3 * MS, 100 * MS)
    patient = Simulation(8 * MS, 0.1 * MS, max_wait=5 * MS, taught=False)
    hasty = Simulation(8 * MS, 0.1 * MS, max_wait=0)
    patient.run(gaps)
    hasty.run(gaps)
    print(f"mean latency {mean(hasty.latencies):.5f} s -> {mean(patient.latencies):.5f} s")
    assert mean(patient.latencies) < 0.85 * mean(hasty.latencies)
    assert len(patient.calls) < 0.7 * len(hasty.calls)


@pytest.mark.parametrize("gap", [0.3 * MS, 1 * MS, 3 * MS, 10 * MS, 30 * MS])
def test_on_a_gpu_waiting_costs_nothing_at_any_rate(gap: float) -> None:
    dice = random.Random(2015)
    gaps = [dice.expovariate(1 / gap) for _ in range(1000)]
    patient = Simulation(8 * MS, 0.1 * MS, max_wait=5 * MS, taught=False)
    hasty = Simulation(8 * MS, 0.1 * MS, max_wait=0)
    patient.run(gaps)
    hasty.run(gaps)
    assert mean(patient.latencies) < 1.01 * mean(hasty.latencies)


def test_a_batch_that_waits_goes_as_soon_as_it_is_full() -> None:
    it = Simulation(1.0, 0.0, max_wait=0.9, max_batch=3)
    it.run([0.0, 10 * MS, 10 * MS, 10 * MS, 2.0, *[10 * MS] * 5])
    assert [call.items for call in it.calls[:2]] == [[0], [1, 2, 3]]
    last = it.calls[-2]
    assert last.items == [4, 5, 6]
    assert last.began == pytest.approx(it.arrivals[6])
    assert last.began > it.arrivals[4], "it waited for the two others"


def test_the_bound_counts_from_the_first_of_a_batch() -> None:
    it = Simulation(1.0, 0.0, max_wait=50 * MS)
    it.run([0.0, *[1 * MS] * 20, 2.0, *[20 * MS] * 5])
    assert it.calls[-2].items == [21, 22, 23]
    assert it.calls[-2].began == pytest.approx(it.arrivals[21] + 50 * MS)
