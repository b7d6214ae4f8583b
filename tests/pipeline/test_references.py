"""Tests of the pipeline with pictures that are fetched: order, partitions, and what is released."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from aiohttp import web

from catdog_stream.fetching.references import References
from catdog_stream.pipeline.ordered_publisher import MOST_OF_PARTITION, RESUMES_AT
from catdog_stream.settings.allowed_references import AllowedReferences
from tests.fetching.serving import serving
from tests.pipeline.test_pipeline import Kafka, Model, Scene, play, scene, stays_so, until
from tests.support.secured import HOST, Certificates


@dataclass
class Store:
    """HTTPS server whose files are the letters of the test's model."""

    references: References
    address: str = ""
    asked: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if "held" in request.query:
            await self.go_on.wait()
        await asyncio.sleep(random.random() / 100)
        letter = request.query["of"]
        return web.Response(body=letter.encode(), content_type="image/png", status=200)


@dataclass
class Flow:
    """Record of the partitions that are paused."""

    paused: set[int] = field(default_factory=set)
    history: list[str] = field(default_factory=list)

    def pause(self, partition: int) -> None:
        self.paused.add(partition)
        self.history.append(f"pause {partition}")

    def resume(self, partition: int) -> None:
        self.paused.discard(partition)
        self.history.append(f"resume {partition}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make()
    return made


@asynccontextmanager
async def storing(
    certificates: Certificates, flow: Flow | None = None, model: Model | None = None
) -> AsyncIterator[tuple[Scene, Store]]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server)
    trusting = ssl.create_default_context(cafile=str(certificates.authority))
    allowed = AllowedReferences.parse(f"https://{HOST}:1")

    async def handle(request: web.Request) -> web.StreamResponse:
        return await store.handle(request)

    async with serving({"/": handle}, tls=tls) as url:
        allowed = AllowedReferences.parse(f"https://{HOST}:{url.port}")
        references = References(allowed, max_bytes=100, budget=1000, tls=trusting)
        store = Store(references, f"https://{HOST}:{url.port}/")
        try:
            async with scene(
                model, Kafka(1, 0.001), max_in_flight=8, references=references, flow=flow or Flow()
            ) as it:
                yield it, store
            assert references.held == 0
        finally:
            await references.close()


def test_references_and_pictures_are_answered_in_the_order_of_their_partition(
    certificates: Certificates,
) -> None:
    dice = random.Random(7)

    async def scenario() -> None:
        async with storing(certificates, model=Model(1, 0.001)) as (it, store):
            expected = {}
            for letter in dice.choices("cdx", weights=[8, 8, 1], k=200):
                reference = f"{store.address}?of={letter}" if dice.random() < 0.7 else None
                source = await it.submit(letter, dice.randrange(3), reference=reference)
                expected[source] = {"c": "cat", "d": "dog", "x": "not_an_image"}[letter]
            await it.all_answered()
            assert it.kafka.outcomes() == expected
            for partition in range(3):
                sent = [source for source in expected if source.partition == partition]
                assert [each for each in it.acknowledged if each.partition == partition] == sent
            assert it.failures == []

    play(scenario)


def test_a_reference_to_nothing_allowed_and_one_without_the_setting(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene() as it:
            await it.submit("", reference="s3://cats/a")
            await it.all_answered()
            assert list(it.kafka.outcomes().values()) == ["missing_data"]
        allowed = AllowedReferences.parse(f"file://{tmp_path}")
        references = References(allowed, max_bytes=100, budget=1000)
        async with scene(references=references) as it:
            await it.submit("", reference="s3://cats/a")
            await it.all_answered()
            assert list(it.kafka.outcomes().values()) == ["reference_not_allowed"]
        await references.close()

    play(scenario)


def test_an_empty_file_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    async def scenario() -> None:
        references = References(
            AllowedReferences.parse(f"file://{tmp_path}"), max_bytes=100, budget=1000
        )
        async with asyncio.timeout(10), scene(references=references) as it:
            await it.submit("", reference=f"file://{tmp_path}/empty")
            await it.all_answered()
            assert list(it.kafka.outcomes().values()) == ["reference_failed"]
        await references.close()

    play(scenario)


def test_a_library_that_panics_costs_one_request_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panic(BaseException):
        """As PyO3's, which is no ``Exception``."""

    async def panic(*_: object) -> NoReturn:
        raise Panic

    async def scenario() -> None:
        references = References(
            AllowedReferences.parse(f"file://{tmp_path}"), max_bytes=100, budget=1000
        )
        monkeypatch.setattr(references, "_file", panic)
        async with asyncio.timeout(10), scene(references=references) as it:
            await it.submit("", reference=f"file://{tmp_path}/cat")
            await it.submit("c")
            await it.all_answered()
            assert list(it.kafka.outcomes().values()) == ["internal_error", "cat"]
        await references.close()

    play(scenario)


def test_a_partition_that_waits_for_its_store_is_paused_and_holds_up_no_other(
    certificates: Certificates,
) -> None:
    async def scenario() -> None:
        flow = Flow()
        async with storing(certificates, flow) as (it, store):
            held = f"{store.address}?of=c&held"
            slow = [await it.submit("", reference=held) for _ in range(10)]
            while not flow.paused:  # pictures behind them, too
                slow.append(await it.submit("d"))
            assert len(slow) == MOST_OF_PARTITION
            slow += [await it.submit("d") for _ in range(50)]  # those that are on their way
            fast = [
                await it.submit("", 1, reference=f"{store.address}?of=d"),
                *[await it.submit("c", 2) for _ in range(20)],
            ]
            await until(lambda: len(it.acknowledged) == len(fast))
            assert set(it.acknowledged) == set(fast)
            store.go_on.set()
            await it.all_answered()
            assert [each for each in it.acknowledged if each.partition == 0] == slow
            assert flow.history == ["pause 0", "resume 0"]
            assert RESUMES_AT < MOST_OF_PARTITION

    play(scenario)


def test_what_is_abandoned_during_a_fetch_is_released_and_what_comes_next_is_answered(
    certificates: Certificates,
) -> None:
    async def scenario() -> None:
        async with storing(certificates) as (it, store):
            for number in range(60):
                more = "&held" if number % 3 == 0 else ""
                await it.submit("", number % 2, reference=f"{store.address}?of=c{more}")
            await until(lambda: store.asked > 10)
            await it.pipeline.abandon()
            assert it.pipeline.in_flight == 0
            taken = len(it.acknowledged)
            again = [
                await it.submit("", 2, reference=f"{store.address}?of=d"),
                *[await it.submit("c", 2) for _ in range(20)],
            ]
            await it.all_answered()
            assert it.acknowledged[taken:] == again
            assert it.failures == []

    play(scenario)


def test_a_stop_during_a_fetch_leaves_no_task(certificates: Certificates) -> None:
    async def scenario() -> None:
        async with storing(certificates) as (it, store):
            for _ in range(10):
                await it.submit("", reference=f"{store.address}?of=c&held")
            await until(lambda: store.asked == 10)
            await it.pipeline.stop()
            left = "".join(repr(task.get_coro()) for task in asyncio.all_tasks())
            assert "Pipeline._fetch " not in left
            await stays_so(lambda: it.acknowledged == [])

    play(scenario)
