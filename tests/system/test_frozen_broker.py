"""Test of a broker that freezes, one of three: the others take over, and answers continue."""

import asyncio
import time
from pathlib import Path

import pytest

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, request
from tests.support.cluster import own_cluster
from tests.support.fleet import GROUP

pytestmark = [pytest.mark.integration, pytest.mark.long]

#: Seconds until the partitions that the frozen broker led are answered again.
MOVED_ON = 40.0
NOTICED = 15.0
#: Enough that each partition has requests, and that some are unanswered when the broker freezes.
REQUESTS = 80


def test_partitions_of_a_frozen_broker_are_answered_again_within_forty_seconds(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    async def send(address: str) -> None:
        async with Client(address) as client:
            await client.send([request(cat)] * REQUESTS)

    def wait(condition: str, expected: int, seconds: float) -> None:
        wait_until(lambda: worker.status("/readyz") == expected, condition, seconds)

    settings = {"CATDOG_REPLICAS": "3", "CATDOG_THREADS": "1"}
    with own_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        settings["CATDOG_BROKER"] = cluster.setting
        with Worker(cluster.address, tmp_path, settings=settings) as worker:
            worker.wait_ready()
            frozen = asyncio.run(cluster.coordinator(GROUP))
            asyncio.run(send(cluster.address))
            frozen.pause()
            began = time.monotonic()
            wait("the worker to say that a broker is silent", 503, NOTICED)
            print(f"said after {time.monotonic() - began:.1f} s: {worker.get('/readyz')}")
            answered = worker.get("/labels/")["total"]
            wait_until(
                lambda: worker.get("/labels/")["total"] > answered,
                "answers",
                began + MOVED_ON - time.monotonic(),
            )
            print(f"answered again after {time.monotonic() - began:.1f} s")
            # How long the rest takes depends on the speed of the model on this machine.
            wait_until(lambda: worker.get("/labels/")["total"] == REQUESTS, "all answers")
            print(f"answered after {time.monotonic() - began:.1f} s")
            # The fetches from the frozen broker time out last; until then they count as a problem.
            wait("the worker to be ready, with the broker still frozen", 200, MOVED_ON)
            print(f"ready after {time.monotonic() - began:.1f} s")
            others = [node.address for node in cluster.nodes.values() if node is not frozen]
            asyncio.run(send(",".join(others)))
            wait_until(lambda: worker.get("/labels/")["total"] == 2 * REQUESTS, "all answers")
            frozen.resume()
            assert worker.terminate() == 0
