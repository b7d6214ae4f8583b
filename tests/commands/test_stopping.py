"""Tests of Ctrl-C and SIGTERM: they end each command soon, at any moment, with the right status."""

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from catdog_stream.broker import LocalKafka
from catdog_stream.commands.stopping import Signals, Stopped
from catdog_stream.models.stacks.locate import samples
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from tests.support.command import Command, Surroundings, catdog_stream
from tests.support.names import REQUESTS

COMMANDS = ("watch", "send", "send --wait", "replay", "evaluate", "broker", "up", "up --samples")
#: Seconds. The commands take one; a test machine may be busy, and a worker drains.
SOON, DRAINED = 2.0, 10.0
MOMENTS = 20
MANY = 3000
_random = random.Random(20)
CASES = [
    pytest.param(
        *(COMMANDS[number % len(COMMANDS)], _random.uniform(0, 3), sent, _random.random() < 0.5),
        marks=[] if number < len(COMMANDS) else pytest.mark.long,
    )
    for number, sent in enumerate((signal.SIGINT, signal.SIGTERM) * (MOMENTS // 2))
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with enough labelled pictures to keep each command busy for long."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(MANY):
        label = ("cat", "dog")[number % 2]
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{number}.jpg").symlink_to(samples() / "cat-kitten.jpg")
    return folder


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Yield a broker of its own: the requests of these tests get no answers."""
    with own_broker(tmp_path_factory.mktemp("broker")) as kafka:
        yield kafka


@pytest.fixture
def around(broker: LocalKafka, tmp_path: Path) -> Surroundings:
    """Return an environment in which a broker answers."""
    surroundings = Surroundings(tmp_path)
    surroundings.environment["CATDOG_BROKER"] = broker.address
    return surroundings


def start(name: str, pictures: Path, around: Surroundings) -> Command:
    arguments = name.split()
    if arguments[0] in ("send", "evaluate"):
        arguments.append(str(pictures))
    if arguments[0] in ("up", "broker"):  # each runs its own Kafka
        around.environment["CATDOG_BROKER"] = f"127.0.0.1:{around.broker_port}"
    return Command(catdog_stream(*arguments), around.environment, around.folder)


def statuses(name: str, number: int) -> set[int]:
    """Return the possible statuses after a signal; the last is for a signal during imports."""
    if name == "evaluate":
        return {0, -number}
    return {128 + number if name.startswith("send") else 0, -number}


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize(("name", "moment", "number", "twice"), CASES)
def test_a_signal_at_any_moment_ends_it_soon_and_quietly(
    name: str, moment: float, number: int, twice: bool, pictures: Path, around: Surroundings
) -> None:
    with start(name, pictures, around) as command:
        time.sleep(moment)  # the moment is under test
        if command.process.poll() is not None:
            assert name in ("send", "replay"), command.output()
            assert command.process.returncode == 0, command.output()
            return
        command.process.send_signal(number)
        if twice:
            command.process.send_signal(number)
        started = time.monotonic()
        status = command.wait()
        seconds = time.monotonic() - started
    done = name == "send" and f"Sent {MANY} requests" in command.output()
    assert status in statuses(name, number) or (done and status == 0), command.output()
    # Python's own start, before any code of this project runs, is out of its control.
    assert "Traceback" not in command.output() or "catdog" not in command.output()
    assert "rror" not in command.output() or "catdog" not in command.output()
    assert seconds < (DRAINED if name.startswith("up") else SOON)


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_send_says_how_many_went_out(number: int, pictures: Path, around: Surroundings) -> None:
    # No worker answers, so that the command waits for ever.
    (around.folder / "few").mkdir()
    for file in sorted((pictures / "cat").iterdir())[:3]:
        (around.folder / "few" / file.name).symlink_to(file)
    address = around.environment["CATDOG_BROKER"]
    before = requests_at(address)
    with start("send --wait --timeout 600", around.folder / "few", around) as command:
        wait_until(lambda: requests_at(address) == before + 3, "all requests to be in Kafka")
        wait_until(lambda: is_waiting(command), "it to wait for its answers")
        command.process.send_signal(number)
        assert command.wait(SOON) == 128 + number
    assert "Sent 3 of 3 requests to catdogimage.\n" in command.output()


def requests_at(address: str) -> int:
    """Return the number of records that were ever written to the topic of requests."""
    reader = Consumer({"bootstrap.servers": address, "group.id": "reader"})
    try:
        partitions = reader.list_topics(REQUESTS).topics[REQUESTS].partitions
        return sum(
            reader.get_watermark_offsets(TopicPartition(REQUESTS, number))[1]
            for number in partitions
        )
    except KafkaException:  # the topic is being created
        return 0
    finally:
        reader.close()


def is_waiting(command: Command) -> bool:
    """Return True if the command is idle: its CPU time does not grow for half a second."""

    def used() -> int:
        fields = Path(f"/proc/{command.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = used()
    time.sleep(0.5)
    ticks = os.sysconf("SC_CLK_TCK")
    return before > 0.5 * ticks and used() - before <= 0.05 * ticks


@pytest.mark.integration
@pytest.mark.parametrize("name", ["watch", "send", "send --wait", "replay"])
def test_a_broker_that_hangs_does_not_keep_it(
    name: str, pictures: Path, broker: LocalKafka, around: Surroundings
) -> None:
    broker.pause()
    try:
        with start(name, pictures, around) as command:
            wait_until(lambda: is_waiting(command), "it to wait for the broker")
            command.process.send_signal(signal.SIGINT)
            assert command.wait(SOON) in statuses(name, signal.SIGINT)
    finally:
        broker.resume()
    assert "Traceback" not in command.output()
    if name.startswith("send"):
        assert re.search(rf"^Sent 0 of {MANY} requests", command.output(), re.MULTILINE)


def test_a_signal_that_came_earlier_is_not_lost() -> None:
    signals = Signals()
    signals.receive(signal.SIGTERM, None)
    with pytest.raises(Stopped) as stopped, signals.interrupting():
        raise AssertionError("the block must not begin")
    assert stopped.value.exit_code == 143


def test_a_signal_whose_exception_was_lost_ends_the_block_after_all() -> None:
    signals = Signals()

    def lose_it() -> None:
        with signals.interrupting():
            with suppress(Stopped):  # as Python does in a destructor
                signals.receive(signal.SIGINT, None)
            signals.receive(signal.SIGINT, None)  # does not interrupt the clean-up

    with pytest.raises(Stopped):
        lose_it()


async def left_behind(end: Callable[[], Awaitable[object]]) -> AsyncGenerator[None, None]:
    """Return a generator that waits for its next call, or for its end."""

    async def generate() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await end()

    generator = generate()
    await anext(generator)
    return generator


def test_a_generator_that_is_left_behind_is_closed() -> None:
    ended = asyncio.Event()

    async def end() -> None:
        await asyncio.sleep(0)
        ended.set()

    _kept = Signals().run(left_behind(end))
    assert ended.is_set()


def test_a_generator_that_cannot_be_closed_is_not_waited_for() -> None:
    started = time.monotonic()
    _kept = Signals().run(left_behind(lambda: asyncio.sleep(60)))
    assert time.monotonic() - started < SOON
