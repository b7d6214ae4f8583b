"""``catdog-stream broker``: the embedded broker in the foreground."""

import time
from pathlib import Path

import click

from catdog_stream.broker import HOST, EmbeddedBroker
from catdog_stream.broker.protocol import group_members, list_groups
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.errors import BrokerError, SettingError
from catdog_stream.local_broker import embedded_port, running_broker

#: How long the broker stays for workers that are being stopped at the same moment, as a process
#: manager does. Honcho kills what is still there after 5 s.
LEAVE_SECONDS = 3.0
POLL_SECONDS = 0.1


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port; CATDOG_BROKER's by default.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it keeps its topics; ~/.local/state/catdog_stream/broker-PORT by default.",
)
def broker(port: int | None, data_dir: Path | None) -> None:
    """Run the embedded broker: for a first try, never for production."""
    from catdog_stream.app import app

    port = port or embedded_port(app)
    if port is None:
        raise SettingError("CATDOG_BROKER is not on this machine: choose a --port.")
    with until_stopped(), running_broker(app, port, data_dir) as running:
        click.echo(f"The broker listens on {running.address}, data in {running.data_dir}.")
        try:
            running.wait()
        finally:
            _let_workers_leave(running)
    click.echo("Stopped.")


def _let_workers_leave(broker: EmbeddedBroker) -> None:
    """Return once no consumer group has a member, or after ``LEAVE_SECONDS``."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while broker.poll() is None and time.monotonic() < deadline:
        try:
            if not any(
                group_members(HOST, broker.port, group) for group in list_groups(HOST, broker.port)
            ):
                return
        except BrokerError:
            return
        time.sleep(POLL_SECONDS)
