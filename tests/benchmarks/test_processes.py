"""Tests of the CPU time of processes and their threads."""

import os
import socket
import threading
import time

import pytest

from benchmarks.processes import cpu_seconds, listener, stage, thread_seconds


@pytest.mark.parametrize(
    ("thread", "work"),
    [("decode_0", "decode"), ("decode_12", "decode"), ("main", "main"), ("pool-1", "pool")],
)
def test_threads_of_one_pool_count_as_one(thread: str, work: str) -> None:
    assert stage(thread) == work


def test_a_thread_that_is_named_by_its_number_alone_keeps_it() -> None:
    assert stage("7") == "7"


def test_the_threads_of_a_process_use_what_the_process_uses() -> None:
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(stop.is_set, True)])
    busy.start()
    end = time.process_time() + 0.2
    while time.process_time() < end:
        time.sleep(0.01)
    # In this order, because time passes between the two; threads that have ended no longer count.
    by_thread, used = sum(thread_seconds(os.getpid()).values()), cpu_seconds(os.getpid())
    stop.set()
    busy.join()
    rounding = 0.03  # both user and kernel time are in hundredths of a second
    assert 0.1 < by_thread <= used + rounding


def test_a_server_is_found_by_its_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listener(f"127.0.0.1:{port}") == os.getpid()
    assert listener(f"127.0.0.1:{port}") is None
