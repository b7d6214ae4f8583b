"""Test of a broker that freezes while a command runs: the command reports it within ten seconds."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from tests.support.command import Command, Surroundings, catdog_stream

pytestmark = [pytest.mark.integration, pytest.mark.long]

SAID = 10.0
FILES = 20_000


def test_commands_say_that_kafka_is_silent_and_that_it_answers_again(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.png").write_bytes(b"%d" % number)
    environment = {
        **Surroundings(tmp_path).environment,
        "CATDOG_BROKER": f"kafka://127.0.0.1:{port}",
    }
    with LocalKafka(port, tmp_path / "kafka") as kafka, ExitStack() as stack:
        watch, send = (
            stack.enter_context(Command(catdog_stream(*arguments), environment, tmp_path))
            for arguments in (("watch",), ("send", str(folder)))
        )
        wait_until(lambda: _topics(kafka), "the topics, and the first requests")
        kafka.pause()
        began = time.monotonic()
        for command in (watch, send):
            wait_until(lambda: "does not answer" in command.output(), "the sentence", SAID)  # noqa: B023
        print(f"said after {time.monotonic() - began:.1f} s")
        assert kafka.address in send.output()
        kafka.resume()
        for command in (watch, send):
            wait_until(lambda: "answers again" in command.output(), "its end", SAID)  # noqa: B023
        assert watch.process.poll() is None
        assert send.process.poll() is None
        assert "Traceback" not in watch.output() + send.output()
        kafka.kill()
        for command in (watch, send):
            wait_until(lambda: "No Kafka broker answers" in command.output(), "that", SAID)  # noqa: B023


def _topics(kafka: LocalKafka) -> bool:
    logs = kafka.data_dir.rglob("catdogimage-[0-9]*/*.log")
    return any(log.stat().st_size for log in logs)
