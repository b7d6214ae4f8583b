"""Tests of the first connection of a worker's clients, without a broker."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError
from mode import Service

from catdog_stream import deadlines
from catdog_stream.app import build_app
from catdog_stream.delivery.first_connection import connect
from catdog_stream.settings import Settings
from catdog_stream.testing.ports import free_ports

DEADLINE = 10.0


def nowhere() -> Settings:
    """Return settings that name an address where no broker listens."""
    return Settings(broker=f"kafka://127.0.0.1:{free_ports(1)[0]}")


def test_a_client_connects_as_soon_as_a_broker_answers_and_the_log_says_once_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deadlines, "TRY_AGAIN", 0.0)
    failures = [KafkaConnectionError(), KafkaConnectionError()]

    async def start() -> None:
        if failures:
            raise failures.pop()

    async def scenario() -> None:
        await connect(Service(), start, nowhere().cluster)

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))
    assert not failures
    assert caplog.text.count("No Kafka broker answers") == 1


def test_a_service_that_stops_waits_no_longer() -> None:
    async def scenario() -> None:
        service = Service()
        waiting = asyncio.ensure_future(connect(service, asyncio.Event().wait, nowhere().cluster))
        await asyncio.sleep(0)
        await service.stop()
        await waiting

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_command_reports_that_no_broker_answers() -> None:
    async def scenario() -> None:
        with pytest.raises(KafkaConnectionError):
            await build_app(nowhere()).producer.maybe_start()

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))
