"""``catdog-stream up``: broker, worker and page on one machine."""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import click

from catdog_stream import deadlines
from catdog_stream.broker import HOST, LocalKafka, child
from catdog_stream.commands.local_kafka import local_port, running_kafka
from catdog_stream.commands.send import sample_pictures, send_and_wait
from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import Signals, until_stopped
from catdog_stream.errors import BrokerError, CatDogError, SettingError
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.preflight import in_url

#: Address on which to reach a server that listens on every address.
EVERY_ADDRESS = {"": HOST, "0.0.0.0": HOST, "::": "::1"}


def up_command(app: CatDogApp) -> click.Command:
    """Return the command, for the web address of ``app``."""

    @click.command()
    @click.option("--samples", is_flag=True, help="Send the sample pictures once all is up.")
    @click.option(
        "--web-port", type=click.IntRange(1, 65535), help="Port of the page; WEB_PORT's, or 6066."
    )
    @click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the local Kafka keeps its topics.",
    )
    def up(samples: bool, web_port: int | None, data_dir: Path | None) -> None:
        """Run everything on this machine: a broker if none answers, a worker, the page."""
        _run(app, samples, web_port, data_dir)

    return up


def _run(app: CatDogApp, samples: bool, web_port: int | None, data_dir: Path | None) -> None:
    port: int = web_port or app.conf.web_port
    host = EVERY_ADDRESS.get(app.conf.web_bind, app.conf.web_bind)
    program = same_program("up")
    _require_free(host, port, "the page", "--web-port or WEB_PORT")
    with (
        until_stopped() as signals,
        _broker(app.settings.cluster, data_dir, signals) as kafka,
        _worker(program, port) as worker,
    ):
        page = f"http://{in_url(host)}:{port}"
        _wait_until_ready(worker, page, signals)
        click.echo(f"The page: {page}/")
        if samples:
            signals.run(
                saying_silence(app.settings.cluster, send_and_wait(sample_pictures(), timeout=60))
            )
        click.echo("Ctrl-C stops everything.")
        while (status := worker.poll()) is None:
            signals.pause()
            if kafka is not None and (ended := kafka.poll()) is not None:
                raise kafka.ended(ended)
        raise CatDogError(f"The worker ended with status {status}.")
    click.echo("Stopped.")


def _require_free(host: str, port: int, purpose: str, setting: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise SettingError(
                    f"{host} for {purpose} is no address of this machine: WEB_BIND names another."
                ) from error
            raise SettingError(
                f"Port {port} for {purpose} cannot be used ({error.strerror}): "
                f"choose another one with {setting}."
            ) from error


def _broker(
    cluster: ClusterConfig, data_dir: Path | None, signals: Signals
) -> AbstractContextManager[LocalKafka | None]:
    try:
        signals.run(saying_silence(cluster, topic_partitions(cluster)))
    except BrokerError:
        port = local_port(cluster)
        if port is None or cluster.security.protocol != "plaintext":
            raise
        _require_free(HOST, port, "the broker", f"CATDOG_BROKER=kafka://{HOST}:PORT")
        click.echo(f"No broker answers on port {port}: starting a Kafka of its own.")
        return running_kafka(cluster, port, data_dir, signals)
    return nullcontext()


def same_program(command: str) -> list[str]:
    """Return the command line of this program, Python first, up to its command ``command``.

    A program may set another classifier before it calls ``catdog_stream.app.main``.

    Raises:
        CatDogError: the command does not stand in the command line of this process.
    """
    arguments = sys.argv[1:]
    given = arguments[arguments.index(command) :] if command in arguments else []
    if not given or sys.orig_argv[-len(given) :] != given:
        raise CatDogError(
            f"{command} starts a worker with the command line of this program, in which there is "
            f"no {command}: run python PROGRAM {command}, or a worker and a broker yourself."
        )
    return [sys.executable, *sys.orig_argv[1 : -len(given)]]


@contextmanager
def _worker(program: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker process of ``program`` that ends with this process."""
    arguments = ["worker", "--web-port", str(port), "--loglevel", "warn"]
    process = subprocess.Popen(
        [sys.executable, child.__file__, str(os.getpid()), *program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # Faust's banner; everything else is logged to stderr
        start_new_session=True,  # Ctrl-C reaches this process, which stops the worker
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(deadlines.UP_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(worker: subprocess.Popen[bytes], page: str, signals: Signals) -> None:
    direct = build_opener(ProxyHandler({}))  # ignores http_proxy, because the address is local
    deadline = time.monotonic() + deadlines.UP_READY
    while time.monotonic() < deadline:
        status = worker.poll()
        if status is not None:
            raise CatDogError(f"The worker ended with status {status}.")
        try:
            with signals.interrupting(), direct.open(f"{page}/readyz", timeout=5):
                return
        except (URLError, OSError):
            signals.pause()
    raise CatDogError(f"The worker was not ready after {deadlines.UP_READY:.0f} s.")
