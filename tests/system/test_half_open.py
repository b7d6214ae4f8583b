"""Test of a worker whose connections stay silent for ever, while other clients get answers."""

import asyncio
import time
from pathlib import Path

import pytest

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, request
from tests.support.proxy import Proxy, two_ways

pytestmark = [pytest.mark.integration, pytest.mark.long]

NOTICED = 15.0
REQUESTS = 40


def test_a_worker_whose_connections_are_half_open_is_not_ready_and_another_answers(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    async def send(address: str) -> None:
        async with Client(address) as client:
            await client.answers(await client.send([request(cat)] * REQUESTS))

    port, behind, inner, proxied = free_ports(4)
    # A second listener that advertises the proxy: clients that connect through it stay behind it.
    kafka = LocalKafka(
        port,
        tmp_path_factory.mktemp("broker"),
        controller_port=behind,
        extra=two_ways(port, behind, inner, proxied),
    )
    settings = {"CATDOG_THREADS": "1"}
    with (
        kafka,
        Proxy(proxied, inner) as proxy,
        Worker(proxy.address, tmp_path, settings=settings) as cut_off,
        Worker(kafka.address, tmp_path, settings=settings) as other,
    ):
        cut_off.wait_ready()
        other.wait_ready()
        wait_until(
            lambda: cut_off.status("/readyz") == 200 == other.status("/readyz"),
            "both to have partitions",
            PATIENCE,
        )
        proxy.stall(new_ones_too=True)
        began = time.monotonic()
        wait_until(lambda: cut_off.status("/readyz") == 503, "it to be said", NOTICED)
        print(f"said after {time.monotonic() - began:.1f} s: {cut_off.get('/readyz')}")
        asyncio.run(send(kafka.address))
        print(f"answered after {time.monotonic() - began:.1f} s by the other")
        assert other.status("/readyz") == 200
        proxy.heal()
        wait_until(lambda: cut_off.status("/readyz") == 200, "it to be back", PATIENCE)
        print(f"ready after {time.monotonic() - began:.1f} s")


def test_a_worker_connects_anew_where_only_its_old_connections_are_silent(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port, behind, inner, proxied = free_ports(4)
    kafka = LocalKafka(
        port,
        tmp_path_factory.mktemp("broker"),
        controller_port=behind,
        extra=two_ways(port, behind, inner, proxied),
    )
    with kafka, Proxy(proxied, inner) as proxy, Worker(proxy.address, tmp_path) as worker:
        worker.wait_ready()
        proxy.stall()
        began = time.monotonic()
        wait_until(lambda: "Marking the coordinator dead" in worker.log.read_text(), "it to notice")
        wait_until(lambda: worker.status("/readyz") == 200, "it to be back", NOTICED)
        print(f"back after {time.monotonic() - began:.1f} s")
