"""Tests of files that cannot be sent: they are named and skipped; the rest is sent."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.brokers import own_broker
from tests.support.names import REQUESTS

pytestmark = [pytest.mark.integration, pytest.mark.long]

LIMIT = 20_000
SECONDS = 60


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Yield a broker whose topic of requests accepts only small records."""

    async def create(address: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        small = {"max.message.bytes": str(LIMIT)}
        await admin.create_topics([NewTopic(REQUESTS, 1, 1, topic_configs=small)])
        await admin.close()

    with own_broker(tmp_path_factory.mktemp("broker")) as kafka:
        asyncio.run(create(kafka.address))
        yield kafka


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return pictures; one exceeds the topic's limit, one any limit, and one cannot be read."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "c.png", "e.png", "g.png"):
        (pictures / name).write_bytes(b"x")
    (pictures / "b.png").write_bytes(bytes(LIMIT))
    with (pictures / "d.png").open("wb") as huge:
        huge.truncate(100 * 2**30)
    (pictures / "f.png").symlink_to("/proc/self/mem")  # read() fails, for root too
    return pictures


def send(broker: LocalKafka, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", "send", *arguments],
        env={**os.environ, "CATDOG_BROKER": broker.address},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_what_cannot_be_sent_is_named_and_the_rest_is_sent(
    broker: LocalKafka, folder: Path
) -> None:
    answer = send(broker, str(folder))
    assert answer.returncode == 1
    *named, last = answer.stderr.splitlines()
    assert [line.partition(": not sent: ")[0] for line in named] == [
        str(folder / name) for name in ("b.png", "d.png", "f.png")
    ]
    assert all("too large" in line for line in named[:2]), named
    assert last == "Error: Sent 4 requests to catdogimage: 3 of 7 pictures were not sent."


def test_who_waits_learns_it_too(broker: LocalKafka, folder: Path) -> None:
    answer = send(broker, "--wait", "--timeout", "1", str(folder))
    assert answer.returncode == 1
    assert f"{folder / 'b.png'}: not sent: " in answer.stderr
    assert answer.stderr.endswith(
        "Of 7 pictures 3 were not sent, 0 were rejected and 4 not answered.\n"
    )
