"""The embedded broker's life, with the real server."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from catdog_stream.broker import HOST, EmbeddedBroker, is_ready
from catdog_stream.errors import BrokerError
from tests.support.ports import free_ports
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def test_it_answers_once_it_is_started_and_not_after_it_is_stopped(
    port: int, tmp_path: Path
) -> None:
    assert not is_ready(HOST, port)
    with EmbeddedBroker(port, tmp_path / "not" / "there" / "yet") as broker:
        assert is_ready(HOST, port)
        assert broker.poll() is None
        assert broker.address == f"{HOST}:{port}"
    assert not is_ready(HOST, port)
    assert broker.poll() == 0
    broker.stop()  # a second time is harmless


def test_it_listens_on_the_loopback_interface_only(port: int, tmp_path: Path) -> None:
    with EmbeddedBroker(port, tmp_path), socket.socket() as other_address:
        other_address.bind(("127.0.0.2", port))  # taken if it listened on every address


def test_a_busy_port_is_named_together_with_the_option_to_change_it(
    port: int, tmp_path: Path
) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, port))
        holder.listen()
        with pytest.raises(BrokerError, match=f"port {port} is already in use.*--port"):
            EmbeddedBroker(port, tmp_path).start()


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="70000 is not a port"):
        EmbeddedBroker(70_000, tmp_path).start()


def test_a_data_directory_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    one, two = free_ports(2)
    with (
        EmbeddedBroker(one, tmp_path),
        pytest.raises(BrokerError, match=r"another one uses its data directory.*--data-dir"),
    ):
        EmbeddedBroker(two, tmp_path).start()


def test_a_data_directory_that_is_a_file_is_refused(port: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"cannot use .*file"):
        EmbeddedBroker(port, tmp_path / "file").start()


def test_it_is_refused_in_a_thread_that_would_take_it_along(port: int, tmp_path: Path) -> None:
    errors: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedBroker(port, tmp_path).start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(errors)


def test_what_it_was_sent_is_there_after_a_restart(port: int, tmp_path: Path) -> None:
    values = [b"%d" % number for number in range(100)]
    with EmbeddedBroker(port, tmp_path) as broker:
        asyncio.run(_send(broker.address, values))
    with EmbeddedBroker(port, tmp_path) as broker:
        assert asyncio.run(_read(broker.address, len(values))) == values


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_it_does_not_outlive_a_parent_that_is_killed(port: int, tmp_path: Path) -> None:
    program = (
        "import signal, sys; from pathlib import Path; from catdog_stream.broker import *; "
        "broker = EmbeddedBroker(int(sys.argv[1]), Path(sys.argv[2])).start(); "
        "print(broker.pid, flush=True); signal.pause()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(port), str(tmp_path)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    with parent.stdout:
        broker = int(parent.stdout.readline())
    assert is_ready(HOST, port)

    parent.kill()
    parent.wait()

    wait_until(lambda: _has_ended(broker), "the broker to end")
    assert not is_ready(HOST, port)


def test_a_server_that_ends_is_seen_by_who_waits_for_it(port: int, tmp_path: Path) -> None:
    with EmbeddedBroker(port, tmp_path) as broker:
        assert broker.wait(timeout=0) is None
        os.kill(broker.pid, signal.SIGKILL)
        assert broker.wait(timeout=10) == -signal.SIGKILL


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits as a zombie for its new parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def _send(address: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for value in values:
            await producer.send_and_wait("topic", value)


async def _read(address: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer("topic", bootstrap_servers=address, auto_offset_reset="earliest")
    async with asyncio.timeout(30), consumer:
        return [(await consumer.getone()).value for _ in range(count)]
