"""Tests from request to answer: order, acknowledgement at the end, isolated failures."""

import asyncio
import base64
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import orjson
import pytest

from catdog_stream.errors import Reason, RejectedRequest, TooManyRejectedError
from catdog_stream.fetching.references import References
from catdog_stream.messages.requests.json_format import JsonFormat
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import (
    PartitionFlow,
)
from catdog_stream.pipeline.pipeline import Classified, Outcome, Pipeline
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.serving import Serving

DEADLINE = 30.0
CAT, DOG = Verdict({"cat": 1.0, "dog": 0.0}, "test 1"), Verdict({"cat": 0.0, "dog": 1.0}, "test 1")


class Model:
    """Classifier of one-byte pictures: ``c`` is a cat, ``d`` a dog, and the others cause errors.

    ``x`` is no picture, ``!`` breaks the decoder, and ``#`` breaks every batch that it is in.
    """

    name, version, engine = "test", "1", "none"
    classes = ("cat", "dog")
    batch_size, on_gpu = 4, True  # one batch at a time

    def __init__(self, seed: int = 0, jitter: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._jitter = jitter
        self.batches: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def prepare(self, data: bytes) -> Picture:
        time.sleep(self._random.random() * self._jitter)
        if data == b"x":
            raise RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture.")
        if data == b"!":
            raise ZeroDivisionError
        return np.full((1, 1, 3), data[0], np.uint8)

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        self.batches.append(len(pictures))
        assert self.go_on.wait(DEADLINE)
        time.sleep(self._random.random() * self._jitter)
        letters = [chr(picture[0, 0, 0]) for picture in pictures]
        if "#" in letters:
            raise ArithmeticError
        return [CAT if letter == "c" else DOG for letter in letters]

    def warm_up(self) -> None:
        """Do nothing: the model is always warm."""

    def close(self) -> None:
        """Do nothing: the model has no resources."""


@dataclass
class Kafka:
    """Publisher that confirms answers after a while, and fails when the test says so."""

    seed: int = 0
    jitter: float = 0.0
    refuses: Source | None = None
    cuts_off: Source | None = None
    handed_over: list[tuple[Source, Outcome]] = field(default_factory=list)
    confirmed: set[Source] = field(default_factory=set)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.hold.set()

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        await asyncio.sleep(self._random.random() * self.jitter)
        if incoming.source == self.cuts_off:
            raise ConnectionError("no producer")
        self.handed_over.append((incoming.source, outcome))
        return asyncio.ensure_future(self._confirm(incoming.source, outcome))

    async def _confirm(self, source: Source, outcome: Outcome) -> Outcome:
        await self.hold.wait()
        await asyncio.sleep(self._random.random() * self.jitter)
        if source == self.refuses:
            raise ConnectionError("Kafka is gone")
        self.confirmed.add(source)
        return outcome

    def outcomes(self) -> dict[Source, str]:
        """Return the outcome of each request: a label or a reason."""
        return {
            source: outcome.verdict.label if isinstance(outcome, Classified) else outcome.reason
            for source, outcome in self.handed_over
        }


@dataclass
class Scene:
    """Running pipeline with its environment."""

    pipeline: Pipeline
    serving: Serving
    model: Model
    kafka: Kafka
    failures: list[BaseException]
    acknowledged: list[Source] = field(default_factory=list)
    _next: dict[int, int] = field(default_factory=dict)

    async def submit(
        self,
        letter: str,
        partition: int = 0,
        rejected: RejectedRequest | None = None,
        reference: str | None = None,
    ) -> Source:
        """Submit the next request of a partition, with a picture or a reference to it."""
        offset = self._next.get(partition, 0)
        self._next[partition] = offset + 1
        source = Source("catdogimage", partition, offset)
        data = base64.b64encode(letter.encode()).decode()
        value = orjson.dumps({"url": str(source), "data": data})
        if reference is not None:
            value = orjson.dumps({"url": reference})

        async def acknowledge(_outcome: Outcome) -> None:
            assert source in self.kafka.confirmed, "acknowledged before Kafka had the answer"
            self.acknowledged.append(source)

        incoming = Incoming(source, None, value, (), None)
        await self.pipeline.submit(incoming, acknowledge, rejected=rejected)
        return source

    async def all_answered(self) -> None:
        await until(lambda: self.pipeline.in_flight == 0)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def stays_so(condition: Callable[[], bool]) -> None:
    """Check that the condition holds for many turns of the loop and of the threads."""
    for _ in range(50):
        assert condition()
        await asyncio.sleep(0.001)


async def always() -> bool:
    return True


@asynccontextmanager
async def scene(
    model: Model | None = None,
    kafka: Kafka | None = None,
    max_in_flight: int = 16,
    max_rejected_in_a_row: int = 1000,
    owns: Callable[[], Awaitable[bool]] = always,
    references: References | None = None,
    flow: PartitionFlow | None = None,
) -> AsyncIterator[Scene]:
    model, kafka = model or Model(), kafka or Kafka()
    failures: list[BaseException] = []
    runner = ModelRunner(
        lambda: model, parallel=1, timeout=DEADLINE, max_hangs=1, on_failure=failures.append
    )
    await runner.start()
    serving = Serving(max_wait=0.005, on_failure=failures.append)
    await serving.take_over(runner)
    pipeline = Pipeline(
        serving,
        kafka,
        owns=owns,
        limit=RejectionLimit(in_a_row=max_rejected_in_a_row, share=1.0, window=1000),
        on_failure=failures.append,
        parser=RequestParser(JsonFormat(), 100),
        max_in_flight=max_in_flight,
        decode_threads=3,
        observers=Observers(),
        references=references,
        flow=flow,
    )
    pipeline.start()
    try:
        async with asyncio.timeout(DEADLINE):
            yield Scene(pipeline, serving, model, kafka, failures)
    finally:
        model.go_on.set()
        await pipeline.stop()
        await serving.stop()


def play(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(8))
def test_answers_leave_in_the_order_of_their_partition_whoever_is_ready_first(seed: int) -> None:
    dice = random.Random(seed)
    letters = dice.choices("cdx!#", weights=[8, 8, 2, 1, 1], k=120)
    fate = {
        "c": "cat",
        "d": "dog",
        "x": "not_an_image",
        "!": "internal_error",
        "#": "internal_error",
    }

    async def scenario() -> None:
        async with scene(Model(seed, 0.002), Kafka(seed, 0.001)) as it:
            expected = {
                await it.submit(letter, partition=dice.randrange(3)): fate[letter]
                for letter in letters
            }
            await it.all_answered()
            assert it.kafka.outcomes() == expected
            assert len(it.kafka.handed_over) == len(letters)
            for partition in range(3):
                sent = [source for source in expected if source.partition == partition]
                answered = [source for source, _ in it.kafka.handed_over]
                assert [source for source in answered if source.partition == partition] == sent
                assert [source for source in it.acknowledged if source.partition == partition] == (
                    sent
                )
            assert it.failures == []

    play(scenario)


def test_a_request_that_is_rejected_beforehand_is_read_by_nobody() -> None:
    async def scenario() -> None:
        async with scene() as it:
            error = RejectedRequest(Reason.STOPPED_WORKERS, "Workers died.")
            sources = [
                await it.submit("c"),
                await it.submit("!", rejected=error),
                await it.submit("d"),
            ]
            await it.all_answered()
            assert [it.kafka.outcomes()[source] for source in sources] == [
                *("cat", "stopped_workers", "dog")
            ]
            assert it.acknowledged == sources

    play(scenario)


def test_the_url_of_a_request_comes_back_with_its_verdict() -> None:
    async def scenario() -> None:
        async with scene() as it:
            source = await it.submit("d")
            await it.all_answered()
            assert it.kafka.handed_over == [(source, Classified(str(source), DOG))]

    play(scenario)


def test_a_picture_that_breaks_the_model_costs_its_batch_nothing() -> None:
    async def scenario() -> None:
        async with scene() as it:
            it.model.go_on.clear()
            first = await it.submit("c")
            await until(lambda: it.model.batches == [1])
            others = [await it.submit(letter) for letter in "c#d"]
            await stays_so(lambda: it.model.batches == [1])  # meanwhile they queue
            it.model.go_on.set()
            await it.all_answered()
            assert it.model.batches == [1, 3, 1, 1, 1]
            assert list(it.kafka.outcomes().values()) == ["cat", "cat", "internal_error", "dog"]
            assert it.acknowledged == [first, *others]

    play(scenario)


def test_nothing_is_acknowledged_before_kafka_has_confirmed_the_answer() -> None:
    async def scenario() -> None:
        async with scene() as it:
            it.kafka.hold.clear()
            sources = [await it.submit("c") for _ in range(3)]
            await until(lambda: len(it.kafka.handed_over) > 0)
            await stays_so(lambda: it.acknowledged == [])
            it.kafka.hold.set()
            await it.all_answered()
            assert it.acknowledged == sources

    play(scenario)


def test_no_more_requests_are_taken_than_may_be_in_flight() -> None:
    async def scenario() -> None:
        async with scene(max_in_flight=3) as it:
            it.kafka.hold.clear()
            for _ in range(3):
                await it.submit("c")
            fourth = asyncio.create_task(it.submit("d"))
            await stays_so(lambda: not fourth.done() and it.pipeline.in_flight == 3)
            it.kafka.hold.set()
            await fourth
            await it.all_answered()
            assert len(it.acknowledged) == 4

    play(scenario)


def test_one_partition_that_waits_holds_up_no_other() -> None:
    async def scenario() -> None:
        slow = Source("catdogimage", 0, 0)
        release = asyncio.Event()

        class SlowForOne(Kafka):
            async def _confirm(self, source: Source, outcome: Outcome) -> Outcome:
                if source == slow:
                    await release.wait()
                return await super()._confirm(source, outcome)

        async with scene(kafka=SlowForOne()) as it:
            await it.submit("c", partition=0)
            others = [await it.submit("d", partition=1) for _ in range(5)]
            await until(lambda: it.acknowledged == others)
            release.set()
            await it.all_answered()
            assert it.acknowledged == [*others, slow]

    play(scenario)


def test_whoever_has_lost_its_place_publishes_nothing_until_the_group_counts_on_it_again() -> None:
    """Pause a worker: another worker may have answered meanwhile."""
    member = False

    async def owns() -> bool:
        return member

    async def scenario() -> None:
        nonlocal member
        async with scene(owns=owns) as it:
            source = await it.submit("c")
            await stays_so(lambda: not it.kafka.confirmed)
            member = True
            await until(lambda: it.acknowledged == [source])

    play(scenario)


def test_a_refused_answer_is_reported_and_nothing_behind_it_acknowledged() -> None:
    async def scenario() -> None:
        async with scene(kafka=Kafka(refuses=Source("catdogimage", 0, 2))) as it:
            it.kafka.hold.clear()
            sources = [await it.submit("c") for _ in range(6)]
            await until(lambda: len(it.kafka.handed_over) > 0)
            it.kafka.hold.set()
            await until(lambda: it.failures != [])
            await stays_so(lambda: it.acknowledged == sources[:2])
            assert [type(failure) for failure in it.failures] == [ConnectionError]

    play(scenario)


def test_a_producer_that_is_gone_is_reported_too() -> None:
    async def scenario() -> None:
        async with scene(kafka=Kafka(cuts_off=Source("catdogimage", 0, 0))) as it:
            await it.submit("c")
            await until(lambda: it.failures != [])
            await stays_so(lambda: it.acknowledged == [])

    play(scenario)


def test_after_a_failure_the_pipeline_stands_still_and_reports_it_once() -> None:
    async def scenario() -> None:
        kafka = Kafka(refuses=Source("catdogimage", 0, 0))
        async with scene(kafka=kafka) as it:
            await it.submit("c", partition=0)
            await until(lambda: it.failures != [])
            it.kafka.refuses = Source("catdogimage", 1, 1)
            for letter in "cdcd":
                await it.submit(letter, partition=1)
            await stays_so(lambda: it.acknowledged == [] and len(it.failures) == 1)

    play(scenario)


def test_a_failing_acknowledgement_is_reported() -> None:
    async def scenario() -> None:
        async def refuse(_outcome: Outcome) -> None:
            raise LookupError

        async with scene() as it:
            incoming = Incoming(Source("catdogimage", 0, 0), None, b"{}", (), None)
            await it.pipeline.submit(incoming, refuse)
            await until(lambda: it.failures != [])
            assert isinstance(it.failures[0], LookupError)

    play(scenario)


def test_stopping_leaves_no_task_no_thread_and_no_acknowledgement() -> None:
    async def scenario() -> None:
        threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
        async with scene(Model(jitter=0.02)) as it:
            for number in range(12):
                await it.submit("c", partition=number % 2)
            await until(lambda: len(it.acknowledged) > 0)
            await it.pipeline.stop()
            await it.serving.stop()
            acknowledged = list(it.acknowledged)
            assert asyncio.all_tasks() <= tasks | {asyncio.current_task()}
            left = set(threading.enumerate()) - threads
            assert [thread.name for thread in left if not thread.name.startswith("asyncio")] == []
            await stays_so(lambda: it.acknowledged == acknowledged)
            assert it.failures == []

    play(scenario)


def test_one_rejection_too_many_stops_the_worker_before_it_leaves() -> None:
    async def scenario() -> None:
        async with scene(max_rejected_in_a_row=2) as at:
            for letter in "xcxxxc":
                await at.submit(letter)
            await until(lambda: bool(at.failures))
            assert isinstance(at.failures[0], TooManyRejectedError)
            assert list(at.kafka.outcomes().values()).count("not_an_image") <= 3
            assert len(at.acknowledged) < 6

    play(scenario)


def test_what_is_abandoned_is_not_acknowledged_and_what_comes_next_is_answered() -> None:
    async def scenario() -> None:
        async with scene(max_in_flight=4) as at:
            at.model.go_on.clear()
            for _ in range(4):
                await at.submit("c")
            await until(lambda: bool(at.model.batches))
            await at.pipeline.abandon()
            assert at.pipeline.in_flight == 0
            assert not at.acknowledged
            at.model.go_on.set()
            again = [await at.submit("d", partition=1) for _ in range(5)]
            await at.all_answered()
            assert at.acknowledged == again

    play(scenario)


def test_a_request_that_waited_for_room_is_dropped_with_those_before_it() -> None:
    """Drop it, too: otherwise it would be answered before those that are delivered again."""

    async def scenario() -> None:
        async with scene(max_in_flight=2) as it:
            it.model.go_on.clear()
            for _ in range(2):
                await it.submit("c")
            waiting = asyncio.create_task(it.submit("d"))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await it.pipeline.abandon()
            it.model.go_on.set()
            await waiting
            assert it.pipeline.in_flight == 0
            for _ in range(3):
                await it.submit("c", partition=1)
            await until(lambda: len(it.acknowledged) == 3)
            assert {source.partition for source in it.acknowledged} == {1}

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(3))
def test_a_classifier_that_takes_over_costs_no_request_and_the_old_one_is_let_go(seed: int) -> None:
    """Replace it under load, with bad pictures and an abandoned batch: all leases are released."""
    dice = random.Random(seed)

    async def scenario() -> None:
        async with scene(Model(seed, 0.002), Kafka(seed, 0.001), max_in_flight=64) as it:
            change: list[asyncio.Task[None]] = []
            for number in range(120):
                await it.submit(dice.choice("cdx!#"), number % 3)
                if number == 40:
                    await it.pipeline.abandon()
                if number in (60, 90):
                    runner = ModelRunner(
                        lambda: Model(seed, 0.002),
                        parallel=1,
                        timeout=DEADLINE,
                        max_hangs=1,
                        on_failure=it.failures.append,
                    )
                    await runner.start()
                    change.append(asyncio.create_task(it.serving.take_over(runner)))
            await it.all_answered()
            await asyncio.gather(*change)
            assert it.failures == []

    play(scenario)
