"""Tests of the life cycle of the local Kafka, with the real server."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from catdog_stream.broker import HOST, LocalKafka, is_ready, server
from catdog_stream.errors import BrokerError
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def test_it_answers_once_it_is_started_and_not_after_it_is_stopped(
    port: int, tmp_path: Path
) -> None:
    assert not is_ready(HOST, port)
    with LocalKafka(port, tmp_path / "not" / "there" / "yet") as broker:
        assert is_ready(HOST, port)
        assert broker.poll() is None
        assert broker.address == f"{HOST}:{port}"
    assert not is_ready(HOST, port)
    assert broker.poll() == 128 + signal.SIGTERM
    broker.stop()  # a second time is harmless


def test_it_listens_on_the_loopback_interface_only_its_controller_too(
    port: int, tmp_path: Path
) -> None:
    with LocalKafka(port, tmp_path) as broker:
        listening = [
            connection.laddr
            for connection in psutil.Process(broker.pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {HOST}
    assert len(listening) == 2
    assert port in {address.port for address in listening}


def test_a_busy_port_is_named_together_with_the_option_to_change_it(
    port: int, tmp_path: Path
) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, port))
        holder.listen()
        with pytest.raises(BrokerError, match=f"Port {port} cannot be used.*in use.*--port"):
            LocalKafka(port, tmp_path).start()


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="70000 is not a port"):
        LocalKafka(70_000, tmp_path).start()


@pytest.mark.long
def test_a_data_directory_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    one, two = free_ports(2)
    with (
        LocalKafka(one, tmp_path),
        pytest.raises(BrokerError, match=r"is used by another server.*--data-dir"),
    ):
        LocalKafka(two, tmp_path).start()


def test_a_data_directory_that_is_a_file_is_refused(port: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"cannot use .*file"):
        LocalKafka(port, tmp_path / "file").start()


def test_it_is_refused_in_a_thread_that_would_take_it_along(port: int, tmp_path: Path) -> None:
    errors: list[Exception] = []

    def start() -> None:
        try:
            LocalKafka(port, tmp_path).start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(errors)


@pytest.mark.long
@pytest.mark.parametrize("end", [LocalKafka.stop, LocalKafka.kill])
def test_what_it_was_sent_is_there_after_a_stop_and_after_a_crash(
    end: Callable[[LocalKafka], None], port: int, tmp_path: Path
) -> None:
    values = [b"%d" % number for number in range(100)]
    with LocalKafka(port, tmp_path) as broker:
        asyncio.run(_send(broker.address, values))
        end(broker)
        broker.start()
        assert asyncio.run(_read(broker.address, len(values))) == values


@pytest.mark.long
def test_what_an_earlier_version_of_kafka_wrote_is_there(port: int, tmp_path: Path) -> None:
    """Use data of the previous version, as the next version will use data of this one."""
    with LocalKafka(port, tmp_path, format_arguments=["--release-version", "4.2"]) as broker:
        asyncio.run(_send(broker.address, [b"from 4.2"]))
    with LocalKafka(port, tmp_path) as broker:
        assert asyncio.run(_read(broker.address, 1)) == [b"from 4.2"]


@pytest.mark.long
def test_a_start_that_was_killed_while_it_formatted_leaves_no_half_of_it(
    port: int, tmp_path: Path
) -> None:
    (tmp_path / "formatting").mkdir()
    (tmp_path / "formatting" / "meta.properties").write_text("version=1\n")
    with LocalKafka(port, tmp_path) as broker:
        asyncio.run(_send(broker.address, [b"whole"]))


def test_data_that_are_damaged_are_told_in_one_sentence(port: int, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\nnode.id=77\ncluster.id=x\n")
    with pytest.raises(BrokerError, match=r"ended while starting: .*node.*see .*kafka.log") as told:
        LocalKafka(port, tmp_path).start()
    assert "\n" not in str(told.value)


@pytest.mark.long
def test_a_controller_s_port_that_is_taken_meanwhile_is_replaced_by_another(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        ports = iter([holder.getsockname()[1], *free_ports(1)])
        monkeypatch.setattr(server, "_free_port", lambda: next(ports))
        with LocalKafka(port, tmp_path):
            assert is_ready(HOST, port)


@pytest.mark.long
@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_it_does_not_outlive_a_parent_that_is_killed(port: int, tmp_path: Path) -> None:
    program = (
        "import signal, sys; from pathlib import Path; from catdog_stream.broker import *; "
        "broker = LocalKafka(int(sys.argv[1]), Path(sys.argv[2])).start(); "
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
    with LocalKafka(port, tmp_path) as broker:
        assert broker.wait(timeout=0) is None
        os.kill(broker.pid, signal.SIGKILL)
        assert broker.wait(timeout=10) == -signal.SIGKILL


def _has_ended(pid: int) -> bool:
    """Return True if a process is gone, or a zombie that its new parent has not reaped yet."""
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


def test_a_disk_with_too_little_space_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(BrokerError, match=rf"{tmp_path} has 1 MB of free space.*--data-dir"):
        LocalKafka(free_ports(1)[0], tmp_path).launch()
