"""Tests of the example of docs/testing.md: answers joined with their requests.

They use only the public test kit.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.settings import Settings
from catdog_stream.testing import Answered, own_broker, publish_answers
from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command
from tests.support.examples import AUDIT

pytestmark = [pytest.mark.integration, pytest.mark.long]

MANY = 113


def test_every_answer_is_joined_with_its_request_also_over_a_restart(tmp_path: Path) -> None:
    (tmp_path / "audit.py").write_text(AUDIT)
    with own_broker(tmp_path / "broker") as broker:
        cluster = Settings(broker=f"kafka://{broker.address}").cluster
        environment = {
            **os.environ,
            "CATDOG_BROKER": f"kafka://{broker.address}",
            "APP_DATADIR": str(tmp_path / "data"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "audit.py", "worker", "-l", "info"]
        bad = RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture.")
        answers = [bad if n % 7 == 0 else {"cat": 0.9, "dog": 0.1} for n in range(MANY)]

        def published() -> list[Answered]:
            return asyncio.run(publish_answers(cluster, answers))

        written = published()
        asyncio.run(forge(broker.address))
        with Command(command, environment, tmp_path) as audit:
            lines = asyncio.run(audited(broker.address, written))
            audit.process.terminate()
            assert audit.wait() == 0, audit.output()
        check(lines, written)
        written += published()
        with Command(command, environment, tmp_path) as audit:
            lines = asyncio.run(audited(broker.address, written))
            check(lines, written)
            ours = {str(one.source) for one in written}
            joined = [line for line in lines if line["source"] in ours]
            assert len(joined) == len(written), "a restart reads again what was done"
            assert audit.process.poll() is None, audit.output()


async def forge(address: str) -> None:
    """Write labels of requests that do not exist, and labels that are no JSON."""
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for source in (b"catdogimage/0/999999", b"catdogimage/99/0", b"other/0/0", b"?"):
            label = orjson.dumps({"label": "Probabilities: cat 50.0% dog 50.0%"})
            headers = [("source", source), ("verdict", b"cat")]
            await producer.send_and_wait("catdoglabel", label, headers=headers, partition=0)
        for value in (None, b"", b"not JSON"):
            await producer.send_and_wait("catdoglabel", value, key=b"k", partition=0)


async def audited(address: str, written: list[Answered]) -> list[dict[str, str]]:
    """Return the output of the example when it contains all of ``written``."""
    lines: list[dict[str, str]] = []
    wanted = {str(one.source) for one in written}
    consumer = AIOKafkaConsumer(
        "audit", bootstrap_servers=address, auto_offset_reset="earliest", metadata_max_age_ms=500
    )
    async with asyncio.timeout(PATIENCE), consumer:
        while not wanted <= {line["source"] for line in lines}:
            lines.append(orjson.loads((await anext(consumer)).value or b""))
    return lines


def check(lines: list[dict[str, str]], written: list[Answered]) -> None:
    by_source = {line["source"]: line for line in lines}
    for one in written:
        line = by_source[str(one.source)]
        rejected = isinstance(one.answer, RejectedRequest)
        assert line["answer"] == ("not_an_image" if rejected else "cat")
        assert line["url"] == orjson.loads(one.value)["url"]


def test_the_fixture_writes_what_a_worker_would(
    broker_address: str, answered: Callable[..., list[Answered]]
) -> None:
    (one,) = answered([{"cat": 0.25, "dog": 0.75}])

    async def read() -> tuple[bytes | None, dict[str, bytes]]:
        consumer = AIOKafkaConsumer(
            "catdoglabel", bootstrap_servers=broker_address, auto_offset_reset="earliest"
        )
        async with asyncio.timeout(PATIENCE), consumer:
            async for record in consumer:
                headers = dict(record.headers)
                if headers.get("source") == str(one.source).encode():
                    return record.value, headers
        raise AssertionError

    value, headers = asyncio.run(read())
    assert value == b'{"label": "Probabilities: cat 25.0% dog 75.0%", "url": "0", "data": null}'
    assert (headers["verdict"], headers["dog"], headers["stack"]) == (b"dog", b"0.75", b"testing 1")
