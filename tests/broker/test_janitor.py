"""Who is alive, and who is taken out of the consumer groups."""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from catdog_stream.broker import HOST, EmbeddedBroker, Janitor, client_id
from catdog_stream.broker.janitor import Process, process_of
from catdog_stream.broker.protocol import group_members
from tests.support.ports import free_ports

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_client_id_names_its_process() -> None:
    process = process_of(client_id())

    assert process is not None
    assert process.pid == os.getpid()
    assert process.is_alive()


@pytest.mark.parametrize("stranger", ["", "faust-0.15.3", "catdog-stream-", "catdog-stream-1-2-3"])
def test_a_stranger_s_client_id_names_no_process(stranger: str) -> None:
    assert process_of(stranger) is None


def test_a_process_that_ended_is_not_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert not Process(ended.pid, started=0).is_alive()


@linux
def test_a_killed_process_is_dead_before_its_parent_waited_for_it() -> None:
    print_client_id = "from catdog_stream.broker import client_id; print(client_id(), flush=True); "
    child = subprocess.Popen(
        [sys.executable, "-c", print_client_id + "input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    process = process_of(child.stdout.readline().decode().strip())
    assert process is not None
    assert process.is_alive()

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in /proc

    assert Path(f"/proc/{process.pid}").exists()
    assert not process.is_alive()
    child.communicate()


@linux
def test_a_later_process_with_the_same_id_is_another_one() -> None:
    process = process_of(client_id())
    assert process is not None

    assert not Process(process.pid, process.started - 1).is_alive()


@pytest.mark.integration
def test_only_members_whose_process_is_gone_are_evicted(tmp_path: Path) -> None:
    with EmbeddedBroker(free_ports(1)[0], tmp_path) as broker:
        asyncio.run(_sweep(broker))


async def _sweep(broker: EmbeddedBroker) -> None:
    # The broker's own janitor finds this process alive; a second one is made to think otherwise.
    all_alive = Janitor(HOST, broker.port, is_alive=lambda _: True)
    all_dead = Janitor(HOST, broker.port, is_alive=lambda _: False)
    worker = _consumer(broker, group="workers", client_id=client_id())
    stranger = _consumer(broker, group="strangers", client_id="kcat")
    async with asyncio.timeout(60), worker, stranger:
        while not (worker.assignment() and stranger.assignment()):
            await asyncio.sleep(0.02)

        # Nothing is awaited from here on, so nobody can join again in between.
        assert all_alive.sweep() == []
        assert all_dead.sweep() == [client_id()]
        assert group_members(HOST, broker.port, "workers") == []
        assert len(group_members(HOST, broker.port, "strangers")) == 1
        assert all_dead.sweep(strangers=True) == ["kcat"]


@pytest.mark.integration
def test_a_broker_that_starts_again_remembers_no_member(tmp_path: Path) -> None:
    asyncio.run(_restart_under_a_member(EmbeddedBroker(free_ports(1)[0], tmp_path)))


async def _restart_under_a_member(broker: EmbeddedBroker) -> None:
    with broker:
        consumer = _consumer(broker, group="group", client_id="kcat")
        async with asyncio.timeout(60), consumer:
            while not consumer.assignment():
                await asyncio.sleep(0.02)
            # Nothing is awaited from here on: the consumer neither leaves nor joins again.
            broker.stop()
            broker.start()
            assert group_members(HOST, broker.port, "group") == []


def _consumer(broker: EmbeddedBroker, group: str, client_id: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        f"topic-{uuid.uuid4().hex[:8]}",
        bootstrap_servers=broker.address,
        group_id=group,
        client_id=client_id,
    )
