"""Tests of a user's mistakes: each gives one sentence and an exit code, never a traceback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from faust.cli.base import cli

from catdog_stream.app import app
from catdog_stream.models.stacks.locate import default_stack, samples
from catdog_stream.testing.ports import free_ports

SECONDS = 60
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``catdog-stream`` as a user does, with the address of a broker that does not run."""
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", *arguments],
        env={**os.environ, "CATDOG_BROKER": f"127.0.0.1:{free_ports(1)[0]}", **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def sentence(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence on stderr."""
    lines = [line for line in answer.stderr.splitlines() if not _is_noise(line)]
    assert len(lines) == 1, answer.stderr
    assert "Traceback" not in answer.stdout
    return lines[0].removeprefix("Error: ")


def _is_noise(line: str) -> bool:
    return line.startswith("INFO: Created TensorFlow Lite")  # LiteRT always prints it


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_setting_that_cannot_be_used() -> None:
    answer = run("worker", CATDOG_ENGINE="abacus")
    assert answer.returncode == 2
    assert sentence(answer) == (
        "CATDOG_ENGINE='abacus' cannot be used: it must be one of auto, litert, tensorflow, onnx."
    )


@pytest.mark.parametrize("arguments", [["replay"], ["send", "samples"], ["watch"]])
def test_no_broker_there(arguments: list[str]) -> None:
    port = free_ports(1)[0]
    answer = run(*arguments, CATDOG_BROKER=f"127.0.0.1:{port}")
    assert answer.returncode == 1
    assert sentence(answer) == (
        f"No Kafka broker answers at kafka://127.0.0.1:{port}; CATDOG_BROKER names another one."
    )


def test_no_broker_there_and_none_can_be_started_for_it() -> None:
    answer = run("up", "--web-port", str(free_ports(1)[0]), CATDOG_BROKER="broker.invalid:9092")
    assert answer.returncode == 1
    assert "The host name broker.invalid in CATDOG_BROKER has no address" in sentence(answer)


def test_no_such_file() -> None:
    answer = run("send", "nowhere")
    assert answer.returncode == 1
    assert sentence(answer) == "There is no file or folder nowhere."


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "nowhere"],
        ["train-head", "nowhere", "--output", "never-written"],
        ["convert", "nowhere", "--output", "never-written"],
    ],
)
def test_no_such_file_for_any_command(arguments: list[str]) -> None:
    app.discover()
    command = cli.commands[arguments[0]]
    answer = CliRunner().invoke(command, arguments[1:])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: There is no ")
    assert answer.stderr.endswith(" nowhere.\n")
    assert not Path("never-written").exists()


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    """Return a folder of labelled pictures."""
    for sample, label in (("cat-kitten.jpg", "cat"), ("dog-beagle.jpg", "dog")):
        (tmp_path / "labelled" / label).mkdir(parents=True)
        shutil.copy(samples() / sample, tmp_path / "labelled" / label)
    return str(tmp_path / "labelled")


def test_no_such_stack(labelled: str) -> None:
    answer = run("evaluate", labelled, CATDOG_STACK="/nowhere")
    assert answer.returncode == 1
    assert sentence(answer) == "There is no model stack at /nowhere."


def test_a_damaged_stack(labelled: str, tmp_path: Path) -> None:
    part = "backbone.tflite"
    stack = tmp_path / "stack"
    shutil.copytree(default_stack(), stack)
    with (stack / part).open("r+b") as file:
        file.truncate(100)
    answer = run("evaluate", labelled, CATDOG_STACK=str(stack))
    assert answer.returncode == 1
    assert str(stack / part) in sentence(answer)


def test_a_busy_port_of_the_page(busy_port: int) -> None:
    for command in ("worker", "up"):
        answer = run(command, "--web-port", str(busy_port))
        assert answer.returncode == 2
        assert f"port {busy_port}" in sentence(answer).lower()
        assert "--web-port" in answer.stderr


def test_a_certificate_that_is_not_there() -> None:
    answer = run("watch", CATDOG_SECURITY="ssl", CATDOG_TLS_CA_FILE="/nowhere")
    assert answer.returncode == 2
    assert sentence(answer) == (
        "CATDOG_TLS_CA_FILE=/nowhere cannot be used: No such file or directory."
    )


def test_the_local_kafka_is_not_secured(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    answer = run("broker", "--port", port, "--data-dir", str(tmp_path), CATDOG_SECURITY="ssl")
    assert answer.returncode == 2
    assert sentence(answer) == (
        "The local Kafka offers neither TLS nor SASL: unset CATDOG_SECURITY."
    )


def test_a_terminal_has_its_cursor_back_after_a_worker(busy_port: int) -> None:
    output = b""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "catdog_stream", "worker", "--web-port", str(busy_port)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        while chunk := os.read(master, 65536):
            output += chunk
    except OSError:
        pass  # Linux reports the writer's end in this way
    finally:
        os.close(master)
        assert process.wait(SECONDS) == 2
    assert output.rindex(SHOW_CURSOR.encode()) > output.rindex(HIDE_CURSOR.encode())


def test_a_busy_port_of_the_broker(busy_port: int, tmp_path: Path) -> None:
    answer = run("broker", "--port", str(busy_port), "--data-dir", str(tmp_path))
    assert answer.returncode == 1
    assert f"Port {busy_port} cannot be used" in sentence(answer)
    assert "--port" in answer.stderr


def test_a_broker_for_an_address_elsewhere() -> None:
    answer = run("broker", CATDOG_BROKER="kafka.invalid:9092")
    assert answer.returncode == 2
    assert sentence(answer) == "CATDOG_BROKER is not on this machine: choose a --port."
