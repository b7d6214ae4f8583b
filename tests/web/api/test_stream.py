"""Tests of the API's access to the stream: known results and a silent Kafka show at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import MessageSizeTooLargeError, TopicAuthorizationFailedError

from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.lookup import Found
from catdog_stream.memory import LOOKUPS
from catdog_stream.messages.requests.request import Request, RequestParser
from catdog_stream.messages.wire import Headers, Source
from catdog_stream.settings import Settings
from catdog_stream.web.api import stream as stream_module
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.stream import Picture, Stream
from tests.web.api.kafkas import Kafka
from tests.web.api.replies import label

DEADLINE = 10.0


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Return a replacement of Kafka."""
    made = Kafka()
    made.stand_in(monkeypatch)
    return made


def play(scenario: Callable[[Stream], Awaitable[None]]) -> None:
    async def run() -> None:
        stream = Stream(Settings().cluster, Settings().request_parser)
        async with asyncio.timeout(DEADLINE):
            await scenario(stream)
        stream.close()

    asyncio.run(run())


async def ask(stream: Stream, pictures: Sequence[bytes], seconds: float) -> list[str]:
    """Return the state of each picture."""
    async with stream.ask([Picture(data, "u") for data in pictures]) as asked:
        states = await asked.states(seconds)
    return ["waiting" if state.answer is None else state.answer.status for state in states]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_who_waits_has_all_answers_as_soon_as_they_are_there(kafka: Kafka) -> None:
    async def scenario(stream: Stream) -> None:
        waiting = asyncio.create_task(ask(stream, [b"a", b"b"], DEADLINE))
        await until(lambda: len(kafka.asked) == 2)
        kafka.answer(1)
        kafka.answer(0)
        assert await waiting == ["labelled", "labelled"]

    play(scenario)


def test_who_waits_no_longer_has_what_there_is(kafka: Kafka) -> None:
    async def scenario(stream: Stream) -> None:
        assert await ask(stream, [b"a"], 0.01) == ["waiting"]
        assert await ask(stream, [b"a"], 0) == ["waiting"]
        assert all(question.reply.cancelled() for question in kafka.asked)
        assert kafka.opened == 1

    play(scenario)


def test_what_was_sent_from_here_is_known_before_and_after_its_answer(kafka: Kafka) -> None:
    async def scenario(stream: Stream) -> None:
        source = Source("catdogimage", 0, 0)
        await ask(stream, [b"a"], 0)
        state = await stream.look(source)
        assert state is not None
        assert (state.answer, state.url) == (None, "u")
        kafka.answer(0)
        state = await stream.look(source)
        assert state is not None
        assert state.answer is not None

    play(scenario)


def test_what_is_not_known_is_looked_up_and_then_known(kafka: Kafka) -> None:
    source = Source("catdogimage", 0, 7)
    reply = label(source)

    async def scenario(stream: Stream) -> None:
        assert await stream.look(source) is None
        kafka.found[source] = Found(reply.record, reply, complete=True)
        assert await stream.look(source) is not None
        kafka.error = BrokerError("No broker.")
        assert await stream.look(source) is not None

    play(scenario)


def test_an_answer_that_was_not_found_in_time_is_not_one_that_is_not_there(kafka: Kafka) -> None:
    source = Source("catdogimage", 0, 7)
    kafka.found[source] = Found(label(source).record, None, complete=False)

    async def scenario(stream: Stream) -> None:
        with pytest.raises(Problem) as told:
            await stream.look(source)
        assert told.value.status == 503

    play(scenario)


def test_without_kafka_it_says_so_and_not_where_it_is(kafka: Kafka) -> None:
    kafka.error = BrokerError("No broker answers at kafka://secret-place:9092.")

    async def scenario(stream: Stream) -> None:
        for asked in (ask(stream, [b"a"], 0), stream.look(Source("catdogimage", 0, 7))):
            with pytest.raises(Problem) as told:
                await asked
            assert told.value.status == 503
            assert told.value.headers["Retry-After"]
            assert "secret" not in told.value.detail
        kafka.error = None
        assert await ask(stream, [b"a"], 0) == ["waiting"]
        assert kafka.opened == 2, "another connection"

    play(scenario)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (MessageSizeTooLargeError(), 413),
        (TopicAuthorizationFailedError("catdogimage"), 403),
        (BrokerError("User secret may not.", Refusal.ACCESS), 403),
        (BrokerError("No record of secret.", Refusal.RECORD), 403),
    ],
)
def test_what_kafka_refuses_for_good_is_not_to_be_tried_again(
    kafka: Kafka, refused: Exception, status: int
) -> None:
    async def scenario(stream: Stream) -> None:
        kafka.error = refused
        with pytest.raises(Problem) as told:
            await ask(stream, [b"a"], 0)
        assert told.value.status == status
        assert "Retry-After" not in told.value.headers
        assert "secret" not in told.value.detail
        assert stream.problem is not None
        kafka.error = None
        assert await ask(stream, [b"a"], 0) == ["waiting"]
        assert stream.problem is None

    play(scenario)


def test_only_so_many_are_looked_up_at_a_time(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "MAX_LOOKUPS", 0)

    async def scenario(stream: Stream) -> None:
        with pytest.raises(Problem) as told:
            await stream.look(Source("catdogimage", 0, 7))
        assert told.value.status == 503

    play(scenario)
    assert not kafka.asked


@pytest.mark.usefixtures("kafka")
def test_a_client_that_has_many_looked_up_turns_nobody_else_away() -> None:
    async def scenario(stream: Stream) -> None:
        source = Source("catdogimage", 0, 7)
        stream._lookups["10.0.0.1"] = stream_module.MAX_LOOKUPS_OF_ONE
        with pytest.raises(Problem) as told:
            await stream.look(source, "10.0.0.1")
        assert told.value.status == 429
        assert await stream.look(source, "10.0.0.2") is None
        assert set(stream._lookups) == {"10.0.0.1"}, "what is over is not kept"

    play(scenario)


def test_look_ups_run_side_by_side(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    running, gate = list[Source](), asyncio.Event()

    @asynccontextmanager
    async def lookup(_cluster: object) -> AsyncIterator[object]:
        lock = asyncio.Lock()

        async def find(source: Source) -> None:
            async with lock:  # the real one has one position in each partition
                running.append(source)
                await gate.wait()

        yield SimpleNamespace(find=find, broken=False)

    monkeypatch.setattr(stream_module, "lookup", lookup)

    async def scenario(stream: Stream) -> None:
        sources = [Source("catdogimage", 0, number) for number in range(LOOKUPS + 2)]
        looking = [asyncio.create_task(stream.look(source)) for source in sources]
        await until(lambda: len(running) == LOOKUPS)
        await asyncio.sleep(0.01)
        assert len(running) == LOOKUPS
        gate.set()
        assert await asyncio.gather(*looking) == [None] * len(sources)

    play(scenario)
    assert not kafka.asked


REQUESTS = [
    (Settings(url_field="from.url"), b'{"from": {"url": "a/b"}, "data": "YQ=="}', ()),
    (Settings(), b'{"url": "a/b", "data": "no base64!"}', ()),
    (Settings(), b'{"url": "a/b"}', ()),
    (Settings(max_image_bytes=1), b'{"url": "a/b", "data": "YWJj"}', ()),
    (Settings(request_format="raw"), b"picture", (("url", b"a/b"),)),
    (
        Settings(request_format="auto"),
        b"picture",
        (("ce_specversion", b"1.0"), ("ce_subject", b"a/b")),
    ),
    (
        Settings(request_format="cloudevents"),
        b'{"specversion": "1.0", "subject": "a/b", "data_base64": 7}',
        (),
    ),
]


@pytest.mark.parametrize(("settings", "value", "headers"), REQUESTS)
def test_the_url_of_an_image_is_read_in_the_format_of_the_requests(
    kafka: Kafka, settings: Settings, value: bytes, headers: Headers
) -> None:
    source = Source("catdogimage", 1, 7)
    record = ConsumerRecord("catdogimage", 1, 7, 0, 0, None, value, None, 0, 0, headers)
    kafka.found[source] = Found(record, None, complete=True)

    async def run() -> None:
        stream = Stream(settings.cluster, settings.request_parser)
        state = await stream.look(source)
        assert state is not None
        assert state.url == "a/b"
        stream.close()

    asyncio.run(run())


def test_an_image_that_cannot_be_read_has_no_url() -> None:
    class Broken:
        def read(self, *_: object) -> Request:
            raise KeyError("fault")

        def write(self, *_: object) -> tuple[bytes, Headers]:
            raise NotImplementedError

    assert RequestParser(Broken(), 100).url(b"picture", ()) is None
    for value in (None, b"", b"[1]", b'{"url": 7}', b"[" * 200_000):
        assert Settings().request_parser.url(value, ()) is None


def test_a_worker_that_ends_lets_everybody_go(kafka: Kafka) -> None:
    async def scenario(stream: Stream) -> None:
        waiting = asyncio.create_task(ask(stream, [b"a"], 10 * DEADLINE))
        await until(lambda: len(kafka.asked) == 1)
        stream.close()
        assert await waiting == ["waiting"]
        with pytest.raises(Problem):
            await ask(stream, [b"a"], 0)

    play(scenario)
