"""Test that a run measures only its own requests, even if earlier runs left some behind."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from benchmarks.backlog import create_topics, names, queue
from benchmarks.measuring import Pace, work_off
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.worker import Worker
from tests.support.fleet import GROUP

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_requests_of_earlier_runs_are_not_measured(tmp_path: Path) -> None:
    async def twice(address: str) -> list[Pace]:
        start = partial(Worker, address, tmp_path, module="benchmarks.instant_worker")
        await create_topics(address)
        await queue(address, names(50), [b"left behind"] * 50)  # their labels are errors
        return [
            await work_off(address, GROUP, [b"picture"] * 100, start, by_thread=True)
            for _ in range(2)
        ]

    with own_broker(tmp_path / "broker") as broker:
        for pace in asyncio.run(twice(broker.address)):
            assert pace.per_s > 0
            assert {"program", "client", "broker", "program: main"} <= pace.cpu_s.keys()
