"""Tests of a worker's rollouts: the newest deployment counts, and none stops the worker."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from catdog_stream import deadlines
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.errors import StackError
from catdog_stream.kafka import deployments
from catdog_stream.kafka.deployments import Report, deploy, report, rollout_state
from catdog_stream.kafka.names import Names
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.manifest import Manifest, load_manifest
from catdog_stream.models.stacks.repository import StackId
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import Publisher
from catdog_stream.settings import Settings
from catdog_stream.testing import InstantClassifier
from catdog_stream.worker import rollout
from catdog_stream.worker.inference import Inference
from catdog_stream.worker.rollout import MAX_TRIES, Rollout
from tests.kafka.test_deployments import HOSTILE
from tests.support.stacks import add

pytestmark = pytest.mark.integration

SECONDS = 60.0
ME = "http://me:6066"


class Instant(InstantClassifier):
    """Classifier that remembers if it was closed."""

    closed = False
    manifest: Manifest

    def close(self) -> None:
        self.closed = True


class Stacks:
    """Stacks that load as long as the test says, some of them invalid."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.made: dict[str, Instant] = {}
        self.gates: dict[str, threading.Event] = {}

    def from_repository(self, stack: StackId) -> Callable[[Settings], Classifier]:
        def load(_settings: Settings) -> Classifier:
            self.loaded.append(stack.version)
            if stack.version in self.gates:
                self.gates[stack.version].wait(SECONDS)
            if stack.version == "missing":
                raise StackError("It is not there.")
            if stack.version == "huge":
                raise MemoryError
            return self.made.setdefault(
                stack.version, Instant({"cat": 1.0, "dog": 0.0}, stack.version)
            )

        return load


@pytest.fixture
def address(broker_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of the broker, with an empty topic of deployments."""
    monkeypatch.setattr(Worker, "names", replace(Names(), stacks=f"orders-{uuid4()}"))
    return broker_address


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    made = Stacks()
    monkeypatch.setattr(rollout, "from_repository", made.from_repository)
    return made


class Worker:
    """Parts of a worker that a rollout uses."""

    names = Names()

    def __init__(self, address: str, folder: Path, own: Classifier | None = None) -> None:
        self.settings = Settings(broker=f"kafka://{address}", stacks=folder, names=self.names)
        instant = own or Instant({"cat": 1.0, "dog": 0.0}, "own")
        self.inference = Inference(
            self.settings,
            load=lambda _settings: instant,
            publisher=cast(Publisher, None),
            owns=cast(Callable[[], Awaitable[bool]], None),
            fetched=FetchBudget(set(), fetch=1, most=1),
            observers=Observers(),
            weights={},
            on_failure=lambda reason: pytest.fail(str(reason)),
        )
        self.rollout = Rollout(self.settings, self.inference, voter=None, address=lambda: ME)

    async def start(self) -> None:
        own = await self.inference.beside(self.inference.load, seconds=SECONDS)
        await self.inference.take_over(own)
        await self.rollout.start()

    async def order(self, stack: str | None) -> int:
        told = await rollout_state(self.settings.cluster)
        return (await deploy(self.settings.cluster, stack, told.next_history())).offset

    async def until_told(self, order: int) -> Report:
        """Wait for the worker's final report on a deployment and return it."""
        while True:
            said = (await rollout_state(self.settings.cluster)).reports.get(ME)
            if said is not None and said.order == order and said.done:
                return said
            await asyncio.sleep(0.05)


def play(worker: Worker, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await scenario()
        finally:
            await worker.rollout.stop()
            await worker.inference.on_stop()

    asyncio.run(run())


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def test_of_orders_that_come_while_one_is_loaded_the_newest_counts(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    worker = Worker(address, tmp_path)
    stacks.gates["2"] = threading.Event()

    async def scenario() -> None:
        await worker.start()
        await worker.order("instant/2")
        await until(lambda: stacks.loaded == ["2"])
        assert worker.rollout.loading == "instant/2"
        assert worker.rollout.serving == "instant own"
        for stack in ("instant/3", "instant/missing"):
            await worker.order(stack)
        last = await worker.order("instant/4")
        await until(lambda: worker.rollout._next_offset == last + 1)
        stacks.gates["2"].set()
        assert await worker.until_told(last) == Report(ME, last, "instant 4")
        assert stacks.loaded == ["2", "4"]
        assert stacks.made["2"].closed
        assert worker.rollout.problem is None

    play(worker, scenario)


def test_a_stack_that_hangs_is_refused_in_time_and_holds_up_no_other(
    address: str, stacks: Stacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(address, tmp_path)
    stacks.gates = {"hangs": threading.Event(), "too": threading.Event()}
    monkeypatch.setattr(deadlines, "STACK_LOADED", 1.0)
    monkeypatch.setattr(deadlines, "SUPERSEDED", 0.2)

    async def scenario() -> None:
        await worker.start()
        refused = await worker.until_told(await worker.order("instant/hangs"))
        assert refused.problem == "It was not loaded within 1 s."
        assert refused.stack == "instant own"
        monkeypatch.setattr(deadlines, "STACK_LOADED", SECONDS)
        await worker.order("instant/too")
        await until(lambda: stacks.loaded[-1] == "too")
        served = await worker.until_told(await worker.order("instant/3"))
        assert served.problem is None
        assert served.stack == worker.rollout.serving == "instant 3"
        for cluster_readiness in stacks.gates.values():
            cluster_readiness.set()
        await until(lambda: {"hangs", "too"} <= stacks.made.keys())
        await until(lambda: stacks.made["hangs"].closed and stacks.made["too"].closed)

    play(worker, scenario)


def test_memory_that_runs_out_a_path_and_hostile_bytes_leave_the_old_one_in_service(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    worker = Worker(address, tmp_path)

    async def scenario() -> None:
        await worker.start()
        served = await worker.until_told(await worker.order("instant/2"))
        assert served.stack == "instant 2"
        for stack, problem in (
            ("instant/huge", "MemoryError()"),
            ("../../etc/passwd", "is no stack"),
            ("\x1b[2J" * 30, "is no stack"),
            ("instant/missing", "It is not there."),
        ):
            refused = await worker.until_told(await worker.order(stack))
            assert problem in (refused.problem or "")
            assert "\x1b" not in (refused.problem or "")
            assert refused.stack == "instant 2"
        assert stacks.loaded == ["2", "huge", "missing"]
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            for key, value in HOSTILE:
                await producer.send_and_wait(Worker.names.stacks, value, key=key, partition=0)
        served = await worker.until_told(await worker.order("instant/3"))
        assert served.stack == "instant 3"
        back = await worker.until_told(await worker.order(None))
        assert back.stack == "instant own"

    play(worker, scenario)


def test_a_worker_that_starts_serves_the_order_or_what_served_before_it(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    first, second = Worker(address, tmp_path), Worker(address, tmp_path)

    async def before() -> None:
        await first.start()
        for stack in ("instant/2", "instant/3", "instant/missing"):
            await first.until_told(await first.order(stack))

    play(first, before)
    stacks.loaded.clear()

    async def after() -> None:
        await second.start()
        assert second.rollout.serving == "instant 3"
        assert second.rollout.problem == "It is not there."
        assert stacks.loaded == ["missing", "3"]

    play(second, after)


def test_a_stack_in_whose_loading_a_worker_died_again_and_again_is_not_tried_again(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    workers = [Worker(address, tmp_path) for _ in range(2)]

    async def once_more() -> None:
        cluster, order = workers[0].settings.cluster, await workers[0].order("instant/2")
        stacks.gates["2"] = threading.Event()
        await report(cluster, Report(ME, order, "instant own", None, "instant/2", MAX_TRIES - 1))
        starting = asyncio.create_task(workers[0].start())
        await until(lambda: stacks.loaded == ["2"])
        said = (await rollout_state(cluster)).reports[ME]
        assert said.loading == "instant/2"
        assert said.tries == MAX_TRIES
        starting.cancel()  # as if the worker had been killed
        stacks.gates["2"].set()

    play(workers[0], once_more)

    async def not_again() -> None:
        await workers[1].start()
        assert workers[1].rollout.serving == "instant own"
        assert workers[1].rollout.problem == "This worker has ended 3 times while it loaded it."

    play(workers[1], not_again)


def test_a_worker_that_follows_orders_says_what_it_serves_before_there_is_one(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    worker = Worker(address, tmp_path)

    async def scenario() -> None:
        await worker.start()
        said = (await rollout_state(worker.settings.cluster)).reports
        assert said == {ME: Report(ME, deployments.NONE, "instant own")}
        assert stacks.loaded == []

    play(worker, scenario)


def own(directory: Path) -> Instant:
    """Return the stack of the settings, which has the manifest in ``directory``."""
    made = Instant({"cat": 1.0, "dog": 0.0}, "2")
    made.manifest = load_manifest(directory)
    return made


def test_the_own_stack_is_not_loaded_again_where_the_folder_has_the_same(
    address: str, stacks: Stacks, tmp_path: Path
) -> None:
    worker = Worker(address, tmp_path, own(add(tmp_path, "instant", "2")))

    async def scenario() -> None:
        await worker.start()
        for stack in ("instant/2", None):
            served = await worker.until_told(await worker.order(stack))
            assert served.problem is None
            assert served.stack == "instant 2"
        assert stacks.loaded == []

    play(worker, scenario)


@pytest.mark.parametrize("own_one", ["has another manifest", "has none", "is alone"])
def test_a_namesake_of_what_is_ordered_is_replaced(
    address: str, stacks: Stacks, tmp_path: Path, own_one: str
) -> None:
    if own_one == "has none":
        worker = Worker(address, tmp_path, Instant({"cat": 1.0, "dog": 0.0}, "2"))
    else:
        worker = Worker(address, tmp_path, own(add(tmp_path / "elsewhere", "instant", "2")))
    if own_one != "is alone":
        add(tmp_path, "instant", "2", classes=["bird", "fish"])

    async def scenario() -> None:
        await worker.start()
        for _ in range(2):  # the second time it serves already
            await worker.until_told(await worker.order("instant/2"))
            assert stacks.loaded == ["2"]
            assert worker.inference.classifier is stacks.made["2"]

    play(worker, scenario)
