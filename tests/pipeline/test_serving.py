"""Tests of a new classifier: each request is answered by the classifier that it was leased with."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.serving import Serving

DEADLINE = 10.0
FIRST = Source("catdogimage", 0, 0)


class Named:
    """Classifier that marks the pictures it prepares, and refuses all others."""

    name, engine = "named", "none"
    classes = ("cat", "dog")
    on_gpu = False

    def __init__(self, version: int, batch_size: int = 4) -> None:
        self.version = str(version)
        self.batch_size = batch_size
        self.batches: list[int] = []
        self.closed = False

    def prepare(self, _data: bytes) -> Picture:
        return np.full((1, 1, 3), int(self.version), np.uint8)

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        assert not self.closed, "it was closed while a lease was open"
        assert all((picture == int(self.version)).all() for picture in pictures)
        self.batches.append(len(pictures))
        return [Verdict({"cat": 1.0, "dog": 0.0}, f"named {self.version}")] * len(pictures)

    def warm_up(self) -> None:
        """Do nothing: the classifier is always warm."""

    def close(self) -> None:
        self.closed = True


async def running(classifier: Named) -> ModelRunner:
    runner = ModelRunner(
        lambda: classifier, parallel=2, timeout=DEADLINE, max_hangs=1, on_failure=print
    )
    await runner.start()
    return runner


def play(scenario: Callable[[Serving], Awaitable[None]]) -> None:
    async def run() -> None:
        failures: list[BaseException] = []
        unhandled: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: unhandled.append(about))
        serving = Serving(max_wait=0.0, on_failure=failures.append)
        async with asyncio.timeout(DEADLINE):
            await scenario(serving)
            await serving.stop()
        assert failures == []
        assert unhandled == []

    asyncio.run(run())


async def a_few_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_without_a_classifier_nothing_can_be_held() -> None:
    async def scenario(serving: Serving) -> None:
        with pytest.raises(RuntimeError, match="in service"):
            serving.lease(FIRST)

    play(scenario)


def test_who_was_taken_before_is_answered_by_the_one_before() -> None:
    old, new = Named(1), Named(2)

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(old))
        before = [serving.lease(FIRST) for _ in range(10)]
        # Prepared before the new classifier is there, and classified afterwards.
        pictures = [lease.prepare(b"") for lease in before[:5]]
        change = asyncio.create_task(serving.take_over(await running(new)))
        await a_few_turns()
        assert serving.classifier.version == "2"
        after = [serving.lease(FIRST) for _ in range(10)]
        pictures += [lease.prepare(b"") for lease in (*before[5:], *after)]
        verdicts = await asyncio.gather(
            *(
                lease.classify(picture)
                for lease, picture in zip((*before, *after), pictures, strict=True)
            )
        )
        assert [verdict.stack for verdict in verdicts] == ["named 1"] * 10 + ["named 2"] * 10
        assert not change.done()
        assert not old.closed
        for lease in before:
            lease.release()
            lease.release()  # a second time does nothing
        await change
        assert old.closed
        assert not new.closed

    play(scenario)
    assert new.closed


def test_each_classifier_has_batches_of_its_own_size() -> None:
    small, large = Named(1, batch_size=2), Named(2, batch_size=8)

    async def scenario(serving: Serving) -> None:
        for classifier in (small, large):
            await serving.take_over(await running(classifier))
            leases = [serving.lease(FIRST) for _ in range(16)]
            await asyncio.gather(*(lease.classify(lease.prepare(b"")) for lease in leases))
            for lease in leases:
                lease.release()

    play(scenario)
    assert max(small.batches) == 2
    assert max(large.batches) == 8


def test_one_that_nobody_holds_goes_at_once() -> None:
    old = Named(1)

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(old))
        serving.lease(FIRST).release()
        await serving.take_over(await running(Named(2)))
        assert old.closed

    play(scenario)


def test_the_end_of_a_worker_waits_for_no_lease() -> None:
    old, new = Named(1), Named(2)

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(old))
        serving.lease(FIRST)
        change = asyncio.create_task(serving.take_over(await running(new)))
        await a_few_turns()
        change.cancel()

    play(scenario)
    assert old.closed
    assert new.closed


def sources(count: int) -> list[Source]:
    return [Source("catdogimage", number % 3, number) for number in range(count)]


async def answer(serving: Serving, source: Source) -> Verdict:
    lease = serving.lease(source)
    verdict = await lease.classify(lease.prepare(str(source).encode()))
    lease.release()
    return verdict


def test_a_canary_answers_its_share_whatever_takes_over() -> None:
    sample, canary = Sample(b"canary", 0.3), Named(9)

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(Named(1)))
        serving.share(await running(canary), sample)
        assert serving.canary is canary
        for version in ("1", "2"):
            if version == "2":
                await serving.take_over(await running(Named(2)))
            for source in sources(100):
                expected = "9" if source in sample else version
                assert (await answer(serving, source)).stack == f"named {expected}"
        assert serving.classifier.version == "2"
        assert not canary.closed

    play(scenario)
    assert canary.closed


class Witness:
    """Observer that records what it sees."""

    def __init__(self, share: float) -> None:
        self.sample = Sample(b"shadow", share)
        self.seen: list[tuple[Source, bytes, str]] = []

    def see(self, source: Source, picture: bytes, verdict: Verdict) -> None:
        self.seen.append((source, picture, verdict.stack))


def test_an_onlooker_sees_its_share_with_the_bytes_that_came_and_with_who_answered() -> None:
    witness, canary = Witness(0.5), Sample(b"canary", 0.5)

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(Named(1)))
        serving.share(await running(Named(9)), canary)
        serving.watch(witness)
        for source in sources(50):
            await answer(serving, source)
        await serving.take_over(await running(Named(2)))
        for source in sources(100)[50:]:
            await answer(serving, source)

    play(scenario)
    assert witness.seen == [
        (
            source,
            str(source).encode(),
            f"named {9 if source in canary else 1 if source.offset < 50 else 2}",
        )
        for source in sources(100)
        if source in witness.sample
    ]


def test_an_onlooker_sees_nothing_of_what_was_not_answered() -> None:
    witness = Witness(1.0)

    class Broken(Named):
        def classify(self, _pictures: Sequence[Picture]) -> list[Verdict]:
            raise ArithmeticError

    async def scenario(serving: Serving) -> None:
        await serving.take_over(await running(Broken(1)))
        serving.watch(witness)
        with pytest.raises(ArithmeticError):
            await answer(serving, FIRST)
        lease = serving.lease(FIRST)
        lease.classify(lease.prepare(b"")).cancel()  # abandoned
        await a_few_turns()

    play(scenario)
    assert witness.seen == []
