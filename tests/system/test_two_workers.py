"""Test of two workers that share the partitions: each answers HTTP requests for both."""

import asyncio
import time
from pathlib import Path

import pytest
import requests

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, Message, request
from tests.support.fleet import nothing_uncommitted

pytestmark = pytest.mark.integration


def test_each_of_two_workers_shows_the_counts_of_both_and_says_so_when_one_is_gone(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    asyncio.run(_scenario(broker_address, tmp_path, cat))


def page(worker: Worker) -> str:
    return requests.get(f"http://127.0.0.1:{worker.port}/", timeout=20).text


async def _scenario(address: str, folder: Path, cat: bytes) -> None:
    with Worker(address, folder) as first, Worker(address, folder) as second:
        first.wait_ready()
        second.wait_ready()
        workers = (first, second)

        def both_answer() -> bool:
            return all(
                worker.get("/labels/")["workers"] == {"asked": 2, "answered": 2}
                for worker in workers
            )

        wait_until(both_answer, "both workers to know each other", PATIENCE)
        await nothing_uncommitted(address)
        before = first.get("/labels/")
        messages = [Message(request(cat), partition=number % 8) for number in range(40)]

        async with Client(address) as client:
            sources = await client.send(messages)
            await client.answers(sources)

            def totals(*asked: Worker) -> list[int]:
                return [worker.get("/labels/")["total"] - before["total"] for worker in asked]

            wait_until(lambda: totals(*workers) == [40, 40], "both to show all 40")
            shards = [worker.get("/shards/")["labels"] for worker in workers]
            assert all(shards), "both workers have partitions to count"

            second.process.send_signal(19)  # SIGSTOP: it is a member and does not answer
            try:
                wait_until(
                    lambda: first.get("/labels/")["workers"] == {"asked": 2, "answered": 1},
                    "the first to miss the other one",
                )
                assert totals(first) == [40], "what it has counted stays"
                wait_until(
                    lambda: "does not answer (1 of 2 workers)" in page(first), "the page to say so"
                )
                began = time.monotonic()
                page(first)
                assert time.monotonic() - began < 1.0, "nobody waits for a frozen worker"
            finally:
                second.process.send_signal(18)  # SIGCONT

            assert await asyncio.to_thread(second.terminate) == 0
            sources = await client.send(messages)
            await client.answers(sources)
            wait_until(lambda: totals(first) == [80], "the first to have taken over", PATIENCE)
            assert first.get("/labels/")["workers"] == {"asked": 1, "answered": 1}
